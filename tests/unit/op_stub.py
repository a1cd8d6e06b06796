"""Writes ``alembic_cql/op.pyi``: ``python -m tests.unit.op_stub > alembic_cql/op.pyi``."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Iterable, Iterator
from typing import Any

from alembic.operations import MigrateOperation, Operations

from alembic_cql import op

SHARED = "alembic_cluster."

HEAD = '''\
# Written by tests/unit/op_stub.py; a test holds it against the operations.
"""Alembic's ``op`` with the operations of this package."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from alembic.op import *  # noqa: F403

from alembic_cql.functions import Arguments, ArgumentTypes
from alembic_cql.types import Fields, TypeArgument, UserType
'''


def operations() -> dict[str, Any]:
    """Give the functions that revisions get from this package and the shared one, by name."""
    return functions_of(op, "alembic_cql.", SHARED)


def functions_of(package_op: Any, *packages: str) -> dict[str, Any]:
    """Give the functions that modules of some packages, imported by a package's ``op``, give to revisions."""
    found = {}
    modules = [
        item for item in vars(package_op).values() if inspect.ismodule(item) and item.__name__.startswith(packages)
    ]
    for module in modules:
        for kind in vars(module).values():
            if isinstance(kind, type) and issubclass(kind, MigrateOperation) and kind.__module__ == module.__name__:
                found.update(dict(_functions(kind)))
    return dict(sorted(found.items()))


def _functions(kind: type) -> Iterator[tuple[str, Any]]:
    for name, value in vars(kind).items():
        if isinstance(value, classmethod) and "operations" in inspect.signature(value.__func__).parameters:
            yield name, value.__func__


def stub() -> str:
    """Give the text of the stub."""
    return HEAD + "".join(f"\n{stub_of(name, function)}" for name, function in operations().items())


def stub_of(name: str, function: Any) -> str:
    """Give the text of one function."""
    signature = inspect.signature(function)
    parameters = list(signature.parameters.values())[2:]
    return definition(name, parameters, signature.return_annotation, getattr(Operations, name).__doc__)


def definition(name: str, parameters: Iterable[inspect.Parameter], returns: str, documentation: str) -> str:
    """Give the text of one function of which this is known."""
    lines = [f"def {name}("]
    keyword_only = False
    for each in parameters:
        if each.kind is each.KEYWORD_ONLY and not keyword_only:
            keyword_only = True
            lines.append("    *,")
        default = "" if each.default is each.empty else f" = {each.default!r}"
        annotation = "" if each.annotation is each.empty else f": {each.annotation}"
        lines.append(f"    {each.name}{annotation}{default},")
    text = inspect.cleandoc(documentation)
    text = textwrap.indent(f'"""{text}{chr(10) if chr(10) in text else ""}"""', "    ")
    return "\n".join([*lines, f") -> {returns}:", text, ""])


if __name__ == "__main__":
    print(stub(), end="")
