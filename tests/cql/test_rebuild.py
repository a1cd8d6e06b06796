"""``alembic -x rebuild revision --autogenerate`` on a real server: the rows of a table move to a new one."""

from __future__ import annotations

import pytest

from alembic_cluster.errors import ImpossibleChange, UnsupportedOperation
from tests.cql.models import table
from tests.cql.project import Project, body
from tests.cql.test_autogenerate_warnings import comments

OLD = """
sa.Table(
    "events", metadata,
    sa.Column("account", sa.Integer, primary_key=True),
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("kind", sa.Text), sa.Column("amount", sa.Integer), sa.Column("owner", sa.Text, cql_static=True),
    sa.Index("events_kind", "kind"),
)
"""


def request(project: Project, name: str, asked: str = "rebuild") -> str:
    """Write a revision by ``alembic -x rebuild revision --autogenerate``, in a process of its own."""
    output = project.cli("-x", asked, "revision", "--autogenerate", "-m", name, "--rev-id", name)
    assert "Generating" in output
    (file,) = project.versions.glob(f"{name}_*.py")
    return file.read_text()


def fill(project: Project, count: int = 20) -> None:
    where = project.keyspace.name
    for number in range(count):
        project.keyspace.execute(
            f"INSERT INTO {where}.events (account, id, kind, amount, owner) VALUES (%s, %s, %s, %s, %s)",
            [number % 3, number, f"kind {number % 2}", number * 10, f"owner {number % 3}"],
        )


def begin(project: Project) -> None:
    project.models(OLD)
    project.autogenerate("begin")
    project.upgrade()
    fill(project)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('sa.Column("kind", sa.Text)', 'sa.Column("kind", sa.Text, primary_key=True)'),
        ('sa.Index("events_kind", "kind")', 'sa.Index("events_kind", "kind"), cql_clustering_order={"id": "DESC"}'),
        ('"amount", sa.Integer', '"amount", sa.Text'),
        ('"amount", sa.Integer', '"amount", sa.BigInteger'),
    ],
    ids=["longer key", "clustering order", "type", "wider type"],
)
def test_a_table_moves_step_by_step(project: Project, old: str, new: str) -> None:
    begin(project)
    assert old in OLD
    wanted = OLD.replace(old, new)
    project.models(wanted)
    with pytest.raises(ImpossibleChange, match="-x rebuild revision --autogenerate"):
        project.autogenerate("never")
    text = request(project, "move")
    said = comments(text, "upgrade")
    assert "No ALTER TABLE can do this: table 'events'" in said
    assert "4. The next autogenerate drops 'events': in a later revision" in said
    upgrade = body(text, "upgrade")
    assert "op.create_table('events_v2'" in upgrade
    assert "op.create_index('events_kind_v2', 'events_v2', ['kind']" in upgrade
    assert "op.copy_table('events', 'events_v2'" in upgrade
    assert "drop" not in upgrade
    project.upgrade()
    before = sorted(map(str, project.rows("SELECT account, id, kind, owner FROM events")))
    assert len(before) == 20
    assert sorted(map(str, project.rows("SELECT account, id, kind, owner FROM events_v2"))) == before
    amounts = {str(row[0]) for row in project.rows("SELECT amount FROM events_v2")}
    assert amounts == {str(row[0]) for row in project.rows("SELECT amount FROM events")}
    # The program uses the new table: the models say so, and the old one goes in a later revision.
    project.models(wanted.replace('"events"', '"events_v2"').replace('"events_kind"', '"events_kind_v2"'))
    later = body(project.autogenerate("later"), "upgrade")
    assert "op.drop_table('events')" in later
    assert "events_v2" not in later
    project.upgrade()
    assert project.is_clean()
    project.downgrade("begin")
    assert project.tables() == {"events"}


def test_only_the_tables_that_are_named(project: Project) -> None:
    project.models(OLD + table())
    project.autogenerate("begin")
    project.upgrade()
    changed = OLD.replace('"amount", sa.Integer', '"amount", sa.Text')
    project.models(changed + table("cql_clustering_order={'c': 'DESC'}"))
    output = project.cli("-x", "rebuild=events", "revision", "--autogenerate", "-m", "x", expect=None)
    assert "the model has PRIMARY KEY (k, c DESC)" in output
    assert "events" not in output.partition("FAILED")[2]
    project.models(changed + table())
    assert "op.copy_table('events', 'events_v2', convert={'amount': str})" in request(project, "move", "rebuild=events")


def test_what_needs_a_value_is_said_and_refused_before_anything_is_sent(project: Project) -> None:
    begin(project)
    project.models(OLD.replace('sa.Column("kind"', 'sa.Column("day", sa.Date, primary_key=True), sa.Column("kind"'))
    text = request(project, "move")
    assert "say fill={'day': value}" in comments(text, "upgrade")
    with pytest.raises(Exception, match=r"say fill=\{'day': value\}; nothing was copied"):
        project.upgrade()
    assert project.tables() == {"events"}
    (file,) = project.versions.glob("move_*.py")
    file.write_text(
        text.replace("op.copy_table('events', 'events_v2')", "op.copy_table('events', 'events_v2', fill={'day': DAY})")
        + "\n\nimport datetime\nDAY = datetime.date(2026, 1, 1)\n"
    )
    project.upgrade()
    assert {str(row[0]) for row in project.rows("SELECT day FROM events_v2")} == {"2026-01-01"}
    with pytest.raises(UnsupportedOperation, match="no script can copy the rows of 'events'"):
        project.upgrade("begin:move", sql=True)


def test_the_number_of_the_new_table_is_one_that_is_free(project: Project) -> None:
    begin(project)
    project.keyspace.execute(f"CREATE TABLE {project.keyspace.name}.events_v2 (id int PRIMARY KEY)")
    project.models(OLD.replace('"amount", sa.Integer', '"amount", sa.Text'))
    assert "op.create_table('events_v3'" in request(project, "move")
