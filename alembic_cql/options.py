"""Table options: which there are, how CQL writes them, when two values mean the same.

Sources: Cassandra's TableParams, CompactionParams, CompressionParams and CachingParams; ScyllaDB's cf_prop_defs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from alembic_cluster.errors import InvalidModel
from alembic_cql.features import Features
from alembic_cql.types import quote_text

COMPACTION_PACKAGE = "org.apache.cassandra.db.compaction."
COMPRESSION_PACKAGE = "org.apache.cassandra.io.compress."
_THRESHOLDS = {"min_threshold": "4", "max_threshold": "32"}
_WITHOUT_THRESHOLDS = ("UnifiedCompactionStrategy",)


def _number(value: Any) -> float:
    return float(value)


def _whole(value: Any) -> int:
    number = int(value)
    if number != float(value):
        raise ValueError(value)
    return number


def _flag(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    return {"true": True, "false": False}[str(value).lower()]


def _plain(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(value)
    return value


def _map(value: Any) -> dict[str, str]:
    if not isinstance(value, Mapping):
        raise ValueError(value)
    return {str(key): _same_boolean(_map_value(item)) for key, item in value.items()}


def _same_boolean(text: str) -> str:
    return text.lower() if text.lower() in ("true", "false") else text  # the server keeps 'True' and means true


def _map_value(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _blobs(value: Any) -> dict[str, str]:
    return {str(key): item if isinstance(item, str) else "0x" + bytes(item).hex() for key, item in value.items()}


def _percentile(value: Any) -> str:
    """Bring ``99.0PERCENTILE``, ``99percentile`` and ``99p`` to one form, likewise ``50.0ms`` and ``always``."""
    text = _plain(value).replace(" ", "").lower()
    if text.startswith(("min(", "max(")):
        return text[:4] + ",".join(_percentile(part) for part in text[4:-1].split(",")) + ")"
    for ending, short in (("percentile", "p"), ("p", "p"), ("ms", "ms")):
        if text.endswith(ending):
            return f"{float(text[: -len(ending)]):g}{short}"
    return text


def _caching(value: Any) -> dict[str, str]:
    given = {key: item.upper() for key, item in _map(value).items()}
    return {"keys": "ALL", "rows_per_partition": "NONE", **given}


def _full_class(name: str, package: str) -> str:
    return name if "." in name else package + name


def _compaction(value: Any) -> dict[str, str]:
    given = _map(value)
    if "class" not in given:
        raise ValueError(value)
    given["class"] = _full_class(given["class"], COMPACTION_PACKAGE)
    if given.get("enabled") == "true":
        del given["enabled"]
    if given["class"].rpartition(".")[2] in _WITHOUT_THRESHOLDS:
        return given
    return {**_THRESHOLDS, **given}


def _compression(value: Any) -> dict[str, str]:
    given = _map(value)
    name = given.pop("sstable_compression", None) or given.pop("class", None)
    if given.get("enabled") == "false" or not name:
        return {"enabled": "false"}
    given.pop("enabled", None)
    chunk = given.pop("chunk_length_kb", None) or given.pop("chunk_length_in_kb", None)
    given.pop("crc_check_chance", None)  # moved to an option of the table by Cassandra 3.0
    return {**given, "class": _full_class(name, COMPRESSION_PACKAGE), "chunk_length_in_kb": chunk or "16"}


def _cdc(value: Any) -> Any:
    return _map(value) if isinstance(value, Mapping) else _flag(value)


def _memtable(value: Any) -> str:
    return _plain(value) or "default"


@dataclass(frozen=True)
class TableOption:
    """One table option.

    :ivar normal: brings a value to the form in which equal ones are equal; ValueError or KeyError for what it isn't.
    :ivar default: the server's own value where a table doesn't set the option.
    :ivar takes: what it takes, for messages.
    """

    normal: Callable[[Any], Any]
    default: Any
    takes: str


_MAP = "a map of texts"
TABLE_OPTIONS: Mapping[str, TableOption] = {
    "additional_write_policy": TableOption(_percentile, "99p", "text such as '99p' or '50ms'"),
    "allow_auto_snapshot": TableOption(_flag, True, "true or false"),
    "bloom_filter_fp_chance": TableOption(_number, 0.01, "a number from 0 to 1"),
    "caching": TableOption(_caching, {}, _MAP),
    "cdc": TableOption(_cdc, False, "true or false (a map on ScyllaDB)"),
    "compaction": TableOption(_compaction, {"class": "SizeTieredCompactionStrategy"}, _MAP + " with 'class'"),
    "compression": TableOption(_compression, {"class": "LZ4Compressor"}, _MAP),
    "crc_check_chance": TableOption(_number, 1.0, "a number from 0 to 1"),
    "default_time_to_live": TableOption(_whole, 0, "seconds"),
    "extensions": TableOption(_blobs, {}, "a map from text to bytes"),
    "gc_grace_seconds": TableOption(_whole, 864000, "seconds"),
    "incremental_backups": TableOption(_flag, True, "true or false"),
    "max_index_interval": TableOption(_whole, 2048, "a whole number"),
    "memtable": TableOption(_memtable, "default", "the name of a memtable configuration"),
    "memtable_flush_period_in_ms": TableOption(_whole, 0, "milliseconds"),
    "min_index_interval": TableOption(_whole, 128, "a whole number"),
    "read_repair": TableOption(lambda value: _plain(value).upper(), "BLOCKING", "'BLOCKING' or 'NONE'"),
    "speculative_retry": TableOption(_percentile, "99p", "text such as '99p', '50ms', 'ALWAYS' or 'NEVER'"),
    # ScyllaDB only
    "paxos_grace_seconds": TableOption(_whole, 864000, "seconds"),
    "per_partition_rate_limit": TableOption(_map, {}, _MAP),
    "synchronous_updates": TableOption(_flag, False, "true or false"),
    "tablets": TableOption(_map, {}, _MAP),
    "tombstone_gc": TableOption(_map, {}, _MAP),
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

    :raises InvalidModel: when the value isn't what the option takes.
    """
    option = TABLE_OPTIONS[name]
    try:
        return option.normal(value)
    except (ValueError, TypeError, KeyError, AttributeError):
        raise InvalidModel(
            f"table {table!r}: the option cql_{name} takes {option.takes}, not {value!r}; nothing was sent"
        ) from None


def complete_options(given: Mapping[str, Any], table: str, features: Features) -> dict[str, Any]:
    """Give every option with its canonical value, the server's default where none is given.

    :param given: options by name, as a model or the catalog has them.
    :param table: the table's name, for messages.
    """
    complete = {}
    for name, option in TABLE_OPTIONS.items():
        value = given.get(name)
        if value is not None:
            complete[name] = normal_option(name, value, table)
        elif name == "tombstone_gc" and features.fills_in_tombstone_gc:
            continue
        else:
            complete[name] = option.normal(option.default)
    leveled = complete["compaction"]["class"].endswith(".LeveledCompactionStrategy")
    if given.get("bloom_filter_fp_chance") is None and leveled:
        complete["bloom_filter_fp_chance"] = 0.1  # the default hangs on the compaction (TableParams.java)
    return complete


def set_options(given: Mapping[str, Any], table: str, features: Features) -> dict[str, Any]:
    """Give the options that differ from the server's defaults, in the form in which a person would write them.

    :param given: all options, as the catalog has them.
    """
    complete = complete_options(given, table, features)
    defaults = complete_options({"compaction": given.get("compaction")}, table, features)
    defaults["compaction"] = complete_options({}, table, features)["compaction"]
    return {name: readable_option(name, value) for name, value in complete.items() if value != defaults.get(name)}


def readable_option(name: str, value: Any) -> Any:
    """Give a canonical value as a person would write it: short class names, no thresholds that are the default."""
    if name == "extensions":
        return {key: bytes.fromhex(blob[2:]) for key, blob in value.items()}
    if name not in ("compaction", "compression"):
        return value
    package = COMPACTION_PACKAGE if name == "compaction" else COMPRESSION_PACKAGE
    short = {key: item.removeprefix(package) if key == "class" else item for key, item in value.items()}
    if name == "compaction" and short["class"] not in _WITHOUT_THRESHOLDS:
        for key, threshold in _THRESHOLDS.items():
            if short.get(key) == threshold:
                del short[key]
    return short


def option_literal(name: str, value: Any, table: str) -> str:
    """Write an option's value as CQL.

    :raises InvalidModel: when the value isn't what the option takes.
    """
    normal_option(name, value, table)
    if name == "extensions":
        return "{" + ", ".join(f"{quote_text(key)}: {blob}" for key, blob in _blobs(value).items()) + "}"
    if isinstance(value, Mapping):
        return map_literal(value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        return repr(value)
    return quote_text(str(value))


def map_literal(value: Mapping[str, Any]) -> str:
    """Write a map of texts, as compaction and replication take it."""
    pairs = (f"{quote_text(str(key))}: {quote_text(_map_value(item))}" for key, item in value.items())
    return "{" + ", ".join(pairs) + "}"
