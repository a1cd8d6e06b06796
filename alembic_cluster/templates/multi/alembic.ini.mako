# CockroachDB and Cassandra in one project: alembic -n cockroachdb upgrade head, alembic -n cassandra upgrade head

[cockroachdb]
script_location = ${script_location}
version_locations = ${script_location}/versions/cockroachdb
alembic_cluster.dialect = cockroachdb
prepend_sys_path = .
path_separator = os

# The environment variable COCKROACHDB_URL goes first. A % in the URL is written %%.
# sqlalchemy.url = cockroachdb+psycopg://root@localhost:26257/bank?sslmode=disable

[cassandra]
script_location = ${script_location}
version_locations = ${script_location}/versions/cassandra
alembic_cluster.dialect = cassandra
prepend_sys_path = .
path_separator = os

# The environment variable CASSANDRA_URL goes first.
# sqlalchemy.url = cassandra://localhost:9042/bank?local_dc=dc1

[loggers]
keys = root,sqlalchemy,alembic

[handlers]
keys = console

[formatters]
keys = generic

[logger_root]
level = WARNING
handlers = console
qualname =

[logger_sqlalchemy]
level = WARNING
handlers =
qualname = sqlalchemy.engine

[logger_alembic]
level = INFO
handlers =
qualname = alembic

[handler_console]
class = StreamHandler
args = (sys.stderr,)
level = NOTSET
formatter = generic

[formatter_generic]
format = %(levelname)-5.5s [%(name)s] %(message)s
datefmt = %H:%M:%S
