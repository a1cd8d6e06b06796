"""What a real server prints of its objects is printed again as it was, and makes the same objects again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest

from alembic_crdb.catalog import CANONICAL, ObjectName, Table
from alembic_crdb.catalog_objects import CompositeType, EnumType, Script, Sequence, View
from alembic_crdb.expressions import equivalent, quote_type_names
from alembic_crdb.lexer import quote_name
from alembic_crdb.parser import parse_rows, parse_type, to_sql
from tests.cockroachdb.definitions import DEFINITIONS
from tests.servers.cockroach import CockroachCluster
from tests.servers.fixtures import CockroachDatabase

STORED: dict[str, Any] = json.loads(
    (Path(__file__).parents[1] / "unit" / "crdb" / "stored_expressions.json").read_text(encoding="utf-8")
)

OBJECTS: Final = (
    "CREATE SCHEMA sc",
    "CREATE TYPE status AS ENUM ('a', 'b''c', e'x\\ny', 'é')",
    "CREATE TYPE sc.\"Odd Type\" AS ENUM ('A')",
    "CREATE SEQUENCE sq START 5 INCREMENT BY 3 MINVALUE 1 MAXVALUE 1000",
    "CREATE SEQUENCE sc.down INCREMENT -1",
    "CREATE TABLE parent (a INT, b INT, c STRING, PRIMARY KEY (a, b), UNIQUE (b), UNIQUE INDEX (c DESC))",
    """CREATE TABLE child (
        id INT PRIMARY KEY DEFAULT nextval('sq'), a INT, b INT,
        INDEX (a, b), FOREIGN KEY (a, b) REFERENCES parent MATCH FULL ON DELETE CASCADE ON UPDATE SET NULL,
        FOREIGN KEY (b) REFERENCES parent (b) ON DELETE SET DEFAULT ON UPDATE RESTRICT)""",
    """CREATE TABLE sc."We ird" (
        id INT PRIMARY KEY, "Big" TEXT, "timestamp" TIMESTAMP, "select" INT, né INT, "q""q" INT,
        s status, t sc."Odd Type"[], u sc."Odd Type" DEFAULT 'A', index_ INT, CHECK ("Big" != ')'))""",
    """CREATE TABLE types (
        a INT2, b INT4, c INT8, d FLOAT4, e FLOAT8, f STRING(10), g VARCHAR(5), h CHAR(4), i "char", j NAME,
        k DECIMAL(10), l DECIMAL(10,2), m BYTES, n BIT(4), o VARBIT(7), p DATE, q TIME(3), r TIMETZ(2),
        s TIMESTAMP(3), t TIMESTAMPTZ(0), u INTERVAL(3), v INTERVAL DAY TO SECOND(3), w INTERVAL YEAR, x JSONB,
        y UUID, z INET, aa INT[], ab VARCHAR(10)[], ac STRING COLLATE en, ad STRING(10) COLLATE en_US,
        ae GEOMETRY(POINT, 4326), af GEOGRAPHY(LINESTRING, 4326), ag BOX2D, ah OID, ai REGCLASS, aj GEOMETRY)""",
    'CREATE TABLE families (a INT PRIMARY KEY, b INT, c INT, FAMILY f1 (a, c), FAMILY "F 2" (b))',
    "CREATE TABLE no_key (a INT, b INT, CONSTRAINT odd CHECK (a IN (1, 2) OR b IS NULL))",
    "CREATE TABLE computed (a INT PRIMARY KEY, b INT AS (a + 1) STORED, c INT NOT NULL DEFAULT 5)",
    """CREATE TABLE indexed (
        a INT PRIMARY KEY, b INT, c INT, j JSONB, g GEOMETRY, s STRING,
        INDEX (b DESC, c) STORING (s) WHERE c > 0, UNIQUE INDEX u (c) WHERE b IS NOT NULL AND s = 'x',
        INVERTED INDEX (j), INVERTED INDEX geo (g) WITH (s2_max_level = 15, geometry_min_x = -1.5))""",
    "CREATE TABLE cities (city STRING, id INT, PRIMARY KEY (city, id)) PARTITION BY LIST (city) ("
    "PARTITION eu VALUES IN ('rome', 'paris'), PARTITION us VALUES IN ('new york') PARTITION BY RANGE (id) ("
    "PARTITION low VALUES FROM (MINVALUE) TO (5), PARTITION high VALUES FROM (5) TO (MAXVALUE)))",
    "CREATE VIEW v AS SELECT a, b AS \"B\" FROM parent WHERE c = ';'",
    "CREATE VIEW sc.w (x) AS SELECT count(*) FROM child GROUP BY (a, b)",
    "COMMENT ON TABLE parent IS 'it''s; a table'",
    "COMMENT ON COLUMN parent.a IS e'two\\nlines'",
    "COMMENT ON INDEX child_a_b_idx IS 'index'",
)


def _try(database: CockroachDatabase, sql: str) -> bool:
    """Run a statement that some version may refuse: a feature that is not there yet, or needs a licence."""
    try:
        database.execute(sql)
    except Exception:
        return False
    return True


def _printed(database: CockroachDatabase) -> list[str]:
    """Give the CREATE statements of a database, by what its version offers."""
    try:
        rows = database.execute("SHOW CREATE ALL TYPES") + database.execute("SHOW CREATE ALL TABLES")
    except Exception:
        rows = database.execute(
            "SELECT create_statement FROM crdb_internal.create_type_statements UNION ALL SELECT * FROM ("
            f"SELECT create_statement FROM ({DEFINITIONS}) ORDER BY descriptor_id)"
        )
    return [row[0] for row in rows]


@pytest.fixture
def filled(cockroach_database: CockroachDatabase) -> CockroachDatabase:
    made = [sql for sql in OBJECTS if _try(cockroach_database, sql)]
    assert len(made) >= len(OBJECTS) - 3
    return cockroach_database


def test_what_a_server_prints_is_printed_again(filled: CockroachDatabase) -> None:
    rows = _printed(filled)
    assert len(rows) > 12
    for row in rows:
        script = parse_rows([row])
        assert to_sql(script) == row
        assert parse_rows([to_sql(script, CANONICAL)]) == script
    whole = parse_rows(rows)
    assert {type(statement) for statement in whole} >= {Table, View, Sequence, EnumType}


def test_its_own_virtual_tables_are_printed_again(cockroach_database: CockroachDatabase) -> None:
    try:
        rows = cockroach_database.execute("SELECT create_statement FROM crdb_internal.create_statements")
    except Exception as error:
        pytest.skip(f"crdb_internal is closed: {error}")
    assert len(rows) > 100
    assert [row[0] for row in rows if to_sql(parse_rows([row[0]])) != row[0]] == []


def test_what_was_read_makes_the_same_objects(filled: CockroachDatabase, cockroach: CockroachCluster) -> None:
    rows = [row.replace(f"{filled.name}.", "") for row in _printed(filled)]
    script = parse_rows(rows)
    names = [statement.name for statement in script if isinstance(statement, EnumType | CompositeType)]
    name = cockroach.create_database()
    copy = CockroachDatabase(name, cockroach.url(name), cockroach)
    try:
        copy.execute("CREATE SCHEMA IF NOT EXISTS sc")
        for statement in sorted(script, key=_order):
            copy.execute(quote_type_names(to_sql(statement, CANONICAL), names).replace("%", "%%"))
        again = parse_rows([row.replace(f"{name}.", "") for row in _printed(copy)])
    finally:
        cockroach.drop_database(name)
    assert set(again) == set(script)


def _order(statement: Any) -> int:
    kinds = (EnumType, Sequence, Table, View)
    if isinstance(statement, Table) and statement.foreign_keys:
        return len(kinds) - 1
    return next((place for place, kind in enumerate(kinds) if isinstance(statement, kind)), len(kinds))


COLUMNS: Final = """id INT PRIMARY KEY, a INT, b INT, d DECIMAL, f FLOAT, s STRING, t STRING, bo BOOL, ts TIMESTAMP,
    tz TIMESTAMPTZ, dt DATE, iv INTERVAL, u UUID, st status, j JSONB, arr INT[], "A" INT, "select" INT,
    "Weird Col" STRING, by2 BYTES, inn INET, bi BIT(3), tt TIME, vc VARCHAR(20), ch CHAR(5)"""


def test_what_it_stores_of_expressions_is_what_models_say(cockroach_database: CockroachDatabase) -> None:
    cockroach_database.execute("CREATE TYPE status AS ENUM ('a', 'b')")
    cockroach_database.execute("CREATE SCHEMA sc")
    cockroach_database.execute("CREATE TYPE sc.\"Odd Type\" AS ENUM ('A')")
    cockroach_database.execute("CREATE SEQUENCE sq")
    # One table with all of them, or one each where a version refuses some.
    conditions = dict(enumerate(pair["model"] for pair in STORED["checks"]))
    checks = [f"CONSTRAINT k{number} CHECK ({text})" for number, text in conditions.items()]
    if not _try(cockroach_database, f"CREATE TABLE checks ({', '.join((COLUMNS, *checks))})"):
        cockroach_database.execute(f"CREATE TABLE checks ({COLUMNS})")
        for check in checks:
            _try(cockroach_database, f"ALTER TABLE checks ADD {check}")
    defaults = dict(enumerate((pair["type"], pair["model"]) for pair in STORED["defaults"]))
    columns = [f"c{number} {kind} DEFAULT {text}" for number, (kind, text) in defaults.items()]
    if not _try(cockroach_database, f"CREATE TABLE defaults ({', '.join(('id INT PRIMARY KEY', *columns))})"):
        cockroach_database.execute("CREATE TABLE defaults (id INT PRIMARY KEY)")
        for column in columns:
            _try(cockroach_database, f"ALTER TABLE defaults ADD COLUMN {column}")
    tables = _tables(parse_rows(_printed(cockroach_database)))
    checked = {check.name: check.expression for check in tables["checks"].checks}
    assert len(checked) > len(conditions) * 3 // 4
    different = [
        (conditions[int(name[1:])], stored)
        for name, stored in checked.items()
        if name is not None and not equivalent(conditions[int(name[1:])], stored)
    ]
    defaulted = {column.name: column for column in tables["defaults"].columns if column.name != "id"}
    assert len(defaulted) > len(defaults) * 3 // 4
    for number, (kind, text) in defaults.items():
        column = defaulted.get(f"c{number}")
        if column is not None and not equivalent(text, column.default, parse_type(kind)):
            different.append((text, str(column.default)))
    assert different == []


def _tables(script: Script) -> dict[str, Table]:
    return {statement.name.name: statement for statement in script if isinstance(statement, Table)}


def test_every_keyword_is_quoted_where_the_server_does(cockroach_database: CockroachDatabase) -> None:
    words = [row[0] for row in cockroach_database.execute("SELECT word FROM pg_get_keywords()")]
    assert len(words) > 300
    columns = ", ".join(f'"{word}" INT8' for word in words)
    cockroach_database.execute(f"CREATE TABLE words ({columns})")
    printed = cockroach_database.execute("SHOW CREATE TABLE words")[0][1]
    quoted = {word for word in words if f'\t"{word}" INT8' in printed}
    assert quoted == {word for word in words if quote_name(word) != word} - _quoted_by_other_versions(quoted)
    table = parse_rows([printed]).statements[0]
    assert isinstance(table, Table)
    assert table.name == ObjectName("words", "public")
    assert [column.name for column in table.columns if column.name != "rowid"] == words


def _quoted_by_other_versions(quoted: set[str]) -> set[str]:
    other = {"index", "nothing", "visible", "inout", "setof", "vector", "role", "reset", "set", "tenant"}
    return other - quoted
