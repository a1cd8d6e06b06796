"""What the catalog says of a statement's objects is another thing before and after it."""

from __future__ import annotations

import sqlalchemy as sa

from alembic_crdb.evidence import REPEATABLE, look
from tests.servers.fixtures import CockroachDatabase

STATEMENTS = [
    'CREATE TABLE "T t" (id INT8 PRIMARY KEY, "full" STRING)',
    '/* why */ ALTER TABLE "T t" ADD COLUMN x INT8 -- "y"',
    'ALTER TABLE IF EXISTS "T t" ALTER COLUMN x SET NOT NULL, ALTER COLUMN x SET DEFAULT 100',
    'CREATE UNIQUE INDEX IF NOT EXISTS ix ON public."T t" (x) STORING ("full") WHERE x > 5',
    'ALTER INDEX "T t"@ix RENAME TO iy',
    'CREATE INDEX iz ON "T t" (x DESC)',
    "DROP INDEX iz",
    'DROP INDEX "T t"@iy CASCADE',
    'CREATE VIEW v AS SELECT x FROM "T t"',
    "ALTER VIEW v RENAME TO w",
    "CREATE MATERIALIZED VIEW m AS SELECT count(*) AS n FROM w",
    "DROP MATERIALIZED VIEW m",
    "DROP VIEW IF EXISTS w, v",
    "CREATE SEQUENCE s START 5",
    "ALTER SEQUENCE s INCREMENT 2",
    "DROP SEQUENCE s",
    "CREATE TYPE mood AS ENUM ('sad', 'glad')",
    "ALTER TYPE mood ADD VALUE 'so so' AFTER 'sad'",
    "ALTER TYPE mood RENAME VALUE 'sad' TO 'down'",
    "ALTER TYPE mood RENAME TO feeling",
    "DROP TYPE feeling",
    'CREATE SCHEMA "s t"',
    'ALTER TABLE "T t" RENAME TO "full"',
    'ALTER TABLE "full" SET SCHEMA "s t"',
    'DROP TABLE "s t"."full" CASCADE',
    'DROP SCHEMA "s t"',
]


def test_every_statement_leaves_a_trace(cockroach_database: CockroachDatabase) -> None:
    engine = sa.create_engine(cockroach_database.url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with engine.connect() as connection:
        for statement in STATEMENTS:
            text = statement.replace("%", "%%")  # as this driver gets it
            before = look(connection, text)
            assert before.digest not in (None, REPEATABLE), statement
            assert look(connection, text) == before, statement
            connection.exec_driver_sql(statement)
            assert look(connection, text) != before, statement
        for statement in ("GRANT SELECT ON TABLE t TO u", "COMMENT ON TABLE t IS 'x'", "TRUNCATE t"):
            assert look(connection, statement).digest == REPEATABLE
        assert look(connection, "CREATE SCHEDULE FOR BACKUP INTO 'x' RECURRING '@daily'").digest is None
