"""``op.backfill`` in a revision on a real Cassandra."""

from __future__ import annotations

import pytest

from alembic_cluster.errors import InvalidBackfill
from tests.cql.runs import LockedProject
from tests.servers.fixtures import CassandraKeyspace

CREATE = """
op.create_table('t', sa.Column('id', sa.Integer, primary_key=True), sa.Column('v', sa.Text))
for number in range(20):
    op.execute(f"INSERT INTO t (id) VALUES ({number})")
"""


def test_a_revision_backfills_and_does_it_again_after_a_downgrade(
    tmp_path_factory: pytest.TempPathFactory, cassandra_keyspace: CassandraKeyspace
) -> None:
    project = LockedProject(tmp_path_factory.mktemp("p"), cassandra_keyspace)
    project.revision("1a", CREATE)
    up = "op.backfill('t', update={'v': 'x'}, concurrency=1)"
    project.revision("2b", up, "op.execute('DELETE v FROM t WHERE id = 3')")
    project.upgrade()

    def values() -> set[str | None]:
        return {row[0] for row in cassandra_keyspace.execute("SELECT v FROM t")}

    assert values() == {"x"}
    project.downgrade("1a")
    assert values() == {"x", None}
    project.upgrade()
    assert values() == {"x"}
    project.revision("3c", "op.execute('INSERT INTO t (id) VALUES (99)')\nop.backfill('t', update='id = 1, id = 2')")
    with pytest.raises(InvalidBackfill, match="twice"):
        project.upgrade()
    assert (None,) not in [tuple(row) for row in cassandra_keyspace.execute("SELECT v FROM t")]
