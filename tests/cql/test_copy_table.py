"""``op.copy_table`` on a real server: every type, write times and times to live, repeating it, ending half-way."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from alembic_cluster.errors import CopyFailed
from alembic_cql import copying
from alembic_cql import types as cql
from tests.cql.oracle import engine_of
from tests.cql.project import Project
from tests.cql.type_cases import CASES


def run(project: Project, name: str, upgrade: str) -> None:
    project.revision(name, upgrade)
    project.upgrade()


def rows(project: Project, columns: str, table: str) -> list[str]:
    found = project.keyspace.execute(f"SELECT {columns} FROM {project.keyspace.name}.{table}")
    return sorted(str(tuple(row)) for row in found)


def test_every_type_comes_over_as_it_is(project: Project) -> None:
    metadata = sa.MetaData()
    cases = [case for case in CASES if repr(case[1]) != "nan" and not isinstance(case[0], cql.COUNTER)]
    columns = [sa.Column(f"c{number}", case[0]) for number, case in enumerate(cases)]
    first = sa.Table("a", metadata, sa.Column("id", sa.Integer, primary_key=True), *columns)
    second = first.to_metadata(metadata, name="b")
    with engine_of(project.keyspace) as engine, engine.begin() as connection:
        metadata.create_all(connection)
        for number, case in enumerate(cases):
            connection.execute(first.insert().values({"id": number, f"c{number}": case[1]}))
        run(project, "copy", "op.copy_table('a', 'b')")
        before, after = ({row[0]: row for row in connection.execute(sa.select(table))} for table in (first, second))
        assert after.keys() == before.keys() == set(range(len(cases)))
        assert {number: row for number, row in after.items() if row != before[number]} == {}


TABLE = "CREATE TABLE {} (p int, c int, s text STATIC, v text, w text, l list<int>, n set<int>, PRIMARY KEY (p, c))"


@pytest.fixture
def tables(project: Project) -> Project:
    for name in ("a", "b"):
        project.keyspace.execute(TABLE.format(f"{project.keyspace.name}.{name}"))
    return project


def send(project: Project, cql: str) -> None:
    project.keyspace.execute(cql.replace(" ks.", f" {project.keyspace.name}."))


def test_write_times_and_times_to_live_are_kept(tables: Project) -> None:
    send(tables, "INSERT INTO ks.a (p, c, v) VALUES (1, 1, 'x') USING TIMESTAMP 1000 AND TTL 5000")
    send(tables, "UPDATE ks.a USING TIMESTAMP 2000 SET w = 'y' WHERE p = 1 AND c = 1")
    send(tables, "UPDATE ks.a USING TIMESTAMP 3000 AND TTL 9000 SET s = 'z', n = {1, 2} WHERE p = 1 AND c = 1")
    send(tables, "UPDATE ks.a USING TIMESTAMP 4000 SET s = 'alone' WHERE p = 2")
    send(tables, "INSERT INTO ks.a (p, c) VALUES (3, 3)")
    run(tables, "copy", "op.copy_table('a', 'b')")
    assert rows(tables, "p, c, s, v, w, l, n", "b") == rows(tables, "p, c, s, v, w, l, n", "a")
    times = "p, c, WRITETIME(v), WRITETIME(w), WRITETIME(s), WRITETIME(n)"
    assert rows(tables, times, "b") == rows(tables, times, "a")
    lives = tables.keyspace.execute(f"SELECT TTL(v), TTL(w), TTL(s) FROM {tables.keyspace.name}.b WHERE p = 1")[0]
    assert 4000 < lives[0] <= 5000
    assert lives[1] is None
    assert 8000 < lives[2] <= 9000


def test_copying_again_changes_nothing_and_newer_values_stay(tables: Project) -> None:
    send(tables, "INSERT INTO ks.a (p, c, v, w, l) VALUES (1, 1, 'old', 'old', [1, 2])")
    send(tables, "INSERT INTO ks.a (p, c, v) VALUES (1, 2, 'goes')")
    run(tables, "copy", "op.copy_table('a', 'b')")
    send(tables, "UPDATE ks.b SET v = 'newer', l = l + [3] WHERE p = 1 AND c = 1")
    send(tables, "DELETE FROM ks.b WHERE p = 1 AND c = 2")
    send(tables, "UPDATE ks.a SET w = 'later' WHERE p = 1 AND c = 1")
    send(tables, "INSERT INTO ks.a (p, c, l) VALUES (2, 1, [7, 7])")
    for again in ("twice", "thrice"):
        run(tables, again, "op.copy_table('a', 'b')")
        assert rows(tables, "p, c, v, w, l", "b") == [
            "(1, 1, 'newer', 'later', [1, 2, 3])",
            "(2, 1, None, None, [7, 7])",
        ]


def test_counters_become_equal_however_often(project: Project) -> None:
    for name in ("a", "b"):
        send(project, f"CREATE TABLE ks.{name} (p int, q int, n counter, m counter, PRIMARY KEY (p, q))")
    for number in range(5):
        send(project, f"UPDATE ks.a SET n = n + {number}, m = m - 1 WHERE p = {number} AND q = 1")
    for again in ("once", "twice"):
        run(project, again, "op.copy_table('a', 'b')")
        assert rows(project, "*", "b") == rows(project, "*", "a")
    send(project, "CREATE TABLE ks.c (p int PRIMARY KEY, n counter)")
    with pytest.raises(CopyFailed, match="column 'q' of the key would be lost"):
        run(project, "fewer", "op.copy_table('a', 'c')")


def test_a_copy_that_is_ended_half_way_is_done_by_copying_again(
    tables: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(300):
        send(tables, f"INSERT INTO ks.a (p, c, v) VALUES ({number}, 1, 'x')")
    whole = copying._Copier._copy_range
    seen = []

    def broken(copier: Any, bounds: Any) -> int:
        seen.append(bounds)
        if len(seen) == copying.RANGES // 2:
            raise KeyboardInterrupt
        return whole(copier, bounds)

    tables.revision("copy", "op.copy_table('a', 'b')")
    with monkeypatch.context() as patch:
        patch.setattr(copying._Copier, "_copy_range", broken)
        with pytest.raises(KeyboardInterrupt):
            tables.upgrade()
    assert 0 < len(rows(tables, "p", "b")) < 300
    assert tables.heads_or_none() == set()
    tables.upgrade()
    assert rows(tables, "p, c, v", "b") == rows(tables, "p, c, v", "a")


def test_a_row_without_a_value_for_the_new_key_is_named(project: Project) -> None:
    send(project, "CREATE TABLE ks.a (p int PRIMARY KEY, v text)")
    send(project, "CREATE TABLE ks.b (p int, v text, PRIMARY KEY (p, v))")
    send(project, "INSERT INTO ks.a (p) VALUES (7)")
    with pytest.raises(CopyFailed, match=r"the row p=7 of table 'a' has no value for 'v'.*copy again"):
        run(project, "copy", "op.copy_table('a', 'b')")
    (file,) = project.versions.glob("copy.py")
    file.write_text(file.read_text().replace("'b')", "'b', fill={'v': 'none'})"))
    project.upgrade()
    assert rows(project, "p, v", "b") == ["(7, 'none')"]


def test_names_that_need_quotes_and_columns_of_other_names(project: Project) -> None:
    send(project, 'CREATE TABLE ks."A b" ("Key; DROP" int PRIMARY KEY, "order" text)'.replace("A b", "Ab"))
    send(project, 'CREATE TABLE ks."select" ("Key; DROP" int PRIMARY KEY, "No ""1""" text)')
    send(project, """INSERT INTO ks."Ab" ("Key; DROP", "order") VALUES (1, 'x')""")
    run(project, "copy", """op.copy_table('Ab', 'select', columns={'No "1"': 'order'})""")
    assert rows(project, "*", '"select"') == ["(1, 'x')"]


REFUSED = {
    "op.copy_table('a', 'nothing')": "there is no table 'nothing'",
    "op.copy_table('a', 'b', columns={'x': 'v'})": "'b' has no column 'x'",
    "op.copy_table('a', 'b', columns={'v': 'x'})": "'a' has no column 'x'",
    "op.copy_table('a', 'd')": r"column 'v' is text and 'v' is map<int, int>: say how, convert=\{'v': function\}",
}


def test_what_cannot_be_copied_is_refused_before_anything_is_sent(tables: Project) -> None:
    send(tables, "CREATE TABLE ks.d (p int, c int, v map<int, int>, PRIMARY KEY (p, c))")
    for number, (operation, message) in enumerate(REFUSED.items()):
        file = tables.revision(f"r{number}", f"op.execute('CREATE TABLE made (id int PRIMARY KEY)')\n{operation}")
        if "nothing" in operation:
            file.write_text(file.read_text().replace("op.execute('CREATE TABLE made (id int PRIMARY KEY)')", "pass"))
        with pytest.raises(CopyFailed, match=message):
            tables.upgrade()
        assert "made" not in tables.tables()
        file.unlink()
