"""What a CockroachDB server tells of itself: sizes of tables for ``plan``, health for ``doctor``. Only reads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import text
from sqlalchemy.engine import Connection

from alembic_cluster.health import Finding, findings
from alembic_cluster.words import split_path
from alembic_crdb.versions import server_version


def table_sizes(connection: Connection, tables: Iterable[str]) -> dict[str, int]:
    """Give the server's estimates of rows; a table without one, or that is not there, is left out.

    ``SHOW TABLES`` shows the estimates of the table statistics (documentation, page "SHOW TABLES").
    """
    wanted: dict[str, dict[str, str]] = {}
    default = connection.scalar(text("SELECT current_schema()"))
    for path in tables:
        *outside, name = split_path(path)
        wanted.setdefault(outside[-1] if outside else str(default), {})[name] = path
    found = {}
    quote = connection.dialect.identifier_preparer.quote_identifier
    for schema, names in wanted.items():
        try:
            rows = connection.execute(text(f"SHOW TABLES FROM {quote(schema)}")).mappings().all()
        except Exception:  # a schema that the revision itself makes
            continue
        for row in rows:
            count = row.get("estimated_row_count")
            if row["table_name"] in names and count is not None:
                found[names[row["table_name"]]] = int(count)
    return found


def health(connection: Connection) -> Iterator[Finding]:
    """Look at version, permissions, jobs and settings.

    :return: for each the name, ``ok``, ``warning`` or ``failed``, what was found, what to do.
    """
    return findings(connection, _version, _permission, _jobs, _settings)


def _version(connection: Connection) -> Iterator[Finding]:
    year, release = server_version(connection)
    found = f"CockroachDB v{year}.{release}"
    if (year, release) < (24, 3):
        yield "server", "warning", found, "Its makers no longer support it; upgrade the server."
    else:
        yield "server", "ok", found, ""


def _permission(connection: Connection) -> Iterator[Finding]:
    query = "SELECT current_user(), current_database(), has_schema_privilege(current_schema(), 'CREATE')"
    user, database, allowed = connection.execute(text(query)).one()
    if allowed:
        yield "permissions", "ok", f"{user} may create tables in {database}", ""
    else:
        advice = f"GRANT CREATE ON DATABASE {database} TO {user}, and on its schema."
        yield "permissions", "failed", f"{user} may not create tables in {database}", advice


def _jobs(connection: Connection) -> Iterator[Finding]:
    query = (
        "SELECT job_id, description FROM [SHOW JOBS] WHERE job_type IN ('SCHEMA CHANGE', 'NEW SCHEMA CHANGE') "
        "AND status IN ('pending', 'running', 'paused', 'pause-requested', 'reverting')"
    )
    running: list[Any] = list(connection.execute(text(query)))
    if running:
        told = "; ".join(f"{job} {' '.join(str(what).split())[:80]}" for job, what in running[:5])
        advice = "A run waits for them: see SHOW JOBS, RESUME JOB and CANCEL JOB."
        yield "jobs", "warning", f"{len(running)} schema changes are under way: {told}", advice
    else:
        yield "jobs", "ok", "no schema change is under way", ""


def _settings(connection: Connection) -> Iterator[Finding]:
    """Look at settings of the session; a role's ALTER ROLE .. SET or the URL may have given them."""
    for name, wanted, advice in (
        ("sql_safe_updates", "off", "It refuses drops of columns: leave it to interactive shells."),
        ("default_transaction_read_only", "off", "A run can change nothing then."),
        ("statement_timeout", "0", "It ends schema changes that take longer: set 0 for the user that migrates."),
        ("lock_timeout", "0", "A statement that waits longer for a row fails: set 0 for the user that migrates."),
    ):
        rows = connection.execute(text("SELECT value FROM [SHOW ALL] WHERE variable = :name"), {"name": name}).all()
        if rows:  # otherwise the server is older than the setting
            value = str(rows[0][0])
            yield (name, "ok", value, "") if value in (wanted, "0s") else (name, "warning", value, advice)
