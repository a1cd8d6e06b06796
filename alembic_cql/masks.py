"""Dynamic data masking: the function whose result a reader without the permission UNMASK sees instead of a column.

Source: Cassandra's ColumnMask.java and the table ``system_schema.column_masks`` (5.0, CEP-20), tried on 5.0.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from alembic_cluster.errors import InvalidModel
from alembic_cql.literals import canonical_token
from alembic_cql.scalars import quote_text

_CALL = re.compile(r"""\s*(?:(\w+|"(?:[^"]|"")+")\s*\.\s*)?(\w+|"(?:[^"]|"")+")\s*\((.*)\)\s*""", re.DOTALL)
_ARGUMENT = re.compile(
    r"""\s*('(?:[^']|'')*'|(?:[^,'()\[\]{}]|\([^()]*\)|\[[^\[\]]*\]|\{[^{}]*\})+)\s*(?:,|$)""", re.DOTALL
)
_UNQUOTED = (
    "bigint",
    "boolean",
    "decimal",
    "double",
    "duration",
    "float",
    "int",
    "smallint",
    "timeuuid",
    "tinyint",
    "uuid",
    "varint",
)
_SYSTEM = "system"


@dataclass(frozen=True)
class Mask:
    """The call of a masking function.

    :ivar name: the function's name.
    :ivar arguments: CQL literals, in order.
    :ivar schema: the function's keyspace; None for the server's own, and for one beside the table.
    """

    name: str
    arguments: tuple[str, ...] = ()
    schema: str | None = None

    def __str__(self) -> str:
        call = f"{_quoted(self.name)}({', '.join(self.arguments)})"
        return call if self.schema is None else f"{_quoted(self.schema)}.{call}"

    @property
    def identity(self) -> tuple[str, tuple[str, ...]]:
        """What is equal for equal masks: the catalog has its own spelling of some literals."""
        return self.name, tuple(canonical_token(item) for item in self.arguments)


def parse_mask(text: Any, where: str) -> Mask:
    """Read what a model says: ``DEFAULT`` or a call such as ``mask_inner(1, null)``.

    :param where: the column, for messages.
    :raises InvalidModel: for what isn't one, or what the server can't take.
    """
    if isinstance(text, str) and text.strip().upper() == "DEFAULT":
        return Mask("mask_default")
    match = _CALL.fullmatch(text) if isinstance(text, str) else None
    arguments = None if match is None else _arguments(match[3])
    if match is None or arguments is None:
        raise InvalidModel(
            f"{where}: cql_masked takes 'DEFAULT' or the call of a masking function such as 'mask_inner(1, null)', not "
            f"{text!r}; nothing was sent"
        )
    if any(item[0] in "[{(" for item in arguments):
        raise InvalidModel(
            f"{where}: a mask that is called with a collection ({text!r}) can't be compared, for the catalog keeps "
            "that as bytes: use mask_default() or mask_null(); nothing was sent"
        )
    if any("''" in item.removeprefix("''") for item in arguments):
        raise InvalidModel(
            f"{where}: the server can't read a masking function's text with a quote in it ({text!r}); nothing was sent"
        )
    schema = None if match[1] is None else _plain(match[1])
    return Mask(_plain(match[2]), tuple(arguments), None if schema == _SYSTEM else schema)


def _arguments(text: str) -> list[str] | None:
    found, position = [], 0
    while position < len(text.rstrip()):
        match = _ARGUMENT.match(text, position)
        if match is None or not match[1].strip():
            return None
        argument = match[1].strip()
        found.append("null" if argument.lower() == "null" else argument)
        position = match.end()
    return None if text.rstrip().endswith(",") else found


def reflected_mask(row: Mapping[str, Any]) -> Mask:
    """Make the mask out of a row of ``system_schema.column_masks``."""
    arguments = []
    for value, kind, is_null in zip(
        row["function_argument_values"], row["function_argument_types"], row["function_argument_nulls"], strict=True
    ):
        text = f"0x{value}" if kind == "blob" or "<" in kind else value if kind in _UNQUOTED else quote_text(value)
        arguments.append("null" if is_null else text)
    schema = row["function_keyspace"]
    beside = schema in (_SYSTEM, row["keyspace_name"])
    return Mask(row["function_name"], tuple(arguments), None if beside else schema)


def _plain(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name.lower()


def _quoted(name: str) -> str:
    return name if re.fullmatch(r"[a-z][a-z0-9_]*", name) else '"' + name.replace('"', '""') + '"'
