"""Writes ``alembic_crdb/op.pyi``: ``python -m tests.unit.crdb.op_stub > alembic_crdb/op.pyi``."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Iterator

from alembic_crdb import op
from alembic_crdb.operation_base import CockroachOperation
from tests.unit.op_stub import SHARED, functions_of, stub_of

HEAD = '''\
# Written by tests/unit/crdb/op_stub.py; a test holds it against the operations.
"""Alembic's ``op`` with the operations of this package."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from alembic.op import *  # noqa: F403

from alembic_crdb.catalog_objects import CommentTarget
'''


def operations() -> dict[str, type[CockroachOperation]]:
    """Give the operations that revisions get from this package, by name."""
    return {kind.name: kind for kind in sorted(_kinds(CockroachOperation), key=lambda kind: kind.name) if kind.name}


def _kinds(base: type[CockroachOperation]) -> Iterator[type[CockroachOperation]]:
    for kind in base.__subclasses__():
        if kind.__module__.startswith("alembic_crdb."):
            yield kind
        yield from _kinds(kind)


def stub() -> str:
    """Give the text of the stub."""
    texts = {name: _stub(name, kind) for name, kind in operations().items()}
    texts |= {name: stub_of(name, function) for name, function in functions_of(op, SHARED).items()}
    return HEAD + "".join(f"\n{text}" for _, text in sorted(texts.items()))


def _stub(name: str, kind: type[CockroachOperation]) -> str:
    lines = [f"def {name}("]
    for each in list(inspect.signature(kind).parameters.values()):
        default = "" if each.default is each.empty else f" = {each.default!r}"
        lines.append(f"    {each.name}: {each.annotation}{default},")
    text = inspect.cleandoc(kind.__doc__ or "")
    documentation = textwrap.indent(f'"""{text}{chr(10) if chr(10) in text else ""}"""', "    ")
    return "\n".join([*lines, ") -> None:", documentation, ""])


if __name__ == "__main__":
    print(stub(), end="")
