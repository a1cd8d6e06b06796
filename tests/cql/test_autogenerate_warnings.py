"""Autogenerate on a real server: what a revision destroys or the server will refuse stands above the operation."""

from __future__ import annotations

import re

import pytest

from alembic_cluster.errors import UnsupportedOperation
from tests.cql.models import table
from tests.cql.project import Project, body, describe

VIEW = "MaterializedView('mv', metadata, 't', 'k IS NOT NULL AND c IS NOT NULL AND y IS NOT NULL', ['y'], ['k', 'c'])\n"


def comments(revision: str, function: str) -> str:
    """Give the comments of a revision's function as one text."""
    found = re.search(rf"def {function}\(\).*?\n(.*?)(?=\ndef |\Z)", revision, re.S)
    assert found is not None
    return " ".join(line.strip()[2:] for line in found[1].splitlines() if line.strip().startswith("# "))


def begin(project: Project, model: str) -> None:
    project.models(model)
    project.autogenerate("begin")
    project.upgrade()


def test_a_dropped_column_and_table(project: Project) -> None:
    gone = "sa.Table('gone', metadata, sa.Column('id', sa.Integer, primary_key=True))\n"
    begin(project, table("sa.Column('x', sa.Integer)") + gone)
    project.models(table())
    text = project.autogenerate("change")
    up, down = comments(text, "upgrade"), comments(text, "downgrade")
    assert "WARNING: this deletes what column 'x' of table 't' holds, in all rows; a downgrade brings it back" in up
    assert "WARNING: this deletes table 'gone' with all its rows" in up
    assert "Column 'x' of table 't' comes back empty." in down
    assert "Table 'gone' comes back empty." in down
    assert "WARNING" not in down
    project.upgrade()
    assert project.is_clean()
    project.downgrade("-1")


def test_what_only_adds_has_no_warning(project: Project) -> None:
    begin(project, table())
    project.models(table("sa.Column('x', sa.Integer)", "cql_gc_grace_seconds=60"))
    text = project.autogenerate("change")
    assert "WARNING" not in text


@pytest.mark.parametrize(
    ("now", "says", "works"),
    [
        ("cql.TEXT", "the server refuses this column 'x' of table 't': a column of that name was dropped", False),
        ("cql.BLOB", "column 'x' of table 't' was dropped as varint. It comes back as blob, without", True),
        ("cql.VARINT", "", True),
    ],
)
def test_a_column_that_comes_back(project: Project, now: str, says: str, works: bool) -> None:
    begin(project, table("sa.Column('x', cql.VARINT)"))
    project.models(table())
    project.autogenerate("without")
    project.upgrade()
    project.models(table(f"sa.Column('x', {now})"))
    text = project.autogenerate("again")
    assert "op.add_column('t', sa.Column('x'" in body(text, "upgrade")
    if says:
        assert f"WARNING: {says}" in comments(text, "upgrade")
    else:
        assert "WARNING" not in comments(text, "upgrade")
    if works:
        project.upgrade()
        assert project.is_clean()
    else:
        before = describe(project.keyspace)
        with pytest.raises(UnsupportedOperation, match="nothing of this revision was sent"):
            project.upgrade()
        assert describe(project.keyspace) == before


def test_a_column_dropped_under_a_view_has_the_view_made_anew(project: Project) -> None:
    old = table("sa.Column('x', sa.Integer)", "sa.Column('y', sa.Integer)") + VIEW
    begin(project, old)
    before = describe(project.keyspace)
    project.keyspace.execute(f"INSERT INTO {project.keyspace.name}.t (k, c, y) VALUES (uuid(), 1, 7)")
    new = table("sa.Column('y', sa.Integer)") + VIEW.replace("'c'])", "'c'], options={'gc_grace_seconds': 60})")
    project.models(new)
    text = project.autogenerate("change")
    assert "WARNING: materialized view 'mv' is dropped and made anew from all rows of table 't'" in comments(
        text, "upgrade"
    )
    project.upgrade()
    assert project.is_clean()
    project.downgrade("-1")
    assert describe(project.keyspace) == before


def test_a_column_added_under_a_view_can_be_dropped_again(project: Project) -> None:
    old = table("sa.Column('y', sa.Integer)") + VIEW.replace("'c'])", "'c'], options={'gc_grace_seconds': 60})")
    begin(project, old)
    before = describe(project.keyspace)
    project.models(table("sa.Column('y', sa.Integer)", "sa.Column('x', sa.Integer)") + VIEW)
    text = project.autogenerate("change")
    assert "drop" not in body(text, "upgrade")
    assert "WARNING: materialized view 'mv' is dropped and made anew" in comments(text, "downgrade")
    project.upgrade()
    assert project.is_clean()
    project.downgrade("-1")
    assert describe(project.keyspace) == before


def test_a_view_that_is_defined_otherwise(project: Project) -> None:
    begin(project, table("sa.Column('y', sa.Integer)") + VIEW)
    project.models(table("sa.Column('y', sa.Integer)") + VIEW.replace("['k', 'c']", "['c', 'k']"))
    text = project.autogenerate("change")
    assert "WARNING: materialized view 'mv' is dropped and made anew" in comments(text, "upgrade")


@pytest.mark.parametrize(
    ("before", "now", "says"),
    [
        (0, 60, "rows of table 't' that are written from now on go after 60 s; those that are there keep"),
        (3600, 60, "rows of table 't' that are written from now on go after 60 s instead of 3600 s"),
        (60, 3600, None),
        (60, 0, None),
    ],
)
def test_a_shorter_time_to_live(project: Project, before: int, now: int, says: str | None) -> None:
    begin(project, table(f"cql_default_time_to_live={before}"))
    project.models(table(f"cql_default_time_to_live={now}"))
    text = comments(project.autogenerate("change"), "upgrade")
    assert ("WARNING" in text) == (says is not None)
    assert says is None or says in text


def test_a_counter_that_is_dropped(project: Project) -> None:
    hits = "sa.Table('hits', metadata, sa.Column('id', sa.Integer, primary_key=True), sa.Column('n', cql.COUNTER){})"
    begin(project, hits.format(", sa.Column('m', cql.COUNTER)"))
    project.models(hits.format(""))
    text = project.autogenerate("change")
    assert "no counter can come back under its name, so a downgrade is refused" in comments(text, "upgrade")
    assert "WARNING: the server refuses this" in comments(text, "downgrade")
