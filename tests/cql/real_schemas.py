"""Real projects' CQL schema files, read from the folder beside the repository, and loaded into a test's keyspace."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from alembic_cql.splitting import split_cql
from tests.servers.fixtures import CassandraKeyspace

FOLDER = Path(__file__).parents[2].parent / "shared" / "schemas"
_NAME = re.compile(r"CREATE (?:TABLE|MATERIALIZED VIEW) (?:IF NOT EXISTS )?(?:\w+\.)?(\w+)")


def without_read_repair_chance(statement: str) -> str:
    """Cassandra 4.0 dropped both options (CASSANDRA-13910)."""
    return re.sub(r"\s+AND (?:dclocal_)?read_repair_chance = [\d.]+", "", statement)


def with_whole_clustering_order(statement: str) -> str:
    """Cassandra 4.0 wants CLUSTERING ORDER BY to name every clustering column; those left out are ASC."""
    key = re.search(r"PRIMARY KEY\s*\(\s*(?:\([^)]*\)|\w+)\s*,([^)]*)\)", statement)
    order = re.search(r"CLUSTERING ORDER BY\s*\(([^)]*)\)", statement)
    assert key is not None
    assert order is not None
    given = dict(part.split() for part in order[1].split(","))
    complete = ", ".join(f"{name.strip()} {given.get(name.strip(), 'ASC')}" for name in key[1].split(","))
    return statement.replace(order[0], f"CLUSTERING ORDER BY ({complete})")


def with_time_window_compaction(statement: str) -> str:
    """Cassandra 5.0 has no DateTieredCompactionStrategy any more; time windows came in its place."""
    return re.sub(
        r"compaction = \{[^}]*DateTiered[^}]*\}", "compaction = {'class': 'TimeWindowCompactionStrategy'}", statement
    )


def _zipkin_span(statement: str) -> str:
    return with_whole_clustering_order(without_read_repair_chance(statement))


@dataclass(frozen=True)
class RealSchema:
    """One project's schema.

    :ivar files: relative to the project's folder, in the order in which they are run.
    :ivar keyspace: the name that the files use; empty where they name none.
    :ivar adaptations: what makes a statement that Cassandra 5 refuses one that it takes, by the table's or view's name.
    """

    name: str
    files: tuple[str, ...]
    keyspace: str = ""
    adaptations: Mapping[str, Callable[[str], str]] = field(default_factory=dict)

    def statements(self, keyspace: str) -> list[str]:
        """Give the statements, rewritten for another keyspace; skips the test where the files aren't."""
        found = [statement for file in self.files for statement in split_cql(read(f"{self.name}/{file}"))]
        adapted = [self._adapt(statement) for statement in found]
        assert set(self.adaptations) <= {name for name, _ in adapted}
        return [
            self._in(keyspace, statement) for _, statement in adapted if not statement.startswith("CREATE KEYSPACE")
        ]

    def _adapt(self, statement: str) -> tuple[str, str]:
        match = _NAME.match(statement)
        name = "" if match is None else match[1]
        adaptation = self.adaptations.get(name)
        if adaptation is None:
            return name, statement
        adapted = adaptation(statement)
        assert adapted != statement, f"{self.name}.{name} needs no adaptation"
        return name, adapted

    def _in(self, keyspace: str, statement: str) -> str:
        if not self.keyspace:
            return statement
        pattern = rf"'(?:[^']|'')*'|\b{self.keyspace}\."
        return re.sub(pattern, lambda found: found[0] if found[0][0] == "'" else f"{keyspace}.", statement)

    def load(self, keyspace: CassandraKeyspace) -> None:
        """Run the statements."""
        for statement in self.statements(keyspace.name):
            keyspace.execute(statement)


def read(file: str) -> str:
    """Give a file's text; skips the test where there is none."""
    path = FOLDER / file
    if not path.exists():
        pytest.skip(f"the real schemas are not beside the repository: no {path}")
    return path.read_text()


TEMPORAL = RealSchema("temporal", ("schema.cql",))
REAPER = RealSchema("reaper", ("034_init_reaper_db.cql",))
ZIPKIN = RealSchema(
    "zipkin",
    (
        "zipkin2-schema.cql",
        "zipkin2-schema-indexes.cql",
        "zipkin2-schema-upgrade-1.cql",
        "zipkin2-schema-upgrade-2.cql",
    ),
    "zipkin2",
    {
        "span": _zipkin_span,
        "dependency": without_read_repair_chance,
        "trace_by_service_span": without_read_repair_chance,
        "trace_by_service_remote_service": without_read_repair_chance,
        "span_by_service": without_read_repair_chance,
        "remote_service_by_service": without_read_repair_chance,
        "autocomplete_tags": without_read_repair_chance,
    },
)
THINGSBOARD = RealSchema(
    "thingsboard",
    (
        "dao/src/main/resources/cassandra/schema-entities.cql",
        "dao/src/main/resources/cassandra/schema-ts.cql",
        "dao/src/main/resources/cassandra/system-data.cql",
        "dao/src/test/resources/cassandra/system-test.cql",
    ),
    "thingsboard",
    {
        "device_by_tenant_and_name": with_whole_clustering_order,
        "device_by_tenant_and_search_text": with_whole_clustering_order,
        "device_by_customer_and_search_text": with_whole_clustering_order,
        "asset_by_tenant_and_name": with_whole_clustering_order,
        "asset_by_tenant_and_search_text": with_whole_clustering_order,
        "asset_by_customer_and_search_text": with_whole_clustering_order,
        "component_desc_by_type_search_text": with_whole_clustering_order,
        "component_desc_by_scope_type_search_text": with_whole_clustering_order,
        "entity_view_by_tenant_and_name": with_whole_clustering_order,
        "entity_view_by_tenant_and_search_text": with_whole_clustering_order,
        "entity_view_by_tenant_by_type_and_search_text": with_whole_clustering_order,
        "entity_view_by_tenant_and_customer": with_whole_clustering_order,
        "entity_view_by_tenant_and_customer_and_type": with_whole_clustering_order,
        "entity_view_by_tenant_and_entity_id": with_whole_clustering_order,
        "msg_queue": with_time_window_compaction,
        "msg_ack_queue": with_time_window_compaction,
        "processed_msg_partitions": with_time_window_compaction,
    },
)
ALL = (TEMPORAL, REAPER, ZIPKIN, THINGSBOARD)
