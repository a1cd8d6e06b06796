"""Table options: which there are, what the server makes of them, how CQL writes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from alembic_cluster.errors import InvalidModel
from alembic_cql import option_values as values
from alembic_cql.features import Features
from alembic_cql.option_maps import WrongEntry, check_map
from alembic_cql.scalars import quote_text


@dataclass(frozen=True)
class TableOption:
    """One table option.

    :ivar normal: brings a value to the form in which equal ones are equal; ValueError, TypeError or KeyError for what
        it isn't.
    :ivar default: the server's own value where a table doesn't set the option.
    :ivar takes: what it takes, for messages.
    :ivar server: ``cassandra`` or ``scylla`` for an option that only one of the two has.
    :ivar since: release of Cassandra that it came with.
    :ivar filled_in: whether ScyllaDB writes a value of its own at ``CREATE TABLE``, by its version and configuration:
        compared there only when the model says one.
    """

    normal: Callable[[Any], Any]
    default: Any
    takes: str
    server: str | None = None
    since: tuple[int, ...] = ()
    filled_in: bool = False


_MAP = "a map of texts"
_SECONDS = "seconds"
_RETRY = "text such as '99p', '50ms', 'MIN(99p,50ms)', 'ALWAYS' or 'NEVER'"
_CHANCE = "a number from 0 to 1"
TABLE_OPTIONS: Mapping[str, TableOption] = {
    "additional_write_policy": TableOption(values.retry, "99p", _RETRY, "cassandra", (4, 0)),
    "allow_auto_snapshot": TableOption(values.flag, True, "true or false", "cassandra", (5, 0)),
    "bloom_filter_fp_chance": TableOption(values.number(0, 1, above=True), 0.01, "a number above 0, 1 at most"),
    "caching": TableOption(values.caching, {}, _MAP + " with 'keys' and 'rows_per_partition', ALL, NONE or a number"),
    "cdc": TableOption(values.cdc, False, "true or false (a map on ScyllaDB)"),
    "compaction": TableOption(
        values.compaction,
        {"class": "SizeTieredCompactionStrategy"},
        _MAP + " with 'class', a compaction strategy",
        filled_in=True,
    ),
    "compression": TableOption(
        values.compression,
        {"class": "LZ4Compressor"},
        _MAP + " with 'class', a compressor, and 'chunk_length_in_kb', a power of 2; or {'enabled': False} alone",
        filled_in=True,
    ),
    "crc_check_chance": TableOption(values.number(0, 1), 1.0, _CHANCE),
    "default_time_to_live": TableOption(values.whole(0, values.LONGEST_TIME_TO_LIVE), 0, "seconds, 20 years at most"),
    "extensions": TableOption(values.blobs, {}, "a map from text to bytes"),
    "gc_grace_seconds": TableOption(values.whole(0), 864000, _SECONDS),
    "in_memory": TableOption(values.flag, False, "true or false", "scylla"),
    "incremental_backups": TableOption(values.flag, True, "true or false", "cassandra", (5, 0)),
    "max_index_interval": TableOption(values.whole(1), 2048, "a whole number from 1"),
    "memtable": TableOption(values.memtable, "default", "the name of a memtable configuration", "cassandra", (4, 1)),
    "memtable_flush_period_in_ms": TableOption(values.whole(0), 0, "whole milliseconds from 0"),
    "min_index_interval": TableOption(values.whole(1), 128, "a whole number from 1"),
    "paxos_grace_seconds": TableOption(values.whole(0), 864000, _SECONDS, "scylla"),
    "per_partition_rate_limit": TableOption(
        values.rate_limit, {}, _MAP + " with 'max_reads_per_second' and 'max_writes_per_second'", "scylla"
    ),
    "read_repair": TableOption(
        values.one_of("BLOCKING", "NONE"), "BLOCKING", "'BLOCKING' or 'NONE'", "cassandra", (4, 0)
    ),
    "speculative_retry": TableOption(values.retry, "99p", _RETRY),
    "synchronous_updates": TableOption(values.flag, False, "true or false", "scylla"),
    "tablets": TableOption(values.texts, {}, _MAP, "scylla", filled_in=True),
    "tombstone_gc": TableOption(
        values.tombstone_gc,
        {},
        _MAP + " with 'mode' (timeout, repair, disabled, immediate) and 'propagation_delay_in_seconds'",
        "scylla",
        filled_in=True,
    ),
}
# What a model says beside the table's name, and is no option of the server's.
STRUCTURE_OPTIONS = ("partition_key", "clustering_order", "id")


def table_options(kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Take the options out of a Table's ``cql_*`` keyword arguments; None means not set.

    :param kwargs: ``Table.kwargs`` or the like.
    """
    found = {name: kwargs.get(f"cql_{name}") for name in TABLE_OPTIONS}
    return {name: value for name, value in found.items() if value is not None}


def normal_option(name: str, value: Any, table: str) -> Any:
    """Bring an option's value to its canonical form.

    :raises InvalidModel: when there is no such option, or the value isn't what it takes.
    """
    option = TABLE_OPTIONS.get(name)
    if option is None:
        raise InvalidModel(
            f"table {table!r}: there is no table option {name!r}; there are comment, {', '.join(TABLE_OPTIONS)}; "
            "nothing was sent"
        )
    try:
        return option.normal(value)
    except (ValueError, TypeError, KeyError, AttributeError):
        raise InvalidModel(
            f"table {table!r}: the option cql_{name} takes {option.takes}, not {value!r}; nothing was sent"
        ) from None


def check_options(given: Mapping[str, Any], table: str, features: Features) -> None:
    """Refuse options that the server hasn't, or whose values it wouldn't take, alone or together.

    :param given: options by name, as a model has them.
    :param table: the table's name, for messages.
    :raises InvalidModel: naming the option.
    """
    check_changes(given, table, features)
    complete = complete_options(given, table, features)
    if complete["min_index_interval"] > complete["max_index_interval"]:
        raise InvalidModel(
            f"table {table!r}: cql_min_index_interval is {complete['min_index_interval']}, more than "
            f"cql_max_index_interval ({complete['max_index_interval']}); nothing was sent"
        )


def check_changes(given: Mapping[str, Any], table: str, features: Features, *, of_view: bool = False) -> None:
    """Refuse options that the server hasn't, or whose values it wouldn't take, each by itself.

    :param given: options by name, ``comment`` apart.
    :param table: the name of the table or view, for messages.
    :param of_view: whether they are a materialized view's.
    :raises InvalidModel: naming the option.
    """
    what = f"materialized view {table!r}" if of_view else f"table {table!r}"
    for name, value in given.items():
        try:
            check_map(name, value, features)
        except WrongEntry as error:
            raise InvalidModel(f"{what}: the option cql_{name}: {error}; nothing was sent") from None
        normal_option(name, value, table)
        option = TABLE_OPTIONS[name]
        if option.server is not None and (option.server == "scylla") is not features.is_scylla:
            product = "ScyllaDB" if option.server == "scylla" else "Cassandra"
            raise InvalidModel(f"{what}: only {product} has the option cql_{name}; nothing was sent")
        if not features.is_scylla and features.release < option.since:
            since = ".".join(map(str, option.since))
            raise InvalidModel(f"{what}: the option cql_{name} came with Cassandra {since}; nothing was sent")
    if isinstance(given.get("cdc"), Mapping) is not features.cdc_is_map and given.get("cdc") is not None:
        takes = "a map" if features.cdc_is_map else "true or false"
        raise InvalidModel(f"{what}: the option cql_cdc takes {takes} on this server; nothing was sent")
    if "enabled" in (given.get("caching") or ()) and not features.is_scylla:
        raise InvalidModel(f"{what}: only ScyllaDB has 'enabled' in cql_caching; nothing was sent")
    if of_view and normal_option("default_time_to_live", given.get("default_time_to_live", 0), table):
        raise InvalidModel(
            f"{what} has no option default_time_to_live: its rows go when those of its table do; nothing was sent"
        )


def complete_options(given: Mapping[str, Any], table: str, features: Features) -> dict[str, Any]:
    """Give every option with its canonical value, the server's default where none is given.

    ``extensions`` is left out: Cassandra drops what is set there, ScyllaDB keeps there what it calls otherwise.

    :param given: options by name, as a model or the catalog has them.
    :param table: the table's name, for messages.
    """
    complete = {}
    for name, option in TABLE_OPTIONS.items():
        value = given.get(name)
        if name == "extensions" or (value is None and option.filled_in and features.fills_in_options):
            continue
        if value is None and name == "compaction" and features.default_compaction is not None:
            value = features.default_compaction
        complete[name] = option.normal(option.default) if value is None else normal_option(name, value, table)
    given_caching = given.get("caching")
    missing = features.caching_by_default if given_caching is None else features.caching_when_missing
    complete["caching"] = {**missing, **complete["caching"]}
    leveled = complete.get("compaction", {"class": ""})["class"].endswith(".LeveledCompactionStrategy")
    if given.get("bloom_filter_fp_chance") is None and leveled and features.filters_by_compaction:
        complete["bloom_filter_fp_chance"] = 0.1  # the default hangs on the compaction (TableParams.java)
    return complete


def set_options(given: Mapping[str, Any], table: str, features: Features) -> dict[str, Any]:
    """Give the options that differ from the server's defaults, in the form in which a person would write them.

    :param given: all options, as the catalog has them.
    """
    complete = complete_options(given, table, features)
    defaults = complete_options({"compaction": given.get("compaction")}, table, features)
    if "compaction" in defaults:
        defaults["compaction"] = complete_options({}, table, features).get("compaction")
    changed = {name: value for name, value in complete.items() if value != defaults.get(name)}
    found = {name: readable_option(name, value, features) for name, value in changed.items()}
    said = (given.get("compaction") or {}).get("enabled")
    if said is not None and values.flag(said):  # says nothing, and DESCRIBE shows it
        found["compaction"] = {**readable_option("compaction", complete["compaction"]), "enabled": said}
    return found


def readable_option(name: str, value: Any, features: Features | None = None) -> Any:
    """Give a canonical value as a person would write it: short class names, no thresholds that are the default.

    :param features: of the server that is to take it.
    """
    if name == "cdc" and value is False and features is not None and features.cdc_is_map:
        return {"enabled": "false"}
    if name not in ("compaction", "compression"):
        return value
    package = values.COMPACTION_PACKAGE if name == "compaction" else values.COMPRESSION_PACKAGE
    short = {key: item.removeprefix(package) if key == "class" else item for key, item in value.items()}
    if name == "compaction" and short["class"] not in values.WITHOUT_THRESHOLDS:
        for key, threshold in values.THRESHOLDS.items():
            if short.get(key) == threshold:
                del short[key]
    return short


def option_literal(name: str, value: Any, table: str, features: Features | None = None) -> str:
    """Write an option's value as CQL.

    :param features: with the server's, a compression map is written with the names that this server has for its keys.
    :raises InvalidModel: when the value isn't what the option takes.
    """
    normal = normal_option(name, value, table)
    if name == "extensions":
        return "{" + ", ".join(f"{quote_text(key)}: {blob}" for key, blob in normal.items()) + "}"
    if name == "compression" and features is not None and not features.is_scylla:
        value = readable_option(name, normal)
    if isinstance(value, Mapping):
        return map_literal(value)
    if TABLE_OPTIONS[name].normal is values.retry:
        return quote_text(str(normal))
    if isinstance(normal, bool):
        return str(normal).lower()
    if isinstance(normal, (int, float)):
        return repr(normal)
    return quote_text(str(value))


def map_literal(value: Mapping[str, Any]) -> str:
    """Write a map of texts, as compaction and replication take it."""
    pairs = (f"{quote_text(str(key))}: {quote_text(values.text_of(item))}" for key, item in value.items())
    return "{" + ", ".join(pairs) + "}"
