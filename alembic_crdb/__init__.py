"""Alembic for CockroachDB.

Installed with its entry point, it needs no line in ``env.py``; ``import alembic_crdb`` there does the same.
"""

from alembic_crdb.plugin import register

register()
