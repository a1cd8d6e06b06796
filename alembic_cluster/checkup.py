"""What ``doctor`` looks at, and what to do about it."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alembic.util import CommandError
from sqlalchemy.exc import SQLAlchemyError

from alembic_cluster.errors import ConfigurationError, ConnectFailed, first_line
from alembic_cluster.reading import in_environment

if TYPE_CHECKING:
    from alembic.config import Config

_DRIVERS = ("psycopg", "psycopg2-binary", "psycopg2", "asyncpg", "cassandra-driver", "scylla-driver")
_PACKAGES = ("alembic-cluster", "alembic", "SQLAlchemy", "sqlalchemy-cockroachdb", *_DRIVERS)
_PLUGINS = {"cockroachdb": "alembic.autogenerate.cockroachdb", "cql": "alembic.autogenerate.cql"}
_IMPLEMENTATIONS = {"cockroachdb": "alembic_crdb.", "cql": "alembic_cql."}


@dataclass(frozen=True)
class Check:
    """One thing that was looked at.

    :ivar name: what.
    :ivar result: ``ok``, ``warning`` or ``failed``.
    :ivar found: what was found.
    :ivar advice: what to do; empty when nothing has to be done.
    """

    name: str
    result: str
    found: str
    advice: str = ""


def as_text(checks: Iterable[Check]) -> str:
    """Write checks for people."""
    lines = []
    for check in checks:
        lines.append(f"{check.result.upper():8}{check.name}: {check.found}")
        if check.advice:
            lines.append(f"        -> {check.advice}")
    return "\n".join(lines)


def as_json(checks: Iterable[Check]) -> str:
    """Write checks for programs."""
    return json.dumps([asdict(check) for check in checks], indent=2)


def examine(config: Config) -> list[Check]:
    """Look at everything; changes nothing. What can't be looked at is a check that failed."""
    checks = [*_installation(), *_env(config)]
    found: list[Check] = []

    def work(heads: Any, context: Any) -> None:
        found.extend(_database(heads, context))

    try:
        in_environment(config, work)
    except (ConnectFailed, ConfigurationError, SQLAlchemyError) as error:
        advice = "Check the URL in alembic.ini or env.py, and that the server runs."
        return [*checks, Check("connection", "failed", first_line(error), advice)]
    except CommandError as error:
        return [*checks, Check("env.py", "failed", first_line(error), "env.py says so: do what it asks for.")]
    except Exception as error:
        advice = "Mend env.py; 'alembic-cluster --raiseerr current' shows where it fails."
        return [*checks, Check("env.py", "failed", f"{type(error).__name__}: {first_line(error)}", advice)]
    return [*checks, *found]


def _installation() -> Iterator[Check]:
    versions = {}
    for name in _PACKAGES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    written = ", ".join(f"{name} {version}" for name, version in versions.items())
    yield Check("versions", "ok", f"Python {sys.version.split()[0]}, {written}")
    if {"cassandra-driver", "scylla-driver"} <= set(versions):
        yield Check(
            "drivers", "failed", "cassandra-driver and scylla-driver are both installed, as one package 'cassandra'",
            "Uninstall both, then install the one that is needed: alembic-cluster[cassandra] or [scylla].",
        )  # fmt: skip
    entries = {entry.name for entry in metadata.entry_points(group="alembic.plugins")}
    missing = sorted(set(_PLUGINS.values()) - entries)
    if missing:
        advice = "Install alembic-cluster as a package, or import alembic_crdb or alembic_cql in env.py."
        yield Check("entry points", "warning", f"{', '.join(missing)} of group alembic.plugins are missing", advice)
    else:
        yield Check("entry points", "ok", f"{', '.join(sorted(_PLUGINS.values()))}")


def _env(config: Config) -> Iterator[Check]:
    from alembic.script import ScriptDirectory

    scripts = ScriptDirectory.from_config(config)
    file = Path(scripts.env_py_location)
    if not file.is_file():
        yield Check("env.py", "failed", f"{file} is not there", "Make the environment by 'alembic init'.")
        return
    if re.search(r"^\s*with\s+.*\bmigration_lock\(", file.read_text(encoding="utf-8"), re.MULTILINE):
        yield Check("env.py", "ok", "runs under migration_lock")
    else:
        yield Check(
            "env.py", "warning", "has no migration_lock: runs are neither exclusive nor resumable nor guarded",
            "Write 'with migration_lock(context):' around context.run_migrations().",
        )  # fmt: skip
    heads = scripts.get_heads()
    if len(heads) > 1:
        yield Check("revisions", "warning", f"{len(heads)} heads: {', '.join(heads)}", "Run 'alembic merge heads'.")
    else:
        yield Check("revisions", "ok", f"head {heads[0]}" if heads else "there are none yet")


def _database(heads: Any, context: Any) -> Iterator[Check]:
    impl, dialect = context.impl, context.dialect
    wanted = _IMPLEMENTATIONS.get(dialect.name)
    module = type(impl).__module__
    if wanted is None:
        advice = "This package is for cockroachdb, cassandra and scylla; others run as with Alembic alone."
        yield Check("implementation", "warning", f"dialect {dialect.name} by {module}", advice)
        return
    if module.startswith(wanted):
        yield Check("implementation", "ok", f"{type(impl).__name__} of {module}, driver {dialect.driver}")
    else:
        advice = "Another class with __dialect__ = ... was defined later; take it out, or derive it from ours."
        yield Check("implementation", "failed", f"{type(impl).__name__} of {module} is active", advice)
    yield _comparators(context, _PLUGINS[dialect.name])
    yield Check("version table", "ok", f"the database stands at {', '.join(heads) or 'base'}")
    if hasattr(impl, "stores"):
        yield from _kept(impl.stores(context.connection), heads)
    if hasattr(impl, "health"):
        for name, result, found, advice in impl.health():
            yield Check(name, result, found, advice)


def _kept(stores: Any, heads: Any) -> Iterator[Check]:
    try:
        lock, journal = stores.lease.read(), stores.journal.read()
    except Exception as error:
        advice = "The user has to read and write the tables alembic_cluster_lock, _history and _journal."
        yield Check("lock", "failed", first_line(error), advice)
        return
    if lock.holder is None:
        yield Check("lock", "ok", "nobody holds it")
    else:
        advice = "It is given back at the run's end; a dead run's runs out by itself. See 'alembic-cluster unlock'."
        yield Check("lock", "warning", f"held by {lock.holder}", advice)
    if journal is None or journal[0].finished or not journal[1] or set(journal[0].heads) != set(heads):
        yield Check("journal", "ok", "no revision is half-applied")
    else:
        header = journal[0]
        advice = "Run the same command again, which finishes it, or see 'alembic-cluster repair --help'."
        yield Check("journal", "warning", f"{header.direction} of {header.revision} is half-applied", advice)


def _comparators(context: Any, plugin: str) -> Check:
    from alembic.runtime.plugins import _make_re

    chosen = context.opts.get("autogenerate_plugins") or ["alembic.autogenerate.*"]
    if any(name.startswith("~") and _make_re(name[1:]).match(plugin) for name in chosen):
        active = False
    else:
        active = any(_make_re(name).match(plugin) for name in chosen if not name.startswith("~"))
    if active:
        return Check("comparators", "ok", f"{plugin} is active")
    return Check(
        "comparators", "failed", f"autogenerate_plugins of env.py leaves {plugin} out",
        f"Add {plugin!r} to autogenerate_plugins in context.configure().",
    )  # fmt: skip
