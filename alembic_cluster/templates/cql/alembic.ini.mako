# Migrations of Cassandra or ScyllaDB. The keyspace has to exist.

[alembic]
script_location = ${script_location}
prepend_sys_path = .
path_separator = os

# The environment variable DATABASE_URL goes first. A % in the URL is written %%.
# sqlalchemy.url = cassandra://localhost:9042/bank?local_dc=dc1

# For lint, which needs no URL then:
alembic_cluster.dialect = cassandra
# Files of SQL that are revisions themselves, separated by commas:
# alembic_cluster.sql_folders = %(here)s/sql
# Seconds that a run waits for another one to end:
# alembic_cluster.lock_wait = 600

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
