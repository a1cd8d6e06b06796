"""Writes ``alembic_crdb/op.pyi``: ``python -m tests.unit.crdb.op_stub > alembic_crdb/op.pyi``."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator
from pathlib import Path

import alembic

from alembic_crdb import op
from alembic_crdb.operation_base import CockroachOperation
from tests.unit.op_stub import SHARED, definition, functions_of, stub_of

HEAD = '''\
# Written by tests/unit/crdb/op_stub.py; a test holds it against the operations.
"""Alembic's ``op`` with the operations of this package."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Literal

ALEMBICS
from alembic.operations import BatchOperations
from sqlalchemy import Table

from alembic_crdb.catalog_objects import CommentTarget

def batch_alter_table(
    table_name: str,
    schema: str | None = None,
    recreate: Literal["auto", "always", "never"] = "auto",
    partial_reordering: list[tuple[str, ...]] | None = None,
    copy_from: Table | None = None,
    table_args: tuple[Any, ...] = (),
    table_kwargs: Mapping[str, Any] = ...,
    reflect_args: tuple[Any, ...] = (),
    reflect_kwargs: Mapping[str, Any] = ...,
    naming_convention: dict[str, str] | None = None,
) -> AbstractContextManager[_BatchOperations]:
    """Alembic's, whose operations run when the block ends; those of this package are among them."""

class _BatchOperations(BatchOperations):
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
    in_batch = [_method(name, kind) for name, kind in operations().items()]
    texts = {name: _stub(name, kind) for name, kind in operations().items()}
    texts |= {name: stub_of(name, function) for name, function in functions_of(op, SHARED).items()}
    return (
        HEAD.replace("ALEMBICS", _alembics())
        + "".join(in_batch)
        + "".join(f"\n{text}" for _, text in sorted(texts.items()))
    )


def _alembics() -> str:
    """Give the imports of Alembic's own operations, but for the one that is told anew."""
    told = ast.parse(Path(alembic.__file__).with_name("op.pyi").read_text())
    names = {each.name for each in told.body if isinstance(each, ast.FunctionDef)} - {"batch_alter_table"}
    return "\n".join(f"from alembic.op import {name} as {name}" for name in sorted(names))


def _method(name: str, kind: type[CockroachOperation]) -> str:
    said = kind.said_by_batch()
    own = inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)
    parameters = [each for each in inspect.signature(kind).parameters.values() if each.name not in said]
    return textwrap.indent(definition(name, [own, *parameters], "None", f"As ``op.{name}``."), "    ")


def _stub(name: str, kind: type[CockroachOperation]) -> str:
    return definition(name, inspect.signature(kind).parameters.values(), "None", kind.__doc__ or "")


if __name__ == "__main__":
    print(stub(), end="")
