"""Cassandra really starts, stops, dies, freezes and comes back; and leaves nothing."""

from __future__ import annotations

from tests.servers.fixtures import CassandraKeyspace


def test_each_test_has_a_keyspace_of_its_own(cassandra_keyspace: CassandraKeyspace) -> None:
    cassandra_keyspace.execute("CREATE TABLE t (id int PRIMARY KEY, name text)")
    cassandra_keyspace.execute("INSERT INTO t (id, name) VALUES (1, 'one')")
    assert [row.name for row in cassandra_keyspace.execute("SELECT name FROM t")] == ["one"]
