"""Alembic's and SQLAlchemy's own suites for dialects, run on the real server, with ours and with stock.

``python -m tests.cockroachdb.suites.run`` runs both and compares; their files are collected by nothing else.
"""
