"""Rows in tables made from models: values of our own types, keys of sequences; and a model written for PostgreSQL."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.engine import Connection
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from alembic_crdb import types
from alembic_crdb.database import read_database
from alembic_crdb.differences import compare_snapshots
from alembic_crdb.model import metadata_to_catalog
from alembic_crdb.versions import version_of
from tests.cockroachdb.test_create_all import engine_of
from tests.servers.fixtures import CockroachDatabase


@pytest.fixture
def connection(cockroach_database: CockroachDatabase, driver: str) -> Iterator[Connection]:
    engine = engine_of(cockroach_database.url_for(driver))
    with engine.connect() as made:
        yield made
    engine.dispose()


#: A column's type, a value, and the value that the driver gives back.
VALUES: list[tuple[Any, Any, Any]] = [
    (types.INT2(), 7, 7),
    (types.INT4(), 7, 7),
    (types.INT8(), 2**60, 2**60),
    (types.FLOAT4(), 0.5, 0.5),
    (types.FLOAT8(), 0.1, 0.1),
    (types.STRING(5), "5% é", "5% é"),
    (types.NAME(), "a name", "a name"),
    (types.QUOTED_CHAR(), "x", "x"),
    (types.VARBIT(), "101", "101"),
    (pg.BIT(3), "101", "101"),
    (types.GEOMETRY("POINT", 4326), "SRID=4326;POINT(1 2)", "0101000020E6100000000000000000F03F0000000000000040"),
    (types.GEOGRAPHY(), "POINT(1 2)", "0101000020E6100000000000000000F03F0000000000000040"),
    (types.BOX2D(), "BOX(1 2,3 4)", "BOX(1 2,3 4)"),
    (pg.ARRAY(types.INT2()), [1, 2], [1, 2]),
    (sa.Enum("a", "b", name="mood"), "b", "b"),
    (pg.JSONB(), {"a": [1]}, {"a": [1]}),
]


def test_values(connection: Connection) -> None:
    metadata = sa.MetaData()
    table = sa.Table("t", metadata, *(sa.Column(f"c{n}", kind) for n, (kind, _, _) in enumerate(VALUES)))
    metadata.create_all(connection)
    connection.execute(table.insert().values({f"c{n}": value for n, (_, value, _) in enumerate(VALUES)}))
    assert list(connection.execute(sa.select(table)).one()) == [back for _, _, back in VALUES]
    for n, (kind, value, _) in enumerate(VALUES):
        if not isinstance(kind, types.GEOMETRY | types.GEOGRAPHY | types.BOX2D | pg.BIT):
            found = connection.scalar(sa.select(sa.func.count()).where(table.c[f"c{n}"] == value).select_from(table))
            assert found == 1, kind


def test_keys(connection: Connection) -> None:
    metadata = sa.MetaData()
    serial = sa.Table("serial", metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("a", sa.Integer))
    numbered = sa.Table(
        "numbered",
        metadata,
        sa.Column("id", sa.BigInteger, sa.Sequence("Numbers", start=5, increment=2), primary_key=True),
        sa.Column("a", sa.Integer, sa.Sequence("others"), comment="has a default of the server, too"),
    )
    metadata.create_all(connection)
    assert connection.execute(serial.insert().values(a=1)).inserted_primary_key[0] > 0
    keys = [connection.execute(numbered.insert()).inserted_primary_key[0] for _ in range(3)]
    assert keys == [5, 7, 9]
    # By a program that knows nothing of the model.
    connection.exec_driver_sql("INSERT INTO numbered DEFAULT VALUES")
    assert connection.execute(sa.select(numbered.c.id, numbered.c.a).order_by("id")).all()[-1] == (11, 4)


def test_the_version_is_known_when_connected(connection: Connection) -> None:
    answer = str(connection.scalar(sa.text("SELECT version()")))
    major, minor = version_of(connection.dialect)
    assert f" v{major}.{minor}." in answer


class Base(DeclarativeBase):
    metadata = sa.MetaData(naming_convention={"pk": "pk_%(table_name)s", "fk": "fk_%(table_name)s_%(column_0_name)s"})
    type_annotation_map = {str: sa.String(80), dict[str, Any]: pg.JSONB}  # noqa: RUF012


class Role(enum.Enum):
    member = "m"
    admin = "a"


class Tenant(Base):
    __tablename__ = "tenants"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(sa.Text, unique=True)
    settings: Mapped[dict[str, Any]] = mapped_column(server_default=sa.text("'{}'::jsonb"))
    users: Mapped[list[User]] = relationship(back_populates="tenant")


class User(Base):
    __tablename__ = "users"
    id: Mapped[str] = mapped_column(pg.UUID(as_uuid=False), primary_key=True, server_default=sa.func.gen_random_uuid())
    tenant_id: Mapped[int] = mapped_column(sa.ForeignKey("tenants.id", ondelete="CASCADE"), index=True)
    email: Mapped[str] = mapped_column(sa.String(320))
    role: Mapped[Role] = mapped_column(server_default="member")
    tags: Mapped[list[str]] = mapped_column(pg.ARRAY(sa.Text), server_default="{}")
    active: Mapped[bool] = mapped_column(server_default=sa.true())
    balance: Mapped[float] = mapped_column(sa.Numeric(12, 2), server_default="0")
    address: Mapped[str | None] = mapped_column(pg.INET)
    created: Mapped[Any] = mapped_column(sa.DateTime(timezone=True), server_default=sa.func.now())
    search: Mapped[str | None] = mapped_column(sa.Text, sa.Computed("lower(email)", persisted=True))
    tenant: Mapped[Tenant] = relationship(back_populates="users")
    __table_args__ = (
        sa.UniqueConstraint("tenant_id", "email", name="uq_users_email", postgresql_include=["role"]),
        sa.CheckConstraint("balance >= 0", name="ck_users_balance"),
        sa.Index("ix_users_tags", "tags", postgresql_using="gin"),
        sa.Index("ix_users_active", "email", postgresql_where=sa.text("active"), postgresql_concurrently=True),
        sa.Index("ix_users_email", "email", postgresql_ops={"email": "varchar_pattern_ops"}, postgresql_using="btree"),
        sa.Index("ix_users_created", sa.text("created DESC NULLS LAST"), postgresql_with={"fillfactor": 80}),
        pg.ExcludeConstraint(("address", "&&"), name="ex", using="gist").ddl_if(dialect="postgresql"),
        {"comment": "who may log in"},
    )


def test_a_model_for_postgresql(connection: Connection) -> None:
    Base.metadata.create_all(connection)
    said = metadata_to_catalog(Base.metadata, connection.dialect)
    assert list(compare_snapshots(read_database(connection), said)) == []
    with sa.orm.Session(connection) as session:
        session.add(Tenant(name="a", users=[User(email="x@y", role=Role.admin, tags=["1"])]))
        session.commit()
        user = session.scalars(sa.select(User)).one()
        assert (user.role, user.tags, user.search, user.active, user.tenant.name) == (
            Role.admin,
            ["1"],
            "x@y",
            True,
            "a",
        )
    Base.metadata.drop_all(connection)
    left = read_database(connection)
    assert (left.tables, left.enums) == ({}, {})
