"""``alembic-cluster backfill``."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from alembic.config import Config

HELP = "Change all rows of a table, in ranges; a backfill that was killed goes on where it was."


def add_arguments(parser: ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("table", help="The table's name.")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--set", dest="update", metavar="SQL", help="What comes after SET in the database's own words.")
    what.add_argument("--function", metavar="MODULE:NAME", help="A function that gets a row and gives new values.")
    what.add_argument("--batch-function", metavar="MODULE:NAME", help="The same for a list of rows.")
    parser.add_argument("--columns", metavar="NAMES", help="What a function gets to see, separated by commas.")
    parser.add_argument("--where", metavar="SQL", help="A condition in the database's own words.")
    parser.add_argument("--schema", help="Schema or keyspace of the table.")
    parser.add_argument("--backfill-name", metavar="NAME", help="What the checkpoint calls it.")
    numbers = (
        ("--batch-rows", int, "Rows that are read and written together (1000)."),
        ("--range-rows", int, "Rows that a range has, about (20000)."),
        ("--concurrency", int, "Ranges that are under way at a time (4)."),
        ("--rows-per-second", float, "At most that many rows are read."),
        ("--tries", int, "How often a batch is tried (5)."),
        ("--processes", int, "Run ranges in so many processes in place of threads."),
    )
    for option, kind, text in numbers:
        parser.add_argument(option, type=kind, metavar="N", help=text)
    parser.add_argument("--skip-errors", action="store_true", help="Note rows that fail in a side table, and go on.")
    parser.add_argument("--as-of", metavar="TIME", help="CockroachDB: read as of then, such as -10s.")
    parser.add_argument("--only-if", metavar="NAMES", help="CQL: columns that must be as they were read.")
    parser.add_argument("--dry-run", action="store_true", help="Count rows; change nothing.")
    parser.add_argument("--restart", action="store_true", help="Begin anew, whatever is done.")
    parser.add_argument("--repeat", action="store_true", help="Begin anew if all is done.")
    parser.add_argument(
        "--progress", choices=("auto", "rich", "plain", "json", "none"), help="How to show how far it is (auto)."
    )


def run(
    config: Config,
    *,
    table: str,
    backfill_name: str | None,
    skip_errors: bool,
    processes: int | None,
    progress: str | None,
    columns: str | None,
    only_if: str | None,
    update: str | None,
    function: str | None,
    batch_function: str | None,
    where: str | None,
    schema: str | None,
    batch_rows: int | None,
    range_rows: int | None,
    concurrency: int | None,
    rows_per_second: float | None,
    tries: int | None,
    as_of: str | None,
    dry_run: bool,
    restart: bool,
    repeat: bool,
) -> None:
    """Do it in each database that ``env.py`` connects to."""
    from alembic_cluster.backfilling import backfill_environment

    options: dict[str, Any] = {
        "update": update, "where": where, "schema": schema, "batch_rows": batch_rows, "range_rows": range_rows,
        "concurrency": concurrency, "rows_per_second": rows_per_second, "tries": tries, "as_of": as_of,
        "name": backfill_name, "columns": _names(columns), "only_if": _names(only_if),
        "on_error": "skip" if skip_errors else None, "restart": restart or None, "repeat": repeat or None,
    }  # fmt: skip
    backfill_environment(
        config,
        table,
        {name: value for name, value in options.items() if value is not None},
        functions={"function": function, "batch_function": batch_function},
        processes=processes,
        progress=progress or "auto",
        dry_run=dry_run,
    )


def _names(text: str | None) -> list[str] | None:
    return None if text is None else [name.strip() for name in text.split(",")]
