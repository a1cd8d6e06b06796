"""How each real server is started: Cassandra, CockroachDB and CockroachDB's own grammar."""
