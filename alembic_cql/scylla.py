"""What ScyllaDB keeps of a table's options outside of ``system_schema.tables``.

Sources: db/schema_tables.cc (the table ``scylla_tables``), schema/schema_registry and the extensions' own encodings
(tombstone_gc_extension.hh, per_partition_rate_limit_extension.hh, paxos_grace_seconds_extension.hh, cdc_extension.hh);
the encoding of a map is shown in scylladb/scylladb#14390.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any

_MAPS = ("tombstone_gc", "per_partition_rate_limit", "cdc")
_PAXOS_GRACE = "paxos_grace_seconds"
_SYNCHRONOUS = "system:synchronous_view_updates"  # db/tags/utils.hh
_COLUMNS = ("cdc", "in_memory", "tablets")


def extra_options(row: Mapping[str, Any], scylla_row: Mapping[str, Any] | None) -> dict[str, Any]:
    """Give the options that a table's extensions and its row of ``scylla_tables`` hold.

    :param row: of ``system_schema.tables`` or ``views``.
    :param scylla_row: of ``system_schema.scylla_tables``; None where there is none.
    """
    extensions = row.get("extensions") or {}
    found: dict[str, Any] = {name: _read_map(extensions[name]) for name in _MAPS if extensions.get(name)}
    tags = _read_map(extensions["scylla_tags"]) if extensions.get("scylla_tags") else {}
    if _SYNCHRONOUS in tags:
        found["synchronous_updates"] = tags[_SYNCHRONOUS]
    if len(extensions.get(_PAXOS_GRACE) or b"") == 4:
        (found[_PAXOS_GRACE],) = struct.unpack("<i", bytes(extensions[_PAXOS_GRACE]))
    for name in _COLUMNS:
        value = None if scylla_row is None else scylla_row.get(name)
        if value:
            found[name] = dict(value) if isinstance(value, Mapping) else value
    return found


def _read_map(data: bytes) -> dict[str, str]:
    """Read a map of texts: the number of entries, then each key and value with its length before it, as u32-LE."""
    texts = []
    position = 4
    for _ in range(struct.unpack_from("<I", data)[0] * 2):
        (length,) = struct.unpack_from("<I", data, position)
        position += 4
        texts.append(bytes(data[position : position + length]).decode())
        position += length
    return dict(zip(texts[::2], texts[1::2], strict=True))
