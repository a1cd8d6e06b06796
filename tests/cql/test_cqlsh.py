"""``--sql`` of every kind of object, run from an empty keyspace: by our splitter and the bare driver, and by cqlsh.

cqlsh is the one that ``CQLSH`` names, else the one on PATH; ``scripts/nightly`` installs it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from alembic_cql.splitting import split_cql
from tests.cql.project import Project, describe
from tests.servers.fixtures import CassandraKeyspace

TOP = r'''
import datetime, decimal, ipaddress, uuid
from alembic_cql import UserType
NASTY = "it's; a \"comment\" -- not; $$ /* none */ // größer \\ ? %s :x {x} %%\nUSE system;\n\tHELP\n😀"
kinds = sa.Table(
    "kinds", sa.MetaData(), sa.Column("kind", sa.Text(), primary_key=True), sa.Column("n", sa.Numeric),
    sa.Column("b", cql.BLOB()), sa.Column("u", sa.Uuid), sa.Column("at", sa.DateTime(timezone=True)),
    sa.Column("day", sa.Date), sa.Column("l", cql.LIST(cql.TEXT())), sa.Column("m", cql.MAP(cql.TEXT(), cql.INT())),
    sa.Column("f", cql.DOUBLE), sa.Column("ip", cql.INET()), sa.Column("yes", sa.Boolean),
    sa.Column("v", cql.VECTOR(cql.FLOAT(), 2)), sa.Column("tm", cql.TIME()), sa.Column("d", cql.DURATION()),
)
'''
OBJECTS = (
    r"""
    op.create_type(UserType("Place", [('say "so"', cql.TEXT()), ("lat", cql.DOUBLE())]))
    op.create_type(UserType("trip", [("from", cql.FROZEN(UserType("Place"))), ("days", cql.SET(cql.DATE()))]))
    op.create_table(
        "Order", sa.Column("k", sa.Uuid), sa.Column("at", cql.TIMESTAMP), sa.Column("it's; DROP", sa.Text),
        sa.Column("s", sa.Text, cql_static=True), sa.Column("p", cql.FROZEN(UserType("trip"))),
        sa.Column("m", cql.MAP(cql.TEXT(), cql.INT())), sa.Column("v", cql.VECTOR(cql.FLOAT(), 3)),
        sa.Column("n", sa.Numeric), sa.Column("secret", cql.TEXT(), cql_masked="DEFAULT"),
        sa.PrimaryKeyConstraint("k", "at"), comment=NASTY, cql_clustering_order={"at": "DESC"},
        cql_gc_grace_seconds=60, cql_compaction={"class": "LeveledCompactionStrategy"}, cql_caching={"keys": "NONE"},
    )
    op.create_index("By_Text", "Order", ["it's; DROP"])
    op.create_index("by_number", "Order", ["n"], cql_using="sai")
    op.create_index("by_entry", "Order", ["m"], cql_target="entries", cql_using="sai")
    op.create_index("by_vector", "Order", ["v"], cql_using="sai", cql_options={"similarity_function": "euclidean"})
    op.create_function("Add", [("state", cql.INT()), ("v", cql.INT())], cql.INT(),
                       'String s = "it\'s;"; // end;\n return state + (v == null ? 0 : v);', called_on_null_input=True)
    op.create_aggregate("Total", [cql.INT()], "Add", cql.INT(), initcond=0)
    op.create_materialized_view(
        "by_time", "Order", "k IS NOT NULL AND at IS NOT NULL", ["at"], {"k": "DESC"}, columns=["k", "at", "n"],
        comment="it's; a view", options={"gc_grace_seconds": 5})
    """,
    """
    op.drop_materialized_view("by_time")
    op.drop_aggregate("Total", [cql.INT()])
    op.drop_function("Add", [cql.INT(), cql.INT()])
    op.drop_table("Order")
    op.drop_type("trip")
    op.drop_type("Place")
    """,
)
ROWS = (
    r"""
    op.create_table("kinds", *[column._copy() for column in kinds.columns])
    op.bulk_insert(kinds, [
        {"kind": NASTY, "n": decimal.Decimal("1E-5"), "b": b"\x00'", "u": uuid.UUID(int=7), "l": ["a;b", "it's"],
         "at": datetime.datetime(2026, 1, 2, 3, 4, 5, 678000, datetime.timezone.utc), "day": datetime.date(2026, 2, 3),
         "m": {"k;'": 1}, "f": float("inf"), "ip": ipaddress.ip_address("::1"), "yes": True, "v": [0.5, -1.0]},
        {"kind": "plain"},
    ])
    op.execute(kinds.update().where(kinds.c.kind == "plain").values(n=decimal.Decimal("3.50")))
    op.execute('''
        -- a comment; with 'quotes
        INSERT INTO "Order" (k, at, "it's; DROP", s) VALUES
            (00000000-0000-0000-0000-000000000001, '2026-01-02 03:04:05+0000', 'x;y''z', $$it's; "$ $$);
        BEGIN BATCH
            INSERT INTO kinds (kind, f) VALUES ('batch;', 1.5); /* ; ' */
            DELETE FROM kinds WHERE kind = 'nothing';
        APPLY BATCH;
        INSERT INTO kinds (kind, d) VALUES ('lwt', 1h2m) IF NOT EXISTS;  // done;
        UPDATE kinds SET f = 2 WHERE kind = 'lwt' IF EXISTS
    ''')
    """,
    "op.drop_table('kinds')",
)
CHANGES = (
    """
    op.alter_table_options("Order", {"gc_grace_seconds": 3600, "compression": {"enabled": False}})
    op.create_table_comment("kinds", NASTY)
    op.add_column("kinds", sa.Column("More; things", cql.SET(cql.FROZEN(cql.TUPLE(cql.INT(), cql.TEXT())))))
    op.drop_index("By_Text", table_name="Order")
    op.alter_column("kinds", "kind", new_column_name="Kind")
    op.alter_type("Place", add=[("lon", cql.DOUBLE())], rename={"lat": "latitude"})
    op.alter_column_mask("Order", "secret", None)
    """,
    """
    op.alter_column_mask("Order", "secret", "DEFAULT")
    op.alter_type("Place", rename={"latitude": "lat"})
    op.alter_column("kinds", "Kind", new_column_name="kind")
    op.create_index("By_Text", "Order", ["it's; DROP"])
    op.drop_column("kinds", "More; things")
    op.drop_table_comment("kinds")
    """,
)


@pytest.fixture(scope="module")
def project(keyspaces: Iterator[CassandraKeyspace], tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project with a revision of objects, one of rows, one of changes; applied by the server itself."""
    project = Project(Path(tmp_path_factory.mktemp("cqlsh")), next(keyspaces))
    project.revision("a", *OBJECTS, top=TOP)
    project.revision("b", *ROWS, top=TOP)
    project.revision("c", *CHANGES, top=TOP)
    project.upgrade()
    return project


def by_the_driver(script: str, keyspace: CassandraKeyspace, folder: Path) -> None:
    for statement in split_cql(script):
        keyspace.execute(statement)


def by_cqlsh(script: str, keyspace: CassandraKeyspace, folder: Path) -> None:
    program = os.environ.get("CQLSH") or shutil.which("cqlsh")
    if program is None:
        pytest.skip("there is no cqlsh: CQLSH names none, and none is on PATH")
    file = folder / "script.cql"
    file.write_text(script, encoding="utf-8")
    cluster = keyspace.cluster
    login = ["-u", cluster.user, "-p", cluster.password or ""] if cluster.user is not None else []
    ran = subprocess.run(
        [program, *login, "--encoding", "utf-8", "-k", keyspace.name, "-f", str(file),
         "--request-timeout", "60", cluster.hosts[0], str(cluster.port)],
        capture_output=True, text=True, timeout=200, check=False, env={**os.environ, "HOME": str(folder)},
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert ran.stderr == ""


@pytest.mark.parametrize("run", [by_the_driver, by_cqlsh])
def test_a_script_makes_what_the_run_makes(
    project: Project,
    cassandra_keyspace: CassandraKeyspace,
    tmp_path: Path,
    run: Callable[[str, CassandraKeyspace, Path], None],
) -> None:
    run(project.upgrade(sql=True), cassandra_keyspace, tmp_path)
    assert describe(cassandra_keyspace, without=()) == describe(project.keyspace, without=())
    for query in ('SELECT * FROM "Order"', "SELECT * FROM kinds", "SELECT scope, version_num FROM alembic_version"):
        rows = [[str(row) for row in keyspace.execute(query)] for keyspace in (cassandra_keyspace, project.keyspace)]
        assert rows[0] == rows[1], query
        assert rows[0]
    run(project.downgrade("c:base", sql=True), cassandra_keyspace, tmp_path)
    assert [name for _, name, _ in describe(cassandra_keyspace)] == [""]
    heads = "SELECT version_num FROM alembic_version WHERE scope = 'heads' AND version_num > ''"
    assert cassandra_keyspace.execute(heads) == []
