"""Autogenerate on a real server: what can't be changed, or can't be held, is refused and no file is written."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from alembic.util import CommandError

from alembic_cluster.errors import ImpossibleChange
from tests.cql.models import table
from tests.cql.project import Project

VIEW = "MaterializedView('w', metadata, 't', 'c IS NOT NULL AND k IS NOT NULL', ['c'], ['k'])\n"
IMPOSSIBLE = {
    "type": (
        table("sa.Column('x', sa.Integer)"),
        table("sa.Column('x', sa.Text)"),
        "column 'x': the model has text, the database int",
    ),
    "frozen": (
        table("sa.Column('x', cql.LIST(cql.INT))"),
        table("sa.Column('x', cql.FROZEN(cql.LIST(cql.INT)))"),
        "the model has frozen<list<int>>, the database list<int>",
    ),
    "static": (
        table("sa.Column('x', sa.Integer)"),
        table("sa.Column('x', sa.Integer, cql_static=True)"),
        "column 'x': the model has it static",
    ),
    "clustering order": (
        table(),
        table("cql_clustering_order={'c': 'DESC'}"),
        r"the model has PRIMARY KEY \(k, c DESC\)",
    ),
    "partition key": (table(), table("cql_partition_key=['k', 'c']"), r"the model has PRIMARY KEY \(\(k, c\)\)"),
    "longer key": (table(), table("sa.Column('d', sa.Integer, primary_key=True)"), r"PRIMARY KEY \(k, c ASC, d ASC\)"),
    "a view whose table goes": (
        table() + VIEW,
        "sa.Table('u', metadata, sa.Column('id', sa.Integer, primary_key=True))\n" + VIEW,
        "materialized view 'w' is made from table 't', which the model has not",
    ),
    "a view of nothing": (
        table(),
        table() + VIEW.replace("'t'", "'none'"),
        "materialized view 'w' is made from table 'none', which the model has not",
    ),
    "user type": (
        "u = UserType('u', [('a', cql.INT)], metadata)" + table("sa.Column('w', cql.FROZEN(u))"),
        "u = UserType('u', [('a', cql.TEXT)], metadata)" + table("sa.Column('w', cql.FROZEN(u))"),
        "field 'a': the model has text, the database int.*put new fields last",
    ),
    "field in front": (
        "u = UserType('u', [('a', cql.INT)], metadata)" + table("sa.Column('w', cql.FROZEN(u))"),
        "u = UserType('u', [('b', cql.INT), ('a', cql.INT)], metadata)" + table("sa.Column('w', cql.FROZEN(u))"),
        "the model has the fields b, a, the database a.*put new fields last",
    ),
    "column of a user type": (
        "u = UserType('u', [('a', cql.INT)], metadata)" + table("sa.Column('w', u)"),
        "u = UserType('u', [('a', cql.INT)], metadata)" + table(),
        "column 'w' of table 't' is of a user type that is not frozen",
    ),
}


@pytest.mark.parametrize("case", IMPOSSIBLE)
def test_what_no_statement_can_change_is_refused_and_no_file_written(project: Project, case: str) -> None:
    old, new, message = IMPOSSIBLE[case]
    project.models(old)
    project.autogenerate("begin")
    project.upgrade()
    project.models(new)
    with pytest.raises(ImpossibleChange, match=message) as caught:
        project.autogenerate("never")
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith("no revision was written")
    assert not list(project.versions.glob("never*"))
    with pytest.raises(ImpossibleChange, match=message):
        project.run("check")


def test_a_counter_that_was_dropped_cannot_come_back(project: Project) -> None:
    hits = "sa.Table('hits', metadata, sa.Column('id', sa.Integer, primary_key=True), sa.Column('n', cql.COUNTER){})"
    project.models(hits.format(", sa.Column('m', cql.COUNTER)"))
    project.autogenerate("a")
    project.upgrade()
    project.models(hits.format(""))
    project.autogenerate("b")
    project.upgrade()
    with pytest.raises(
        Exception, match=r"'m' of table 'hits' cannot be added.*counter.*nothing of this revision was sent"
    ):
        project.downgrade("-1")
    assert project.heads() == {"b"}
    project.models(hits.format(", sa.Column('m', cql.COUNTER)"))
    assert "# WARNING: the server refuses this column 'm' of table 'hits'" in project.autogenerate("c")
    with pytest.raises(Exception, match=r"'m' of table 'hits' cannot be added.*nothing of this revision was sent"):
        project.upgrade()


REFUSED_MODELS = {
    "no primary key": ("sa.Table('x', metadata, sa.Column('id', sa.Integer))", "'x' has no primary key"),
    "foreign key": (table("sa.Column('o', sa.Integer, sa.ForeignKey('other.id'))"), r"foreign key \(table 't', o\)"),
    "unique": (table("sa.Column('o', sa.Integer, unique=True)"), r"unique constraint \(table 't', o\)"),
    "unique index": (table("sa.Index('i', 'v', unique=True)"), r"unique index \(index 'i'\)"),
    "check": (table("sa.CheckConstraint('v > 1', name='positive')"), r"check constraint \(table 't', positive\)"),
    "default": (table("sa.Column('d', sa.Integer, server_default='1')"), r"column default \(table 't', column 'd'\)"),
    "computed": (table("sa.Column('d', sa.Integer, sa.Computed('v'))"), r"computed column \(table 't', column 'd'\)"),
    "identity": (table("sa.Column('d', sa.Integer, sa.Identity())"), r"identity column \(table 't', column 'd'\)"),
    "index on two": (table("sa.Index('i', 'v', 'c')"), "index on several columns"),
    "unknown type": (table("sa.Column('d', sa.dialects.postgresql.HSTORE)"), "HSTORE"),
    "no type": (table("sa.Column('d')"), "type"),
    "bad option": (table("cql_gc_grace_seconds='soon'"), "gc_grace_seconds takes seconds, not 'soon'"),
    "unknown option": (table("cql_gc_grace='1'"), "gc_grace"),
    "counter beside": (table("sa.Column('d', cql.COUNTER)"), "mixes counters"),
    "static key": (table("sa.Column('d', sa.Integer, primary_key=True, cql_static=True)"), "'d' cannot be static"),
    "view without key": (
        table() + "MaterializedView('mv', metadata, 't', 'k IS NOT NULL', ['v'], ['k'])",
        "materialized view 'mv': its primary key lacks 'c'",
    ),
    "view of two": (
        table("sa.Column('w', sa.Integer)")
        + "MaterializedView('mv', metadata, 't', 'k IS NOT NULL', ['v'], ['w', 'k', 'c'])",
        "has v and w; only one",
    ),
    "view of a static": (
        table("sa.Column('s', sa.Integer, cql_static=True)")
        + "MaterializedView('mv', metadata, 't', 'k IS NOT NULL', ['k'], ['c'])",
        "cannot hold 's', which is static",
    ),
    "view of nothing": (
        table() + "MaterializedView('mv', metadata, 't', 'k IS NOT NULL', ['k'], ['c'], columns=['zzz'])",
        "has no column 'zzz'",
    ),
}


def test_models_that_the_database_cannot_hold_are_refused(project: Project) -> None:
    for case, (model, message) in REFUSED_MODELS.items():
        project.models("import sqlalchemy.dialects.postgresql\n" + model)
        error = CommandError if case != "unknown option" else sa.exc.ArgumentError
        with pytest.raises(error, match=message):
            project.autogenerate(f"never {case}")
        assert not list(project.versions.glob("never*"))
    assert project.tables() == set()
