"""What stands in the maps of ``compaction`` and ``compression``, by strategy, compressor and server.

The servers refuse a key that a strategy doesn't know, and a value out of bounds; so does this, before anything is sent.
It holds a model to it, and no catalog: what a server has may be of a newer release. Sources: Cassandra's
AbstractCompactionStrategy, SizeTieredCompactionStrategyOptions, LeveledCompactionStrategy,
TimeWindowCompactionStrategyOptions, UnifiedCompactionStrategy (Controller.validateOptions), LZ4Compressor,
ZstdCompressor and CompressionParams (each key was tried on Cassandra 5.0); ScyllaDB's compaction/*_strategy.cc and
test/cqlpy/test_compaction_strategy_validation.py, compress.cc.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from alembic_cql import option_values as values
from alembic_cql.features import Features

Entry: TypeAlias = "tuple[Callable[[str], Any], str]"
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGTPE]i)?B")
_UNITS = ("", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei")
_SCALING = re.compile(r"N|[LT]([2-9]|[1-9]\d+)|[+-]?\d+")


@dataclass(frozen=True)
class Choice:
    """A compaction strategy or a compressor.

    :ivar entries: what its map may have besides what all have: a reader, which raises ValueError or KeyError, and what
        is taken, for messages.
    :ivar cassandra: the first release of Cassandra that has it; None for none.
    :ivar gone: the first release of Cassandra that hasn't it any more.
    :ivar scylla: whether ScyllaDB has it.
    """

    entries: Mapping[str, Entry] = field(default_factory=dict)
    cassandra: tuple[int, ...] | None = ()
    gone: tuple[int, ...] | None = None
    scylla: bool = True

    def is_on(self, features: Features) -> bool:
        """Whether the server has it."""
        if features.is_scylla:
            return self.scylla
        since, gone = self.cassandra, self.gone
        return since is not None and since <= features.release and (gone is None or features.release < gone)


def _word(*choices: str) -> Entry:
    def read(text: str) -> str:
        if text not in choices:
            raise ValueError(text)
        return text

    return read, " or ".join(map(repr, choices))


def size(text: str) -> float:
    """Read a number of bytes with its unit.

    :raises ValueError: for something else.
    """
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise ValueError(text)
    return float(match[1]) * float(1024 ** _UNITS.index(match[2] or ""))


def _size(smallest: int = 0) -> Entry:
    def read(text: str) -> float:
        if size(text) < smallest:
            raise ValueError(text)
        return size(text)

    return read, "a size such as '1GiB'" + (", 1MiB at least" if smallest else "")


def _scaling(text: str) -> None:
    if not all(_SCALING.fullmatch(part.strip()) for part in text.split(",")):
        raise ValueError(text)


def _growth(text: str) -> None:
    share = float(text[:-1]) / 100 if text.endswith("%") else float(text)
    if not 0 <= share <= 1:
        raise ValueError(text)


def _ratio(text: str) -> None:
    if float(text) != 0 and not float(text) >= 1:
        raise ValueError(text)


def _chunk(text: str) -> None:
    if int(text) < 1 or int(text) & (int(text) - 1):
        raise ValueError(text)


_FLAG: Entry = (values.flag, "true or false")
_FROM_ZERO: Entry = (values.whole(0), "a whole number from 0")
_FROM_ONE: Entry = (values.whole(1), "a whole number from 1")
_CHUNK: Entry = (_chunk, "a power of 2")
_NUMBER: Entry = (values.number(-math.inf, math.inf), "a number")
_EVERY = {
    "enabled": _FLAG,
    "tombstone_threshold": (values.number(0, math.inf), "a number from 0"),
    "tombstone_compaction_interval": _FROM_ZERO,
    "unchecked_tombstone_compaction": _FLAG,
}
_CASSANDRA = {
    "log_all": _FLAG,
    "only_purge_repaired_tombstones": _FLAG,
    "provide_overlapping_tombstones": (values.one_of("NONE", "ROW", "CELL"), "'NONE', 'ROW' or 'CELL'"),
}
_TIERS: Mapping[str, Entry] = {
    "min_sstable_size": _FROM_ZERO,
    "bucket_low": _NUMBER,
    "bucket_high": _NUMBER,
    "min_threshold": (values.whole(2), "a whole number from 2"),
    "max_threshold": (values.whole(2), "a whole number from 2"),
}
_OVERLAPS = values.one_of("NONE", "SINGLE", "TRANSITIVE")
_EXPIRED: Mapping[str, Entry] = {
    "expired_sstable_check_frequency_seconds": _FROM_ZERO,
    "unsafe_aggressive_sstable_expiration": _FLAG,
}
_WINDOWS: Mapping[str, Entry] = {
    **_TIERS,
    **_EXPIRED,
    "compaction_window_unit": _word("MINUTES", "HOURS", "DAYS"),
    "compaction_window_size": _FROM_ONE,
    "timestamp_resolution": _word("MICROSECONDS", "MILLISECONDS", "SECONDS", "NANOSECONDS"),
}
_FRAGMENTS: Mapping[str, Entry] = {
    **_TIERS,
    "sstable_size_in_mb": _FROM_ONE,
    "space_amplification_goal": (values.number(1, 2, above=True), "a number above 1, 2 at most"),
}
_STRATEGIES = {
    "SizeTieredCompactionStrategy": Choice(_TIERS),
    "LeveledCompactionStrategy": Choice(
        {**_TIERS, "sstable_size_in_mb": _FROM_ONE, "single_sstable_uplevel": _FLAG, "fanout_size": _FROM_ONE}
    ),
    "TimeWindowCompactionStrategy": Choice(_WINDOWS),
    "UnifiedCompactionStrategy": Choice(
        {
            **_EXPIRED,
            "scaling_parameters": (_scaling, "texts such as 'T4' or 'L10,N', separated by commas"),
            "target_sstable_size": _size(1024**2),
            "min_sstable_size": _size(),
            "flush_size_override": _size(),
            "base_shard_count": _FROM_ONE,
            "sstable_growth": (_growth, "a number from 0 to 1, or a percentage"),
            "overlap_inclusion_method": (_OVERLAPS, "'NONE', 'SINGLE' or 'TRANSITIVE'"),
            "max_sstables_to_compact": (values.whole(-values.LARGEST_INT), "a whole number"),
        },
        cassandra=(5, 0),
        scylla=False,
    ),
    "IncrementalCompactionStrategy": Choice(_FRAGMENTS, cassandra=None),
    "DateTieredCompactionStrategy": Choice(
        {**_TIERS, **_EXPIRED}
        | dict.fromkeys(("base_time_seconds", "max_sstable_age_days", "max_window_size_seconds"), _NUMBER)
        | {"timestamp_resolution": _WINDOWS["timestamp_resolution"]},
        gone=(5, 0),
    ),
    "InMemoryCompactionStrategy": Choice(cassandra=None),
    "NullCompactionStrategy": Choice(cassandra=None),
}
# Only of ScyllaDB: its name for size-tiered is another one for incremental, and what is Cassandra's alone is refused.
_SCYLLA_MORE: Mapping[str, Mapping[str, Entry]] = {
    "SizeTieredCompactionStrategy": {**_FRAGMENTS, "cold_reads_to_omit": _NUMBER},
    "TimeWindowCompactionStrategy": {"enable_optimized_twcs_queries": _FLAG},
}
_SCYLLA_LESS = ("single_sstable_uplevel", "fanout_size", "unsafe_aggressive_sstable_expiration")
_SCYLLA_BOUNDS: Mapping[str, Entry] = {
    "tombstone_threshold": (values.number(0, 1), "a number from 0 to 1"),
    "bucket_low": (values.number(0, 1, above=True), "a number above 0, below 1"),
    "bucket_high": (values.number(1, math.inf, above=True), "a number above 1"),
}

_RATIO: Mapping[str, Entry] = {"min_compress_ratio": (_ratio, "0, or a number from 1")}
_LEVEL: Mapping[str, Entry] = {"compression_level": (values.whole(-131072, 22), "a whole number, 22 at most")}
_COMPRESSORS = {
    "LZ4Compressor": Choice(
        {
            "lz4_compressor_type": _word("fast", "high"),
            "lz4_high_compressor_level": (values.whole(1, 17), "a whole number from 1 to 17"),
        }
    ),
    "SnappyCompressor": Choice(),
    "DeflateCompressor": Choice(),
    "ZstdCompressor": Choice(_LEVEL, cassandra=(4, 0)),
    "NoopCompressor": Choice(cassandra=(4, 0), scylla=False),
    "LZ4WithDictsCompressor": Choice(cassandra=None),
    "ZstdWithDictsCompressor": Choice(_LEVEL, cassandra=None),
}


class WrongEntry(ValueError):
    """A map that the server refuses; its message says what is wrong."""


def check_map(option: str, given: Any, features: Features) -> None:
    """Refuse a map that a server refuses.

    :param option: ``compaction`` or ``compression``; nothing is said of the others, nor of what is no map with a class.
    :param given: the value as a model has it.
    :raises WrongEntry: saying what is wrong.
    """
    if not isinstance(given, Mapping):
        return
    texts = {values.SPELLINGS.get(key, key): item for key, item in values.texts(given).items()}
    if option == "compaction" and "class" in texts:
        _check_compaction(texts, features)
    if option == "compression" and texts.get("class"):
        _check_compression(texts, features)


def _check_compaction(given: dict[str, str], features: Features) -> None:
    name = given.pop("class").removeprefix(values.COMPACTION_PACKAGE)
    choice = _choice(_STRATEGIES, name, features)
    if choice is None:
        return
    entries = {**_EVERY, **choice.entries}
    if features.is_scylla:
        entries = {key: _SCYLLA_BOUNDS.get(key, entry) for key, entry in entries.items() if key not in _SCYLLA_LESS}
        entries.update(_SCYLLA_MORE.get(name, {}))
    else:
        entries.update(_CASSANDRA)
    _check(name, entries, given)
    low, high = given.get("bucket_low", "0.5"), given.get("bucket_high", "1.5")
    if "bucket_low" in entries and not float(low) < float(high):
        raise WrongEntry(f"'bucket_low' must be less than 'bucket_high', not {low} and {high}")
    if name == "UnifiedCompactionStrategy":
        smallest, target = given.get("min_sstable_size", "100MiB"), given.get("target_sstable_size", "1GiB")
        if "min_sstable_size" in given and size(smallest) >= 0.7 * size(target):
            raise WrongEntry(f"'min_sstable_size' must be less than 70% of 'target_sstable_size', not {smallest}")


def _check_compression(given: dict[str, str], features: Features) -> None:
    name = given.pop("class").removeprefix(values.COMPRESSION_PACKAGE)
    choice = _choice(_COMPRESSORS, name, features)
    if choice is None:
        return
    own = {} if features.is_scylla and name == "LZ4Compressor" else choice.entries
    more = {} if features.is_scylla or features.release < (4, 0) else _RATIO
    _check(name, {"enabled": _FLAG, "chunk_length_in_kb": _CHUNK, **own, **more}, given)


def _choice(choices: Mapping[str, Choice], name: str, features: Features) -> Choice | None:
    """Give what is known of a class; None for one that somebody else wrote."""
    choice = choices.get(name)
    if choice is not None and not choice.is_on(features):
        there = ", ".join(key for key, item in choices.items() if item.is_on(features))
        raise WrongEntry(f"this server has no {name}; it has {there}")
    return choice


def _check(name: str, entries: Mapping[str, Entry], given: Mapping[str, str]) -> None:
    for key, text in given.items():
        if key not in entries:
            raise WrongEntry(f"{name} has no {key!r}; it has {', '.join(sorted(entries))}")
        read, takes = entries[key]
        try:
            read(text)
        except (ValueError, KeyError):
            raise WrongEntry(f"{key!r} of {name} takes {takes}, not {text!r}") from None
