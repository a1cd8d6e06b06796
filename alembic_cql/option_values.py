"""Values of table options: what each option takes, and the form in which equal values are equal.

Each function takes a value as a model, a person or the catalog has it and gives its canonical form; ``ValueError``,
``TypeError`` or ``KeyError`` for what it isn't. Sources: Cassandra's TableParams, CompactionParams,
CompressionParams, CachingParams and SpeculativeRetryPolicy; ScyllaDB's cf_prop_defs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

COMPACTION_PACKAGE = "org.apache.cassandra.db.compaction."
COMPRESSION_PACKAGE = "org.apache.cassandra.io.compress."
THRESHOLDS = {"min_threshold": "4", "max_threshold": "32"}
WITHOUT_THRESHOLDS = ("UnifiedCompactionStrategy",)
LARGEST_INT = 2**31 - 1
LONGEST_TIME_TO_LIVE = 20 * 365 * 24 * 3600  # Attributes.MAX_TTL

COMPACTION_CLASSES = (
    "SizeTieredCompactionStrategy",
    "LeveledCompactionStrategy",
    "TimeWindowCompactionStrategy",
    "UnifiedCompactionStrategy",
    "IncrementalCompactionStrategy",  # ScyllaDB
    "DateTieredCompactionStrategy",  # servers before Cassandra 5.0 and ScyllaDB
    "InMemoryCompactionStrategy",  # ScyllaDB Enterprise
    "NullCompactionStrategy",  # ScyllaDB
)
COMPRESSION_CLASSES = (
    "LZ4Compressor",
    "ZstdCompressor",
    "SnappyCompressor",
    "DeflateCompressor",
    "NoopCompressor",
    "LZ4WithDictsCompressor",  # ScyllaDB
    "ZstdWithDictsCompressor",  # ScyllaDB
)
SPELLINGS = {"sstable_compression": "class", "chunk_length_kb": "chunk_length_in_kb"}
_ZERO_BY_DEFAULT = "min_compress_ratio"
_COMPRESSION_KEYS = (
    "chunk_length_in_kb",
    "compression_level",
    "lz4_compressor_type",
    "lz4_high_compressor_level",
    _ZERO_BY_DEFAULT,
)


def number(lowest: float, highest: float, *, above: bool = False) -> Callable[[Any], float]:
    """Make the reader of a number within bounds, ``lowest`` itself left out when ``above``."""

    def read(value: Any) -> float:
        found = float(value)
        if isinstance(value, bool) or not lowest <= found <= highest or (above and found == lowest):
            raise ValueError(value)
        return found

    return read


def whole(lowest: int, highest: int = LARGEST_INT) -> Callable[[Any], int]:
    """Make the reader of a whole number within bounds."""

    def read(value: Any) -> int:
        found = int(value)
        if isinstance(value, bool) or found != float(value) or not lowest <= found <= highest:
            raise ValueError(value)
        return found

    return read


def flag(value: Any) -> bool:
    """Read a flag."""
    return value if isinstance(value, bool) else {"true": True, "false": False}[str(value).lower()]


def plain(value: Any) -> str:
    """Read a text."""
    if not isinstance(value, str):
        raise TypeError(value)
    return value


def one_of(*choices: str) -> Callable[[Any], str]:
    """Make the reader of one of some words in capitals."""

    def read(value: Any) -> str:
        if plain(value).upper() not in choices:
            raise ValueError(value)
        return plain(value).upper()

    return read


def texts(value: Any) -> dict[str, str]:
    """Read a map of texts."""
    if not isinstance(value, Mapping):
        raise TypeError(value)
    return {str(key): text_of(item) for key, item in value.items()}


def text_of(value: Any) -> str:
    """Write what stands in a map of texts."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def blobs(value: Any) -> dict[str, str]:
    """Read a map from text to bytes, or to what CQL writes for them."""
    if any(isinstance(item, int) for item in value.values()):
        raise TypeError(value)  # bytes(5) would be five zeros
    found = {
        str(key): item.lower() if isinstance(item, str) else "0x" + bytes(item).hex() for key, item in value.items()
    }
    if not all(re.fullmatch(r"0x([0-9a-f]{2})*", item) for item in found.values()):
        raise ValueError(value)
    return found


def retry(value: Any) -> str:
    """Read ``99.0PERCENTILE``, ``99p``, ``50ms``, ``always``, ``MIN(99p,50ms)``; give it as the server does.

    It keeps whole milliseconds, writes the percentile of a pair first, and takes NONE for NEVER.
    """
    text = plain(value).strip().upper()
    if text in ("ALWAYS", "NEVER", "NONE"):
        return "NEVER" if text == "NONE" else text
    pair = re.fullmatch(r"(MIN|MAX)\(\s*(\S+?)\s*,\s*(\S+?)\s*\)", text)
    if pair is None:
        return _retry_after(text)
    parts = sorted((_retry_after(pair[2]), _retry_after(pair[3])), key=lambda part: part.endswith("ms"))
    if parts[1].endswith("ms") == parts[0].endswith("ms"):
        raise ValueError(value)
    return f"{pair[1]}({','.join(parts)})"


def _retry_after(text: str) -> str:
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(P|PERCENTILE|MS)", text)
    if match is None or (match[2] != "MS" and not 0 < float(match[1]) < 100):
        raise ValueError(text)
    return f"{int(float(match[1]))}ms" if match[2] == "MS" else f"{float(match[1]):g}p"


def caching(value: Any) -> dict[str, str]:
    """Read a caching map; keys that are left out are filled in elsewhere, for servers differ."""
    given = {key: item.upper() for key, item in texts(value).items()}
    if flag(given.pop("enabled", "true")) is False:  # ScyllaDB
        return {"keys": "NONE", "rows_per_partition": "NONE"}
    for key, item in given.items():
        is_count = key == "rows_per_partition" and item.isdigit()
        if key not in ("keys", "rows_per_partition") or not (item in ("ALL", "NONE") or is_count):
            raise ValueError(value)
    return given


def _full_class(name: str, package: str, known: tuple[str, ...]) -> str:
    if "." not in name and name not in known:
        raise ValueError(name)
    return name if "." in name else package + name


def compaction(value: Any) -> dict[str, str]:
    """Read a compaction map."""
    given = texts(value)
    given["class"] = _full_class(given["class"], COMPACTION_PACKAGE, COMPACTION_CLASSES)
    if flag(given.pop("enabled", "true")) is False:
        given["enabled"] = "false"
    if given["class"].rpartition(".")[2] in WITHOUT_THRESHOLDS:
        return given
    given = {**THRESHOLDS, **given}
    if not 2 <= int(given["min_threshold"]) <= int(given["max_threshold"]):
        raise ValueError(value)
    return given


def compression(value: Any) -> dict[str, str]:
    """Read a compression map, also with the names that its keys had before Cassandra 3.0 and have on ScyllaDB."""
    given = {SPELLINGS.get(key, key): item for key, item in texts(value).items()}
    if given.get("class") == "":  # how it was switched off before Cassandra 3.0, and is on ScyllaDB
        given = {key: item for key, item in given.items() if key != "class"} | {"enabled": "false"}
    if flag(given.pop("enabled", "true")) is False:
        if given:
            raise ValueError(value)
        return {"enabled": "false"}
    if not given:
        return {"enabled": "false"}  # {} says no compression, as it always did
    name = _full_class(given.pop("class"), COMPRESSION_PACKAGE, COMPRESSION_CLASSES)
    if name.startswith(COMPRESSION_PACKAGE) and not set(given) <= set(_COMPRESSION_KEYS):
        raise ValueError(value)
    chunk = int(given.pop("chunk_length_in_kb", "16"))
    if chunk < 1 or chunk & (chunk - 1):
        raise ValueError(value)
    if _ZERO_BY_DEFAULT in given:
        ratio = float(given.pop(_ZERO_BY_DEFAULT))
        if ratio:
            given[_ZERO_BY_DEFAULT] = str(ratio)
    return {**given, "class": name, "chunk_length_in_kb": str(chunk)}


_PREIMAGES = ("true", "false", "full")
_CDC = {"enabled": "false", "preimage": "false", "postimage": "false", "delta": "full", "ttl": "86400"}
_TOMBSTONES = {"mode": "timeout", "propagation_delay_in_seconds": "3600"}


def cdc(value: Any) -> Any:
    """Read the flag of Cassandra or the map of ScyllaDB, which fills in what the map leaves out (cdc::options)."""
    if not isinstance(value, Mapping):
        return flag(value)
    given = {**_CDC, **{key: item.lower() for key, item in texts(value).items()}}
    if set(given) != set(_CDC) or given["delta"] not in ("full", "keys") or given["preimage"] not in _PREIMAGES:
        raise ValueError(value)
    flag(given["postimage"])
    given["ttl"] = str(whole(0)(given["ttl"]))
    return given if flag(given["enabled"]) else False


def tombstone_gc(value: Any) -> dict[str, str]:
    """Read ScyllaDB's map, in which the server fills in what is left out (tombstone_gc_options)."""
    given = {**_TOMBSTONES, **{key: item.lower() for key, item in texts(value).items()}}
    if set(given) != set(_TOMBSTONES) or given["mode"] not in ("timeout", "repair", "disabled", "immediate"):
        raise ValueError(value)
    delay = "propagation_delay_in_seconds"
    return {**given, delay: str(whole(0)(given[delay]))}


def rate_limit(value: Any) -> dict[str, str]:
    """Read ScyllaDB's map of the most reads and writes of a partition (per_partition_rate_limit_options)."""
    given = texts(value)
    if not set(given) <= {"max_reads_per_second", "max_writes_per_second"}:
        raise ValueError(value)
    return {key: str(whole(0)(item)) for key, item in given.items()}


def memtable(value: Any) -> str:
    """Read the name of a memtable configuration; none is the default one."""
    return plain(value) or "default"
