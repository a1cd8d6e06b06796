"""SELECT, INSERT, UPDATE, DELETE and simple ORM use, on a real server."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import (
    Column,
    Connection,
    Engine,
    Integer,
    MetaData,
    String,
    Table,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from alembic_cluster.errors import ConfigurationError, UnsupportedConstruct
from alembic_cql import UserType
from alembic_cql import types as cql
from tests.cql.oracle import engine_of
from tests.servers.fixtures import CassandraKeyspace

DAY = dt.date(2020, 1, 1)
ADDRESS = UserType("address", [("street", cql.TEXT()), ("No", cql.INT())])
METADATA = MetaData()
EVENTS = Table(
    "events",
    METADATA,
    Column("tenant", String, primary_key=True),
    Column("day", sa.Date, primary_key=True),
    Column("at", Integer, primary_key=True),
    Column("n", Integer),
    Column("tags", cql.SET(cql.TEXT)),
    Column("list", cql.LIST(cql.INT)),
    Column("map", cql.MAP(cql.TEXT, cql.INT)),
    Column("frozen", cql.FROZEN(cql.LIST(cql.INT))),
    Column("home", ADDRESS),
    Column("note", String, cql_static=True),
    cql_partition_key=["tenant", "day"],
    cql_clustering_order={"at": "DESC"},
)


def moment(at: int) -> dict[str, Any]:
    return {"tenant": "a", "day": DAY, "at": at, "n": at * 10, "tags": {"x", str(at)}, "map": {"k": at}, "list": [at]}


HERE = (EVENTS.c.tenant == "a") & (EVENTS.c.day == DAY)


class Base(DeclarativeBase):
    pass


class Account(Base):
    __tablename__ = "accounts"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    name: Mapped[str]
    age: Mapped[int | None]
    settings: Mapped[dict[str, str] | None] = mapped_column(cql.MAP(cql.TEXT, cql.TEXT))
    created: Mapped[dt.datetime] = mapped_column(default=lambda: dt.datetime(2020, 1, 1))


@pytest.fixture(scope="module")
def engine(keyspaces: Iterator[CassandraKeyspace]) -> Iterator[Engine]:
    """An engine on a keyspace with both tables."""
    with engine_of(next(keyspaces)) as engine:
        METADATA.create_all(engine)
        Base.metadata.create_all(engine)
        yield engine


@pytest.fixture
def connection(engine: Engine) -> Iterator[Connection]:
    """A connection; ``events`` has five rows of one partition."""
    with engine.connect() as connection:
        connection.execute(delete(EVENTS).where(HERE))
        connection.execute(insert(EVENTS), [moment(at) for at in range(5)])
        yield connection


def values(connection: Connection, statement: Any) -> list[Any]:
    return [row[0] if len(row) == 1 else tuple(row) for row in connection.execute(statement)]


C = EVENTS.c
SELECTS: dict[str, tuple[Any, list[Any]]] = {
    "clustering order": (select(C.at).where(HERE), [4, 3, 2, 1, 0]),
    "other order": (select(C.at).where(HERE).order_by(C.at), [0, 1, 2, 3, 4]),
    "order and limit": (select(C.at).where(HERE).order_by(C.at.asc()).limit(2), [0, 1]),
    "labels": (select(C.n.label("select"), C.at.label("At 1")).where(HERE, C.at == 1), [(10, 1)]),
    "range": (select(C.at).where(HERE, C.at > 1, C.at <= 3), [3, 2]),
    "between": (select(C.at).where(HERE, C.at.between(1, 2)), [2, 1]),
    "in": (select(C.at).where(C.tenant.in_(["a", "b"]), C.day == DAY, C.at.in_([1, 3, 9])), [3, 1]),
    "in nothing": (select(C.at).where(C.tenant.in_([]), C.day == DAY), []),
    "tuple in": (select(C.at).where(HERE, sa.tuple_(C.at).in_([(1,), (2,)])), [2, 1]),
    "tuple compared": (select(C.at).where(HERE, sa.tuple_(C.at) > sa.tuple_(sa.literal(2))), [4, 3]),
    "count": (select(func.count()).select_from(EVENTS).where(HERE), [5]),
    "count of a column": (select(func.count(C.n)).where(HERE), [5]),
    "functions": (select(func.max(C.n), func.min(C.at), func.sum(C.n)).where(HERE), [(40, 0, 100)]),
    "group by": (select(C.tenant, func.count()).where(HERE).group_by(C.tenant, C.day), [("a", 5)]),
    "token": (select(C.at).where(func.token(C.tenant, C.day) == func.token("a", DAY)).limit(1), [4]),
    "distinct": (select(C.tenant, C.day).where(HERE).distinct(), [("a", DAY)]),
    "filtering": (select(C.at).where(C.n == 30).suffix_with("ALLOW FILTERING"), [3]),
    "filtering with a limit": (select(C.at).where(C.n >= 30).limit(1).suffix_with("ALLOW FILTERING"), [4]),
    "per partition": (select(C.at).where(HERE).suffix_with("PER PARTITION LIMIT 2"), [4, 3]),
    "contains": (select(C.at).where(C.tags.contains("2")).suffix_with("ALLOW FILTERING"), [2]),
    "contains by op": (select(C.at).where(C.tags.op("CONTAINS")("2")).suffix_with("ALLOW FILTERING"), [2]),
    "contains a value": (select(C.at).where(C.map.contains(3)).suffix_with("ALLOW FILTERING"), [3]),
    "contains key": (select(C.at).where(HERE, C.map.contains_key("k")).limit(1).suffix_with("ALLOW FILTERING"), [4]),
    "element of a map": (select(C.map["k"]).where(HERE, C.at == 3), [3]),
    "element that equals": (select(C.at).where(C.map["k"] == 3).suffix_with("ALLOW FILTERING"), [3]),
    "arithmetic": (select(C.n + 1, C.n - C.at, C.n / 10).where(HERE, C.at == 1), [(11, 9, 1)]),
    "cast": (select(sa.cast(C.n, String)).where(HERE, C.at == 1), ["10"]),
    "constants": (select(sa.literal(1), sa.literal("x"), sa.literal(DAY)).where(HERE, C.at == 1), [(1, "x", DAY)]),
    "json": (select(C.n).prefix_with("JSON").where(HERE, C.at == 1), ['{"n": 10}']),
    "writetime of nothing": (select(func.writetime(C.frozen)).where(HERE, C.at == 1), [None]),
    "text": (sa.text("SELECT at FROM events WHERE tenant = :t AND day = :d AND at = 2").bindparams(t="a", d=DAY), [2]),
    "text with colons": (sa.text("SELECT at FROM events WHERE tenant = 'a\\:b' AND day = '2020-01-01'"), []),
    "fetch": (select(C.at).where(HERE).fetch(1), [4]),
    "limit bound later": (select(C.at).where(HERE).limit(sa.bindparam("rows", type_=Integer)).params(rows=1), [4]),
}  # fmt: skip


@pytest.mark.parametrize("case", SELECTS)
def test_select(connection: Connection, case: str) -> None:
    statement, wanted = SELECTS[case]
    assert values(connection, statement) == wanted
    if not isinstance(statement, sa.TextClause) and case != "limit bound later":
        text = statement.compile(dialect=connection.dialect, compile_kwargs={"literal_binds": True})
        found = [row[0] if len(row) == 1 else tuple(row) for row in connection.exec_driver_sql(str(text))]
        if case not in ("distinct", "constants"):  # dates are the driver's own here
            assert found == wanted


def test_now_is_the_servers(connection: Connection) -> None:
    found = values(
        connection, select(func.now(), func.current_timestamp(), func.current_date()).select_from(EVENTS).limit(1)
    )
    now = dt.datetime.now(dt.timezone.utc).replace(tzinfo=None)
    assert all(abs(now - moment) < dt.timedelta(minutes=5) for moment in found[0][:2])
    assert abs(now.date() - found[0][2]) <= dt.timedelta(days=1)


def one(connection: Connection, column: Any, at: int = 1) -> Any:
    return connection.execute(select(column).where(HERE, C.at == at)).scalar_one()


def change(connection: Connection, given: dict[Any, Any], at: int = 1, **options: Any) -> Any:
    statement = update(EVENTS).where(HERE, C.at == at).values(given)
    return connection.execute(statement.with_dialect_options(**options) if options else statement)


def test_updates_of_collections(connection: Connection) -> None:
    change(connection, {C.list: C.list + [2, 3]})  # noqa: RUF005  (an expression, not a list)
    assert one(connection, C.list) == [1, 2, 3]
    change(connection, {C.list: sa.literal([0], C.list.type) + C.list})
    assert one(connection, C.list) == [0, 1, 2, 3]
    change(connection, {C.list: C.list - [1, 3]})
    change(connection, {C.list[0]: 9})
    assert one(connection, C.list) == [9, 2]
    change(connection, {C.tags: C.tags + {"new"}})
    change(connection, {C.tags: C.tags - {"x"}})
    assert one(connection, C.tags) == {"1", "new"}
    change(connection, {C.map: C.map + {"l": 2, "m": 3}})
    change(connection, {C.map: C.map - {"k"}})
    change(connection, {C.map["m"]: 4, C.n: 11})
    assert one(connection, C.map) == {"l": 2, "m": 4}
    change(connection, {C.home: {"street": "s"}, C.frozen: [1]})
    change(connection, {C.home["No"]: 5})
    assert one(connection, C.home) == {"street": "s", "No": 5}
    assert one(connection, C.home["No"]) == 5
    change(connection, {C.list: [], C.tags: None, C.n: sa.null()})
    assert connection.execute(select(C.list, C.tags, C.n).where(HERE, C.at == 1)).one() == (None, None, None)
    with pytest.raises(NotImplementedError, match="no elements"):
        cql.VECTOR(cql.INT, 2).element_of(0)
    with pytest.raises(KeyError, match="no field 'nope'"):
        C.home["nope"]


def test_static_columns(connection: Connection) -> None:
    connection.execute(update(EVENTS).where(HERE).values(note="for all"))
    assert set(values(connection, select(C.note).where(HERE))) == {"for all"}


def test_deletes(connection: Connection) -> None:
    connection.execute(delete(EVENTS).where(HERE, C.at == 0))
    connection.execute(delete(EVENTS).where(HERE, C.at > 2))
    assert values(connection, select(C.at).where(HERE)) == [2, 1]
    connection.execute(delete(EVENTS).where(HERE))
    assert values(connection, select(C.at).where(HERE)) == []


def test_conditions_and_times(connection: Connection) -> None:
    row = {**moment(7), "tenant": "once"}
    there = (C.tenant == "once") & (C.day == DAY)
    connection.execute(delete(EVENTS).where(there))
    once = insert(EVENTS).with_dialect_options(cql_if_not_exists=True)
    assert connection.execute(once.values(row)).rowcount == 1
    assert connection.execute(once.values({**row, "n": 0})).rowcount == 0
    assert connection.execute(select(C.n).where(there)).scalar() == 70
    again = update(EVENTS).with_dialect_options(cql_if_exists=True)
    assert connection.execute(again.where(there, C.at == 7).values(n=1)).rowcount == 1
    assert connection.execute(again.where(there, C.at == 8).values(n=1)).rowcount == 0
    gone = delete(EVENTS).where(there, C.at == 7).with_dialect_options(cql_if_exists=True)
    assert [connection.execute(gone).rowcount for _ in range(2)] == [1, 0]
    change(connection, {C.n: 5}, cql_timestamp=1)  # older than what is there
    assert one(connection, C.n) == 10
    for seconds in (100, 1000):  # not the first one's text twice
        change(connection, {C.n: 6}, cql_ttl=seconds)
        assert seconds - 90 < one(connection, func.ttl(C.n)) <= seconds
    connection.execute(delete(EVENTS).where(HERE).with_dialect_options(cql_timestamp=1))
    assert one(connection, C.n) == 6
    both = insert(EVENTS).with_dialect_options(cql_ttl=60, cql_timestamp=5).values({**row, "tenant": "timed"})
    connection.execute(both)
    found = connection.execute(
        select(func.ttl(C.n), func.writetime(C.n)).where(C.tenant == "timed", C.day == DAY)
    ).one()
    assert 0 < found[0] <= 60
    assert found[1] == 5
    connection.execute(delete(EVENTS).where(C.tenant == "timed", C.day == DAY))
    for options in ({"cql_ttl": "soon"}, {"cql_ttl": -1}, {"cql_timestamp": 1.5}):
        with pytest.raises(ConfigurationError, match="takes a whole number"):
            change(connection, {C.n: 1}, **options)
    with pytest.raises(sa.exc.ArgumentError, match="cql_if_not_exist'"):
        insert(EVENTS).with_dialect_options(cql_if_not_exist=True)


def test_literals_of_a_whole_statement(connection: Connection) -> None:
    statement = update(EVENTS).where(HERE, C.at == 1).values({C.map: C.map + {"it's": 1}, C.tags: {"a'b"}})
    text = str(statement.compile(dialect=connection.dialect, compile_kwargs={"literal_binds": True}))
    connection.exec_driver_sql(text)
    assert connection.execute(select(C.map, C.tags).where(HERE, C.at == 1)).one() == ({"k": 1, "it's": 1}, {"a'b"})


other = Table("other", MetaData(), Column("k", Integer, primary_key=True))
REFUSED: dict[str, tuple[Any, str]] = {
    "OR": (select(C.n).where(sa.or_(C.n == 1, C.n == 2)), "no OR"),
    "NOT": (select(C.n).where(sa.not_(sa.func.token(C.tenant))), "no NOT"),
    "NOT IN": (select(C.n).where(C.n.not_in([1])), "no NOT IN"),
    "NOT BETWEEN": (select(C.n).where(sa.not_(C.n.between(1, 2))), "no NOT BETWEEN"),
    "IS NULL": (select(C.n).where(C.n.is_(None)), "no IS NULL"),
    "= None": (select(C.n).where(C.n == None), "no IS NULL"),  # noqa: E711
    "IS NOT NULL": (select(C.n).where(C.n.is_not(None)), "no IS NULL"),
    "ILIKE": (select(C.n).where(C.tenant.ilike("a%")), "no comparison of this kind"),
    "contains of text": (select(C.n).where(C.tenant.contains("a")), "no comparison of this kind"),
    "||": (select(C.tenant + "x"), r"no \|\|"),
    "parentheses": (select((C.n + 1) * 2), "no parentheses"),
    "JOIN": (select(EVENTS).join(other, other.c.k == C.n), "no JOIN"),
    "two tables": (select(C.n, other.c.k), "no SELECT from several tables"),
    "alias": (select(EVENTS.alias("e")), "no alias"),
    "sub-select": (select(C.n).where(C.n == select(func.max(C.n)).scalar_subquery()), "no sub-select"),
    "EXISTS": (select(C.n).where(sa.exists().where(C.n == 1)), "no sub-select"),
    "from a sub-select": (select(select(C.n).subquery().c.n), "no sub-select"),
    "UNION": (sa.union(select(C.n), select(C.n)), "no UNION"),
    "WITH": (select(select(C.n).cte("q").c.n), "no WITH"),
    "HAVING": (select(C.tenant).group_by(C.tenant).having(func.count() > 1), "no HAVING"),
    "OFFSET": (select(C.n).offset(1), "no OFFSET"),
    "window": (select(func.max(C.n).over()), "no window function"),
    "FILTER": (select(func.max(C.n).filter(C.n > 1)), "no FILTER"),
    "CASE": (select(sa.case((C.n == 1, 2))), "no CASE"),
    "EXTRACT": (select(sa.extract("year", C.day)), "no EXTRACT"),
    "COLLATE": (select(C.n).order_by(C.tenant.collate("de")), "no COLLATE"),
    "NULLS LAST": (select(C.n).order_by(C.at.nulls_last()), "no NULLS FIRST or LAST"),
    "count distinct": (select(func.count(C.n.distinct())), "no DISTINCT inside"),
    "FOR UPDATE": (select(C.n).with_for_update(), "no FOR UPDATE"),
    "no table": (select(sa.literal(1)), "no SELECT without FROM"),
    "VALUES": (select(sa.values(sa.column("a", Integer), name="v").data([(1,)])), "no VALUES"),
    "INSERT of rows": (insert(EVENTS).values([moment(1), moment(2)]), "no INSERT of several rows"),
    "INSERT SELECT": (insert(EVENTS).from_select(["tenant"], select(C.tenant)), "no INSERT from a SELECT"),
    "INSERT RETURNING": (insert(EVENTS).values(moment(1)).returning(C.n), "no RETURNING"),
    "UPDATE RETURNING": (update(EVENTS).where(HERE).values(n=1).returning(C.n), "no RETURNING"),
    "DELETE RETURNING": (delete(EVENTS).where(HERE).returning(C.n), "no RETURNING"),
    "UPDATE of all": (update(EVENTS).values(n=1), "no UPDATE of a whole table"),
    "DELETE of all": (delete(EVENTS), "no DELETE of a whole table"),
    "UPDATE of two": (update(EVENTS).where(C.n == other.c.k).values(n=1), "no UPDATE with a second table"),
    "DELETE of two": (delete(EVENTS).where(C.n == other.c.k), "no DELETE with a second table"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_cql_lacks_is_refused(connection: Connection, case: str) -> None:
    statement, message = REFUSED[case]
    with pytest.raises(UnsupportedConstruct, match=message) as caught:
        connection.execute(statement)
    assert str(caught.value).endswith("; nothing was sent")
    assert values(connection, select(func.count()).select_from(EVENTS).where(HERE)) == [5]


def test_no_savepoints(connection: Connection) -> None:
    with pytest.raises(UnsupportedConstruct, match="no SAVEPOINT"):
        connection.begin_nested()


# ------------------------------------------------------------------------------------------------- ORM


def test_orm(engine: Engine) -> None:
    with Session(engine) as session:
        ann, bob = Account(name="ann", age=1, settings={"a": "b"}), Account(name="bob")
        session.add_all([ann, bob])
        session.commit()
        ann_id, bob_id = ann.id, bob.id
    with Session(engine) as session:
        found = session.get(Account, ann_id)
        assert found is not None
        assert (found.name, found.age, found.settings, found.created) == ("ann", 1, {"a": "b"}, dt.datetime(2020, 1, 1))
        assert session.get(Account, uuid.uuid4()) is None
        names = session.scalars(select(Account.name).where(Account.id.in_([ann_id, bob_id]))).all()
        assert sorted(names) == ["ann", "bob"]
        found.name, found.settings = "anna", None
        session.commit()
        session.refresh(found)
        assert (found.name, found.age, found.settings) == ("anna", 1, None)
        session.merge(Account(id=bob_id, name="robert"))
        session.execute(update(Account).where(Account.id == ann_id).values(age=2))
        session.commit()
        assert session.scalars(select(Account.age).where(Account.id == ann_id)).one() == 2
        bob = session.scalars(select(Account).where(Account.id == bob_id)).one()
        assert bob.name == "robert"
        session.delete(bob)
        session.commit()
        assert session.get(Account, bob_id) is None
        rows = [{"id": uuid.uuid4(), "name": f"bulk {number}"} for number in range(3)]
        session.execute(insert(Account), rows)
        session.execute(update(Account), [{"id": row["id"], "age": 5} for row in rows])
        session.execute(delete(Account).where(Account.id == rows[0]["id"]))
        session.commit()
        left = session.execute(select(Account.name, Account.age).where(Account.id.in_([row["id"] for row in rows])))
        assert sorted(map(tuple, left)) == [("bulk 1", 5), ("bulk 2", 5)]
