"""Functions and aggregates on a real server: models, create_all, reflection, autogenerate both ways."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from alembic_cluster.errors import InvalidModel
from alembic_cql import AggregateDefinition, FunctionDefinition, reflect_keyspace
from alembic_cql import types as cql
from alembic_cql.schema import keyspace_objects
from tests.cql.oracle import another_keyspace, engine_of, pending
from tests.cql.project import Project, body, describe
from tests.cql.test_autogenerate import both_ways
from tests.servers.fixtures import CassandraKeyspace

TABLE = "sa.Table('t', metadata, sa.Column('id', sa.Integer, primary_key=True), sa.Column('v', sa.Text))\n"
IMPORT = "from alembic_cql import AggregateDefinition, FunctionDefinition\n"


def model(*lines: str) -> str:
    return IMPORT + TABLE + "\n".join(lines)


BODY = "throw new RuntimeException();"  # compiles, whatever is returned


def function(name: str, arguments: str = "[('a', cql.INT)]", returns: str = "cql.INT", more: str = "") -> str:
    return f"FunctionDefinition({name!r}, metadata, {arguments}, {returns}, {BODY!r}{more})"


STATE = "[('state', cql.TUPLE(cql.INT, cql.BIGINT)), ('v', cql.INT)]"
SUM = function("st", STATE, "cql.FROZEN(cql.TUPLE(cql.INT, cql.BIGINT))", ", called_on_null_input=True")
FINAL = function("fin", "[('state', cql.TUPLE(cql.INT, cql.BIGINT))]", "cql.DOUBLE")
AVERAGE = "AggregateDefinition('average', metadata, [cql.INT], 'st', cql.TUPLE(cql.INT, cql.BIGINT){more})"

CHANGES = {
    "a function added": (model(), model(function("f")), ["create_function('f', [('a', cql.INT())], cql.INT()"]),
    "a body changed": (
        model(function("f")),
        model(function("f").replace("throw", "int $ = 1; throw")),
        ["replace=True", "int $ = 1"],
    ),
    "a body with every quote": (
        model(function("f")),
        model(function("f").replace(repr(BODY), repr('String s = "$$ it\'s"; ;\n    return 1;'))),
        ["replace=True"],
    ),
    "the name of an argument": (model(function("f")), model(function("f", "[('B', cql.INT)]")), ["('B', cql.INT())"]),
    "an argument's type": (
        model(function("f")),
        model(function("f", "[('a', cql.BIGINT)]")),
        ["drop_function('f', [cql.INT()])", "create_function('f',[('a', cql.BIGINT())]"],
    ),
    "the result": (
        model(function("f")),
        model(function("f", returns="cql.LIST(cql.TEXT)")),
        ["drop_function('f', [cql.INT()])", "cql.LIST(cql.TEXT())"],
    ),
    "what happens on null": (
        model(function("f")),
        model(function("f", more=", called_on_null_input=True")),
        ["drop_function", "called_on_null_input=True"],
    ),
    "an overload": (
        model(function("f")),
        model(
            function("f"),
            function("f", "[]"),
            function("f", "[('a', cql.TEXT), ('b', cql.INT)]"),
            function("f", "[('a', cql.COUNTER)]", "cql.COUNTER"),
        ),
        ["[('a', cql.TEXT()), ('b', cql.INT())]", "[('a', cql.COUNTER())],cql.COUNTER(),"],
    ),
    "user types": (
        model("u = UserType('u', [('x', cql.INT)], metadata)"),
        model(
            "u = UserType('u', [('x', cql.INT)], metadata)",
            "w = UserType('w', [('y', cql.FROZEN(u))])",
            function(
                "f", "[('a', w), ('b', cql.LIST(cql.FROZEN(w))), ('c', cql.FROZEN(cql.MAP(cql.INT, cql.INT)))]", "w"
            ),
        ),
        ["cql.UserType('w'", "create_function('f'"],
    ),
    "names to quote": (
        model(),
        model(function("Select Of", "[('Table', cql.INT)]")),
        ["create_function('Select Of',[('Table', cql.INT())]"],
    ),
    "an aggregate": (
        model(),
        model(SUM, FINAL, AVERAGE.format(more=", finalfunc='fin', initcond='( 0,0 )'")),
        ["create_aggregate(", "finalfunc='fin'"],
    ),
    "the start of an aggregate": (
        model(SUM, AVERAGE.format(more=", initcond=(0, 0)")),
        model(SUM, AVERAGE.format(more=", initcond=(0, 1)")),
        ["initcond='(0, 1)'", "replace=True"],
    ),
    "the end of an aggregate": (
        model(SUM, FINAL, AVERAGE.format(more="")),
        model(SUM, FINAL, AVERAGE.format(more=", finalfunc='fin'")),
        ["drop_aggregate('average', [cql.INT()])", "finalfunc='fin'"],
    ),
    "a function under an aggregate": (
        model(SUM, FINAL, AVERAGE.format(more=", finalfunc='fin'")),
        model(SUM, FINAL.replace("DOUBLE", "INT"), AVERAGE.format(more=", finalfunc='fin'")),
        ["drop_aggregate('average'", "drop_function('fin'", "create_function('fin'", "create_aggregate("],
    ),
    "all gone": (
        model("u = UserType('u', [('x', cql.INT)], metadata)", function("f", "[('a', u)]", "u"), SUM, FINAL)
        + "\n"
        + AVERAGE.format(more=", finalfunc='fin'"),
        model(),
        ["drop_aggregate('average'", "drop_function('st'", "drop_type('u')"],
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_runs_both_ways(project: Project, change: str) -> None:
    old, new, wanted = CHANGES[change]
    upgrade, downgrade = both_ways(project, old, new)
    written = upgrade.replace("\n", "")
    for text in wanted:
        assert text in written
    assert upgrade != downgrade != ""
    assert "'t'" not in upgrade + downgrade


def test_a_keyspace_is_made_again_from_its_reflection(cassandra_keyspace: CassandraKeyspace) -> None:
    metadata = sa.MetaData()
    address = cql.UserType("address", [("city", cql.TEXT)])
    FunctionDefinition("city", metadata, {"a": cql.FROZEN(address)}, cql.TEXT, 'return a == null ? null : "x";')
    FunctionDefinition("city", metadata, {"a": address, "n": cql.INT}, cql.TEXT, BODY, called_on_null_input=True)
    FunctionDefinition("longest", metadata, {"state": cql.TEXT, "v": cql.TEXT}, cql.TEXT, "return v;")
    AggregateDefinition("longest_of", metadata, [cql.TEXT], "longest", cql.TEXT, initcond="' '")
    sa.Table("t", metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("a", cql.FROZEN(address)))
    with engine_of(cassandra_keyspace) as engine:
        metadata.create_all(engine)
        metadata.create_all(engine)
        with engine.connect() as connection:
            reflected = reflect_keyspace(connection)
            row = connection.exec_driver_sql("INSERT INTO t (id, a) VALUES (1, {city: 'Ulm'})")
            row = connection.exec_driver_sql("SELECT city(a), longest_of(cast(id AS text)) FROM t").one()
            assert tuple(row) == ("x", "1")
        objects = keyspace_objects(reflected)
        assert sorted(item.name for item in objects.definitions) == ["city", "city", "longest", "longest_of"]
        assert pending(cassandra_keyspace, metadata) == pending(cassandra_keyspace, reflected) == []
        with another_keyspace(cassandra_keyspace) as second, engine_of(second) as other:
            reflected.create_all(other)
            assert describe(second) == describe(cassandra_keyspace)
        metadata.drop_all(engine)
        assert {kind for kind, _, _ in describe(cassandra_keyspace)} == {"keyspace"}


def test_filters_of_the_environment_are_kept(project: Project) -> None:
    for statement in (
        "CREATE FUNCTION theirs (a int, b int) CALLED ON NULL INPUT RETURNS int LANGUAGE java AS $$return a;$$",
        "CREATE AGGREGATE theirs_too (int) SFUNC theirs STYPE int",
    ):
        project.keyspace.execute(statement)
    project.models("")
    assert {item[0] for item in project.differences()} == {"remove_function", "remove_aggregate"}
    project.configure("include_name=lambda name, kind, parents: not str(name).startswith('theirs')")
    assert project.is_clean()


def test_two_metadata_and_a_replaced_function_in_the_log(project: Project) -> None:
    project.models(model(function("f")))
    project.autogenerate("a")
    project.upgrade()
    project.keyspace.execute(
        "CREATE OR REPLACE FUNCTION f (a int) RETURNS NULL ON NULL INPUT RETURNS int LANGUAGE java AS $$ return 5; $$"
    )
    text = project.autogenerate("b")
    assert "return 5;" in body(text, "downgrade")
    assert BODY in body(text, "upgrade")


BAD = {
    "a language that is not there": (
        function("f", more=", language='javascript'"),
        "no functions in 'javascript'.*java",
    ),
    "no body": (function("f").replace(BODY, " "), "has no body"),
    "two arguments of one name": (function("f", "[('a', cql.INT), ('a', cql.INT)]"), "two of its arguments"),
    "counters in a list": (function("f", "[('a', cql.LIST(cql.COUNTER))]"), "counters cannot be inside other types"),
    "twice": (function("f") + "\n" + function("f", returns="cql.TEXT"), r"f\(int\) twice"),
    "a name with a quote": (function('f"; DROP'), "without double quotes"),
    "an argument's name": (function("f", "[('a; b', cql.INT)]"), "argument 'a; b'"),
    "no such function": (
        function("st") + "\nAggregateDefinition('x', metadata, [cql.INT], 'st', cql.INT)",
        r"sfunc must be st\(int, int\)",
    ),
    "a state of another type": (
        function("st", "[('s', cql.TEXT), ('v', cql.INT)]")
        + "\nAggregateDefinition('x', metadata, [cql.INT], 'st', cql.TEXT, initcond=\"''\")",
        "returns int, not the stype text",
    ),
    "a start that is none": (
        function("st", "[('s', cql.INT), ('v', cql.INT)]")
        + "\nAggregateDefinition('x', metadata, [cql.INT], 'st', cql.INT, initcond={'a': 1})",
        "no value of its stype",
    ),
    "a start that the server misreads": (
        function("st", "[('s', cql.TEXT), ('v', cql.INT)]", "cql.TEXT")
        + "\nAggregateDefinition('x', metadata, [cql.INT], 'st', cql.TEXT, initcond=\"'it''s'\")",
        "a quote in it",
    ),
    "no start": (
        function("st", "[('s', cql.INT), ('v', cql.INT)]")
        + "\nAggregateDefinition('x', metadata, [cql.INT], 'st', cql.INT)",
        r"x\(int\) needs an initcond",
    ),
    "what only ScyllaDB has": (
        function("st", "[('s', cql.INT), ('v', cql.INT)]")
        + "\nAggregateDefinition('x', metadata, [cql.INT], 'st', cql.INT, reducefunc='st')",
        "only ScyllaDB has reducefunc",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_what_no_server_holds_is_refused(project: Project, case: str) -> None:
    text, message = BAD[case]
    project.models(model(text))
    with pytest.raises(InvalidModel, match=message + ".*nothing was sent"):
        project.run("check")
    assert {kind for kind, name, _ in describe(project.keyspace)} == {"keyspace"}
