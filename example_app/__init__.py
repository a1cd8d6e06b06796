"""A small bank: accounts on CockroachDB, and on Cassandra a timeline of what happened to each.

``python -m example_app --help`` shows what it can do. Each database has its own models, its own Alembic environment
and its own revisions; ``alembic.ini`` beside this file names both (``alembic -n accounts``, ``alembic -n timeline``).
"""
