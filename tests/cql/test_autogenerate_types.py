"""Autogenerate on a real server: every type is written so that the revision runs."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cql.models import table
from tests.cql.project import Project

ALL_TYPES = """
inner = UserType("inner_type", [("a", cql.INT), ("b", cql.FROZEN(cql.LIST(cql.TEXT)))], metadata)
point = UserType("point", [("p", cql.TUPLE(cql.DOUBLE, cql.DOUBLE)), ("i", cql.FROZEN(inner))], metadata)
class Colour(enum.Enum):
    RED = 1
    BLUE = 2
sa.Table(
    "all_types", metadata, sa.Column("id", sa.Uuid, primary_key=True),
    *(sa.Column(f"c{n}", kind) for n, kind in enumerate([
        cql.ASCII(), cql.BIGINT(), cql.BLOB(), cql.BOOLEAN(), cql.DATE(), cql.DECIMAL(), cql.DOUBLE(), cql.DURATION(),
        cql.FLOAT(), cql.INET(), cql.INT(), cql.SMALLINT(), cql.TEXT(), cql.TIME(), cql.TIMESTAMP(), cql.TIMEUUID(),
        cql.TIMESTAMP(timezone=True), cql.TINYINT(), cql.UUID(), cql.VARINT(), cql.VECTOR(cql.FLOAT, 3),
        cql.LIST(cql.INT), cql.SET(cql.TEXT), cql.MAP(cql.TEXT, cql.BLOB), cql.TUPLE(cql.INT, cql.TEXT),
        cql.FROZEN(cql.MAP(cql.INT, cql.SET(cql.UUID))), cql.LIST(cql.FROZEN(cql.MAP(cql.TEXT, cql.FROZEN(point)))),
        cql.MAP(sa.Integer, cql.FROZEN(cql.TUPLE(sa.String(5), sa.Numeric(4, 2), cql.VECTOR(cql.DOUBLE, 2)))),
        cql.FROZEN(point), inner, cql.VECTOR(cql.FROZEN(inner), 2),
        sa.String(30), sa.Text(), sa.Unicode(), sa.Integer(), sa.BigInteger(), sa.SmallInteger(), sa.Boolean(),
        sa.Float(), sa.Float(precision=24), sa.Double(), sa.REAL(), sa.Numeric(10, 3), sa.DateTime(),
        sa.DateTime(timezone=True), sa.Date(), sa.Time(), sa.LargeBinary(), sa.Uuid(), sa.JSON(), sa.ARRAY(sa.Integer),
        sa.Enum("a", "b'c", name="abc"),
        sa.Enum(Colour), sa.Interval(), mytypes.Price(), mytypes.Loud(), cql.LIST(mytypes.Price()),
        sa.String().with_variant(cql.ASCII(), "cql"),
    ])),
)
"""


@pytest.fixture
def mytypes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A module of the user's with types of its own."""
    (tmp_path / "mytypes.py").write_text(
        "import sqlalchemy as sa\n"
        "class Price(sa.types.TypeDecorator):\n    impl = sa.Numeric\n    cache_ok = True\n"
        "class Loud(sa.types.TypeDecorator):\n    impl = sa.String\n    cache_ok = True\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    yield
    sys.modules.pop("mytypes", None)


def test_every_type_is_written_with_its_import(project: Project, mytypes: None) -> None:
    project.models("import enum, mytypes\n" + ALL_TYPES)
    text = project.autogenerate("all")
    assert "from alembic_cql import types as cql" in text
    assert "import mytypes" in text
    project.cli("upgrade", "head")  # in a process of its own: the file must bring its imports
    assert project.is_clean()
    project.downgrade("base")
    assert project.tables() == set()


def test_the_users_prefix_for_own_types_is_kept(project: Project, mytypes: None) -> None:
    project.configure("user_module_prefix='mine.'")
    project.models(
        "import mytypes\n" + table("sa.Column('p', mytypes.Price)", "sa.Column('q', cql.LIST(mytypes.Loud))")
    )
    text = project.autogenerate("a")
    assert "mine.Price(" in text
    assert "cql.LIST(mine.Loud(" in text
    assert "import mytypes" not in text


def test_a_naming_convention_is_no_difference(project: Project) -> None:
    project.models(
        """
        convention = {"ix": "ix_%(table_name)s_%(column_0_name)s", "pk": "pk_%(table_name)s"}
        metadata = sa.MetaData(naming_convention=convention)
        sa.Table("t", metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("v", sa.Text, index=True))
        """
    )
    text = project.autogenerate("a")
    assert "ix_t_v" in text
    project.upgrade()
    assert project.is_clean()
    project.downgrade("base")
    assert project.tables() == set()
