"""alembic_cql.impl: what a revision's operations do on a real server."""

from __future__ import annotations

import pytest

from alembic_cluster.errors import StatementFailed, UnsupportedConstruct
from tests.cql.models import CREATE
from tests.cql.project import Project, describe


def statement(project: Project, kind: str, name: str) -> str:
    """Give the server's own statement of one object."""
    return next(text for found, its, text in describe(project.keyspace) if (found, its.strip('"')) == (kind, name))


def run(project: Project, upgrade: str, downgrade: str = "pass", name: str = "a") -> None:
    project.revision(name, upgrade, downgrade)
    project.upgrade()
    assert project.heads() == {name}


def test_tables_are_created_with_all_they_have(project: Project) -> None:
    run(project, CREATE, "op.drop_table('t')")
    text = statement(project, "table", "t")
    for part in (
        "s text static",
        "PRIMARY KEY (k, c, d)",
        "CLUSTERING ORDER BY (c DESC, d ASC)",
        "comment = 'it''s a table'",
        "gc_grace_seconds = 3600",
    ):
        assert part in text
    project.downgrade("base")
    assert project.tables() == set()


def test_if_exists_and_if_not_exists(project: Project) -> None:
    run(
        project,
        """
        one = sa.Column("id", sa.Integer, primary_key=True)
        op.create_table("one", one, sa.Column("v", sa.Text), if_not_exists=True)
        op.create_table("one", sa.Column("id", sa.Integer, primary_key=True), if_not_exists=True)
        op.add_column("one", sa.Column("w", sa.Text), if_not_exists=True)
        op.add_column("one", sa.Column("w", sa.Text), if_not_exists=True)
        op.create_index("one_w", "one", ["w"], if_not_exists=True)
        op.create_index("one_w", "one", ["w"], if_not_exists=True)
        op.drop_index("one_w", "one", if_exists=True)
        op.drop_index("one_w", "one", if_exists=True)
        op.drop_column("one", "w", if_exists=True)
        op.drop_column("one", "w", if_exists=True)
        op.drop_table("two", if_exists=True)
        """,
    )
    assert project.tables() == {"one"}


def test_columns_are_added_dropped_and_renamed(project: Project) -> None:
    run(
        project,
        CREATE
        + """
op.add_column("t", sa.Column("n", cql.LIST(cql.FROZEN(cql.TUPLE(cql.INT, cql.TEXT)))))
op.add_column("t", sa.Column("New Static", sa.Date, cql_static=True))
op.add_column("t", sa.Column("i", sa.Text, index=True))
op.drop_column("t", "v")
op.alter_column("t", "c", new_column_name="Renamed C")
op.alter_column("t", "k", new_column_name="k2", existing_type=sa.Integer(), existing_nullable=False)
""",
    )
    text = statement(project, "table", "t")
    for part in ("n list<frozen<tuple<int, text>>>", '"New Static" date static', 'PRIMARY KEY (k2, "Renamed C", d)'):
        assert part in text
    assert "v text" not in text
    assert "(i)" in statement(project, "index", "ix_t_i")


def test_options_and_comments_change(project: Project) -> None:
    run(
        project,
        CREATE
        + """
op.alter_table_options("t", {"compaction": {"class": "LeveledCompactionStrategy"}, "cdc": True, "comment": "one's own"})
op.create_table_comment("t", "a 'new' comment", existing_comment="one's own")
""",
        "op.drop_table_comment('t')\nop.alter_table_options('t', {'cdc': False, 'gc_grace_seconds': 5})",
    )
    text = statement(project, "table", "t")
    for part in ("LeveledCompactionStrategy", "cdc = true", "comment = 'a ''new'' comment'", "gc_grace_seconds = 3600"):
        assert part in text
    project.downgrade("base")
    text = statement(project, "table", "t")
    for part in ("cdc = false", "comment = ''", "gc_grace_seconds = 5"):
        assert part in text


def test_every_kind_of_index(project: Project) -> None:
    run(
        project,
        """
        op.create_table(
            "t", sa.Column("id", sa.Integer, primary_key=True), sa.Column("Plain Text", sa.Text),
            *(sa.Column(f"m{n}", cql.MAP(cql.TEXT, cql.INT)) for n in range(4)),
            sa.Column("f", cql.FROZEN(cql.SET(cql.INT))), sa.Column("e", cql.VECTOR(cql.FLOAT, 3)),
            sa.Column("w", sa.Text), sa.Index("inline", "w"),
        )
        op.create_index("Quoted", "t", ["Plain Text"])
        op.create_index("bare", "t", ["m0"])
        op.create_index("keys", "t", ["m1"], cql_target="keys")
        op.create_index("entries", "t", ["m2"], cql_target="entries")
        op.create_index("vals", "t", ["m3"], cql_target="VALUES")
        op.create_index("full_set", "t", ["f"], cql_target="full")
        op.create_index("ann", "t", ["e"], cql_using="sai", cql_options={"similarity_function": "dot_product"})
        op.create_index("sasi", "t", ["w"], cql_using="org.apache.cassandra.index.sasi.SASIIndex",
                        cql_options={"mode": "CONTAINS", "case_sensitive": False})
        """,
        """
        for name in ("Quoted", "bare", "keys", "entries", "vals", "full_set", "ann", "sasi", "inline"):
            op.drop_index(name, table_name="t")
        """,
    )
    found = {name.strip('"'): text for kind, name, text in describe(project.keyspace) if kind == "index"}
    for name, part in {
        "Quoted": '("Plain Text")', "bare": "values(m0)", "keys": "keys(m1)", "entries": "entries(m2)", "vals": "(m3)",
        "full_set": "full(f)", "ann": "'similarity_function': 'dot_product'", "sasi": "'mode': 'CONTAINS'",
        "inline": "(w)",
    }.items():  # fmt: skip
        assert part in found[name]
    project.downgrade("base")
    assert not [name for kind, name, _ in describe(project.keyspace) if kind == "index"]


def test_user_types_and_views(project: Project) -> None:
    run(
        project,
        """
        op.create_type(cql.UserType("Address", [("street", cql.TEXT()), ("Zip Code", cql.INT())]))
        op.alter_type("Address", add=[("phones", cql.FROZEN(cql.SET(cql.TEXT))), ("x", cql.INT)])
        op.alter_type("Address", rename={"Zip Code": "zip", "x": "Y"})
        op.create_table("t", sa.Column("id", sa.Integer, primary_key=True), sa.Column("v", sa.Integer),
                        sa.Column("a", cql.FROZEN(cql.UserType("Address"))))
        op.create_materialized_view("ByV", "t", "v IS NOT NULL AND id IS NOT NULL", ["v"], {"id": "desc"},
                                    columns=["a"], comment="by v", options={"gc_grace_seconds": 60})
        op.alter_materialized_view_options("ByV", {"gc_grace_seconds": 61, "comment": "it's by v"})
        """,
        "op.drop_materialized_view('ByV')\nop.drop_table('t')\nop.drop_type('Address')",
    )
    text = statement(project, "type", "Address")
    for part in ("street text", "zip int", "phones frozen<set<text>>", '"Y" int'):
        assert part in text
    view = statement(project, "materialized_view", "ByV")
    for part in ("SELECT", "CLUSTERING ORDER BY (id DESC)", "gc_grace_seconds = 61", "comment = 'it''s by v'"):
        assert part in view
    project.downgrade("base")
    assert {kind for kind, _, _ in describe(project.keyspace)} == {"keyspace"}


def test_batch_alter_table_alters(project: Project) -> None:
    run(
        project,
        CREATE
        + """
with op.batch_alter_table("t") as batch:
    batch.add_column(sa.Column("n", sa.Integer))
    batch.drop_column("v")
    batch.create_index("t_n", ["n"])
    batch.alter_column("c", new_column_name="c2")
    batch.create_table_comment("batched")
with op.batch_alter_table("t") as batch:
    batch.drop_index("t_n")
""",
    )
    text = statement(project, "table", "t")
    assert "n int" in text
    assert "v text" not in text
    assert "PRIMARY KEY (k, c2, d)" in text
    assert "comment = 'batched'" in text


TEXTS = [
    "INSERT INTO t (k, v) VALUES (1, 'a :x of 100% ? it''s -- no comment')",
    "INSERT INTO t (k, v) VALUES (2, $$it's :here; %s ?$$)",
    "INSERT INTO t (k, v, m) VALUES (3, ':1', {'replication_factor':1, 'b':2})",
    "BEGIN BATCH INSERT INTO t (k, v) VALUES (4, 'x;y'); UPDATE t SET v = 'z' WHERE k = 5; APPLY BATCH",
    "INSERT INTO t (k, v) VALUES (6, 'lwt') IF NOT EXISTS",
    "UPDATE t SET v = 'lwt2' WHERE k = 6 IF v = 'lwt'",
    "/* a comment */ INSERT INTO t (k, v) VALUES (7, '//') -- at the end",
    "INSERT INTO t (k, v) VALUES (8, 'eight');\nINSERT INTO t (k, v) VALUES (9, 'nine');\n-- the end",
    "DELETE FROM t WHERE k = 5;",
]
ROWS = {
    1: "a :x of 100% ? it's -- no comment", 2: "it's :here; %s ?", 3: ":1", 4: "x;y", 6: "lwt2", 7: "//", 8: "eight",
    9: "nine",
}  # fmt: skip


def test_any_cql_is_executed_as_it_stands(project: Project) -> None:
    create = "CREATE TABLE t (k int PRIMARY KEY, v text, m map<text, int>) WITH caching = {'keys':'NONE'}"
    run(project, "\n".join(f"op.execute({text!r})" for text in [create, *TEXTS]))
    assert dict(project.rows("SELECT k, v FROM t")) == ROWS
    assert project.rows("SELECT m FROM t WHERE k = 3") == [({"replication_factor": 1, "b": 2},)]


def test_text_with_parameters_and_core_statements(project: Project) -> None:
    run(
        project,
        r"""
        t = op.create_table("t", sa.Column("k", sa.Integer, primary_key=True), sa.Column("v", sa.Text),
                            sa.Column("m", cql.MAP(cql.TEXT, cql.INT)))
        op.execute(sa.text("INSERT INTO t (k, v) VALUES (:k, :v)").bindparams(k=1, v="it's :one"))
        op.execute(sa.text(r"INSERT INTO t (k, m) VALUES (2, {'a'\:1})"))
        op.execute(t.insert().values(k=3, v="three", m={"x": 3}))
        op.execute(t.update().where(t.c.k == 3).values(v="drei"))
        op.execute(t.delete().where(t.c.k == 2))
        op.get_bind().execute(t.insert(), [{"k": 4, "v": "four"}, {"k": 5, "v": "five"}])
        found = {row.k: row.v for row in op.get_bind().execute(sa.select(t.c.k, t.c.v))}
        for k, v in found.items():
            op.get_bind().execute(sa.text("UPDATE t SET v = :v WHERE k = :k"), {"k": k, "v": v + "!"})
        """,
    )
    assert dict(project.rows("SELECT k, v FROM t")) == {1: "it's :one!", 3: "drei!", 4: "four!", 5: "five!"}


def test_what_the_server_refuses_says_what_stays(project: Project) -> None:
    project.revision("a", CREATE + "op.execute('INSERT INTO nowhere (a) VALUES (1)')")
    with pytest.raises(
        StatementFailed, match=r"Revision a, upgrade\(\), line \d+ of a.py: Cassandra refused statement 2: .*nowhere"
    ):
        project.upgrade()
    assert project.tables() == {"t"}
    assert project.heads() == set()


def test_a_revision_may_catch_what_the_server_refuses(project: Project) -> None:
    run(
        project,
        """
        try:
            op.drop_table("nowhere")
        except sa.exc.ProgrammingError:
            op.create_table("somewhere", sa.Column("id", sa.Integer, primary_key=True))
        """,
    )
    assert project.tables() == {"somewhere"}


def test_the_drivers_session_is_reached_once(project: Project) -> None:
    run(
        project,
        """
        op.execute("CREATE TABLE hits (id int PRIMARY KEY, n counter)")
        session = op.get_bind().connection.dbapi_connection.session
        session.execute("UPDATE hits SET n = n + 1 WHERE id = 1")
        """,
    )
    assert project.rows("SELECT n FROM hits WHERE id = 1") == [(1,)]


def test_what_goes_by_the_connection_itself(project: Project) -> None:
    project.revision(
        "a",
        """
        shared = sa.MetaData()
        kind = cql.FROZEN(cql.UserType("kind", [("a", cql.INT)]))
        key = sa.Column("id", sa.Integer, primary_key=True)
        sa.Table("made", shared, key, sa.Column("k", kind), sa.Index("i", "k"))
        shared.create_all(op.get_bind())
        Base.metadata.create_all(op.get_bind())
        with op.get_context().autocommit_block():
            op.add_column("made", sa.Column("e", sa.Enum("a", "b", name="ab", create_constraint=True)))
        with op.get_context().begin_transaction():
            op.execute(sa.DDL("CREATE TABLE by_ddl (id int PRIMARY KEY) WITH caching = {'keys':'NONE'}"))
        with Session(op.get_bind()) as session:
            session.add_all([Row(id=1, v="one"), Row(id=2, v="two")])
            session.commit()
            session.get(Row, 1).v = "eins"
            session.delete(session.get(Row, 2))
            session.commit()
        won = op.get_bind().execute(sa.text("INSERT INTO rows (id) VALUES (:id) IF NOT EXISTS"), {"id": 9}).scalar()
        op.execute(sa.insert(Row.__table__).values(id=10, v=str(won)))
        """,
        top="""
        from sqlalchemy.orm import Session, declarative_base
        Base = declarative_base()
        class Row(Base):
            __tablename__ = "rows"
            id = sa.Column(sa.Integer, primary_key=True, autoincrement=False)
            v = sa.Column(sa.String)
        """,
    )
    project.upgrade()
    assert project.tables() == {"made", "rows", "by_ddl"}
    assert dict(project.rows("SELECT id, v FROM rows")) == {1: "eins", 9: None, 10: "True"}


def test_a_savepoint_is_refused_before_anything_is_sent(project: Project) -> None:
    project.revision("a", CREATE + "op.get_bind().begin_nested()")
    with pytest.raises(UnsupportedConstruct, match=r"(?i)savepoint"):
        project.upgrade()
    assert project.tables() == set()
