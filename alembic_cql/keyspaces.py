"""Keyspaces as schema objects: what a model says of one, and the form in which equal replications are equal.

Sources: Cassandra's KeyspaceAttributes, SimpleStrategy and NetworkTopologyStrategy (each rule was tried on Cassandra
5.0), ScyllaDB's ks_prop_defs.cc.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from alembic_cluster.errors import InvalidModel
from alembic_cql import option_values as values
from alembic_cql.features import Features

if TYPE_CHECKING:
    from sqlalchemy import MetaData

_PACKAGE = "org.apache.cassandra.locator."
SIMPLE, NETWORK = "SimpleStrategy", "NetworkTopologyStrategy"
FACTOR = "replication_factor"
_RESERVED = ("LocalStrategy", "MetaStrategy")
_KNOWN = (SIMPLE, NETWORK, "EverywhereStrategy")
_FACTOR = re.compile(r"(\d+)(?:/(\d+))?")  # 3, or 3/1 of which one is transient
_NAME = re.compile(r"[A-Za-z0-9_]+")
_TABLETS = ("enabled", "initial")
_OPTIONS = ("replication", "durable_writes", "tablets")


class Keyspace:
    """A keyspace. One that a MetaData holds is compared by autogenerate, with its tables, and made by ``create_all``.

    :param name: its name.
    :param metadata: where it belongs.
    :param replication: the replication map, such as ``{"class": "NetworkTopologyStrategy", "dc1": 3, "dc2": 2}``; a
        factor is a number, ``"3/1"`` with transient replicas, or a list of racks on ScyllaDB 2026.1.
    :param durable_writes: whether writes go through the commit log.
    :param tablets: ScyllaDB's map, such as ``{"enabled": False}``; not compared when None.
    :raises InvalidModel: for a name, a map or a value that no server takes.
    """

    def __init__(
        self,
        name: str,
        metadata: MetaData | None = None,
        *,
        replication: Mapping[str, Any],
        durable_writes: bool = True,
        tablets: Mapping[str, Any] | None = None,
    ) -> None:
        self.name = name
        check_name(name)
        check_replication(name, replication)
        _check_durable_writes(name, durable_writes)
        check_options(name, {"tablets": tablets})
        self.replication = dict(replication)
        self.durable_writes = durable_writes
        self.tablets = None if tablets is None else dict(tablets)
        if metadata is not None:
            from alembic_cql.schema import keyspace_objects

            objects = keyspace_objects(metadata).keyspaces
            if name in objects:
                raise InvalidModel(f"the metadata has a keyspace {name!r} already; say both things in one Keyspace")
            objects[name] = self

    def __repr__(self) -> str:
        return f"Keyspace({self.name!r}, replication={self.replication!r})"

    @property
    def options(self) -> dict[str, Any]:
        """What is set, by the words of ``ALTER KEYSPACE``."""
        given = {"replication": self.replication, "durable_writes": self.durable_writes, "tablets": self.tablets}
        return {name: value for name, value in given.items() if value is not None}

    def with_options(self, options: Mapping[str, Any]) -> Keyspace:
        """Give the keyspace with some options replaced.

        :param options: by the words of ``ALTER KEYSPACE``.
        :raises InvalidModel: for a value that no server takes.
        """
        return Keyspace(self.name, **{**self.options, **options})


@dataclass(frozen=True)
class KeyspaceSettings:
    """What the catalog says of a keyspace.

    :ivar replication: as ``system_schema.keyspaces`` has it.
    :ivar racks: racks by datacenter, where ScyllaDB keeps replicas on named ones (``replication_v2``, 2026.1).
    :ivar tablets: ScyllaDB's map; None on Cassandra.
    """

    replication: Mapping[str, str]
    durable_writes: bool = True
    racks: Mapping[str, frozenset[str]] | None = None
    tablets: Mapping[str, Any] | None = None

    @property
    def options(self) -> dict[str, Any]:
        """The options as a person would write them."""
        written: dict[str, Any] = {"class": short_class(self.replication["class"])}
        for name, factor in self.replication.items():
            if name != "class":
                written[name] = int(factor) if factor.isdigit() else factor
        found: dict[str, Any] = {"replication": written, "durable_writes": self.durable_writes}
        if self.tablets is not None:
            found["tablets"] = dict(self.tablets)
        return found


def read_settings(row: Mapping[str, Any], scylla_row: Mapping[str, Any] | None, features: Features) -> KeyspaceSettings:
    """Make the settings out of a row of ``system_schema.keyspaces``.

    :param scylla_row: of ``system_schema.scylla_keyspaces``; None where there is none.
    """
    racks = {
        name: frozenset(_racks(factor))
        for name, factor in (row.get("replication_v2") or {}).items()
        if name != "class" and _racks(factor)
    }
    tablets = None
    if features.is_scylla:
        initial = None if scylla_row is None else scylla_row.get("initial_tablets")
        tablets = {"enabled": initial is not None, **({"initial": initial} if initial else {})}
    return KeyspaceSettings(dict(row["replication"]), bool(row["durable_writes"]), racks or None, tablets)


def _racks(value: Any) -> list[str]:
    if isinstance(value, str):
        return re.findall(r"""['"]?([^'",\[\]\s]+)['"]?""", value) if value.startswith("[") else []
    return [str(item) for item in value] if isinstance(value, Iterable) else []


def short_class(name: str) -> str:
    """Give a strategy's name without the package that the server adds."""
    return name.removeprefix(_PACKAGE)


def check_name(name: Any, longest: int = 192) -> None:
    """Refuse a name that no server takes (SchemaConstants: 48 characters, ScyllaDB 192).

    :raises InvalidModel: saying what a name is.
    """
    if not isinstance(name, str) or _NAME.fullmatch(name) is None or len(name) > longest:
        raise InvalidModel(
            f"keyspace {name!r}: its name must be 1 to {longest} letters of a-z, digits and underscores; nothing was "
            "sent"
        )


def check_options(name: str, options: Mapping[str, Any]) -> None:
    """Refuse options of a keyspace that no server takes.

    :param options: by the words of ``ALTER KEYSPACE``.
    :raises InvalidModel: naming the keyspace and what is wrong.
    """
    for option, value in options.items():
        if option not in _OPTIONS:
            raise InvalidModel(
                f"keyspace {name!r}: there is no option {option!r}; there are {', '.join(_OPTIONS)}; nothing was sent"
            )
        if value is not None:
            _CHECKS[option](name, value)


def _check_durable_writes(name: str, value: Any) -> None:
    if not isinstance(value, bool):
        raise InvalidModel(f"keyspace {name!r}: durable_writes takes True or False, not {value!r}; nothing was sent")


def _check_tablets(name: str, value: Any) -> None:
    try:
        given = values.texts(value)
        values.flag(given.pop("enabled", "true"))
        values.whole(0)(given.pop("initial", "0"))
        if given:
            raise KeyError(*given)
    except (TypeError, ValueError, KeyError):
        raise InvalidModel(
            f"keyspace {name!r}: tablets takes a map of {' and '.join(map(repr, _TABLETS))}, such as "
            f"{{'enabled': False}}, not {value!r}; nothing was sent"
        ) from None


def check_replication(name: str, given: Any) -> None:
    """Refuse a replication map that no server takes.

    :param name: the keyspace, for messages.
    :raises InvalidModel: saying what is wrong.
    """

    def refuse(reason: str) -> InvalidModel:
        return InvalidModel(f"keyspace {name!r}: {reason}; nothing was sent")

    if not isinstance(given, Mapping):
        raise refuse(f"replication takes a map such as {{'class': '{NETWORK}', 'dc1': 3}}, not {given!r}")
    if not isinstance(given.get("class"), str):
        raise refuse(f"the replication map {dict(given)!r} has no 'class' ({SIMPLE} or {NETWORK})")
    strategy = short_class(given["class"])
    factors = {key: value for key, value in given.items() if key != "class"}
    if strategy in _RESERVED:
        raise refuse(f"{strategy} is for the server's own keyspaces")
    if strategy not in _KNOWN:
        if "." not in strategy:
            raise refuse(f"there is no replication strategy {strategy!r}; there are {SIMPLE} and {NETWORK}")
        return
    if strategy == SIMPLE:
        unknown = [key for key in factors if key != FACTOR]
        if unknown:
            raise refuse(f"{SIMPLE} takes {FACTOR!r} alone, not {unknown[0]!r}")
        if not factors:
            raise refuse(f"{SIMPLE} needs {FACTOR!r}: where it is missing the server takes a default of its own")
    if strategy == NETWORK and all(_is_none(value) for value in factors.values()):
        raise refuse(f"{NETWORK} needs a number of replicas for at least one datacenter, such as 'dc1': 3")
    for key, value in factors.items():
        racks = isinstance(value, (list, tuple)) and value and all(isinstance(item, str) for item in value)
        if not isinstance(key, str) or not key:
            raise refuse(f"the replication map names a datacenter {key!r}")
        if racks and key != FACTOR:
            continue
        text = "" if isinstance(value, bool) else str(value)
        match = _FACTOR.fullmatch(text)
        if match is None or (int(match[1]) == 0 and strategy == SIMPLE):
            raise refuse(f"{key!r} takes a number of replicas (or '3/1' with transient ones), not {value!r}")
        if match[2] is not None and int(match[2]) >= max(int(match[1]), 1):
            raise refuse(
                f"{key!r}: of {match[1]} replicas at most {int(match[1]) - 1} can be transient, not {match[2]}"
            )


_CHECKS: Mapping[str, Callable[[str, Any], None]] = {
    "replication": check_replication,
    "durable_writes": _check_durable_writes,
    "tablets": _check_tablets,
}


def check_server(name: str, options: Mapping[str, Any], features: Features) -> None:
    """Refuse what this server hasn't.

    :param options: by the words of ``ALTER KEYSPACE``.
    :raises InvalidModel: naming it.
    """
    check_name(name, features.longest_keyspace_name)
    check_options(name, options)
    if options.get("tablets") is not None and not features.is_scylla:
        raise InvalidModel(f"keyspace {name!r}: only ScyllaDB has the option tablets; nothing was sent")
    for datacenter, value in (options.get("replication") or {}).items():
        if isinstance(value, (list, tuple)) and not features.is_scylla:
            raise InvalidModel(
                f"keyspace {name!r}: only ScyllaDB takes a list of racks, as {datacenter!r} has; nothing was sent"
            )
        if "/" in str(value) and features.is_scylla and datacenter != "class":
            raise InvalidModel(f"keyspace {name!r}: ScyllaDB has no transient replicas ({value!r}); nothing was sent")


def check_datacenters(name: str, replication: Mapping[str, Any] | None, datacenters: Iterable[str]) -> None:
    """Refuse a replication that names a datacenter which the cluster hasn't, as the servers do.

    :param datacenters: those of the cluster.
    :raises InvalidModel: naming the datacenter.
    """
    known = sorted(datacenters)
    if replication is None or short_class(str(replication.get("class"))) != NETWORK or not known:
        return
    unknown = [key for key in replication if key not in ("class", FACTOR) and key not in known]
    if unknown:
        raise InvalidModel(
            f"keyspace {name!r}: the cluster has no datacenter {unknown[0]!r} (it has {', '.join(known)}): mend the "
            "replication, or give this environment one of its own (cql_keyspaces); nothing was sent"
        )


def changed_settings(wanted: Keyspace, found: KeyspaceSettings) -> tuple[dict[str, Any], dict[str, Any]]:
    """Give the options that differ: the model's values, and the server's."""
    existing = found.options
    changed = []
    if not _equal_replication(wanted.replication, found):
        changed.append("replication")
    if wanted.durable_writes != found.durable_writes:
        changed.append("durable_writes")
    if wanted.tablets is not None and found.tablets is not None:
        # The first number of tablets is forgotten as they are split and merged, so only this can be compared.
        enabled = values.flag(wanted.tablets.get("enabled", True))
        if enabled is not found.tablets["enabled"]:
            changed.append("tablets")
    options = wanted.options
    return {name: options[name] for name in changed}, {name: existing[name] for name in changed}


def _equal_replication(wanted: Mapping[str, Any], found: KeyspaceSettings) -> bool:
    strategy = short_class(str(wanted["class"]))
    if strategy != short_class(found.replication["class"]):
        return False
    existing = {name: _normal(value) for name, value in found.replication.items() if name != "class"}
    given = {name: value for name, value in wanted.items() if name != "class" and not _is_none(value)}
    if strategy == NETWORK and FACTOR in given:
        # The server wrote the factor out for the datacenters that it had then; ALTER adds those that came later.
        everywhere = given.pop(FACTOR)
        given = {**dict.fromkeys(existing, everywhere), **given}
    racks = found.racks or {}
    return given.keys() == existing.keys() and all(
        frozenset(value) == racks.get(name) if isinstance(value, (list, tuple)) else _normal(value) == existing[name]
        for name, value in given.items()
    )


def _is_none(value: Any) -> bool:
    """Whether a factor says no replicas: the server leaves such a datacenter out."""
    return not isinstance(value, bool) and str(value) == "0"


def _normal(value: Any) -> str:
    match = _FACTOR.fullmatch(str(value))
    if match is None:
        return str(value)
    return f"{int(match[1])}/{int(match[2])}" if match[2] and int(match[2]) else str(int(match[1]))
