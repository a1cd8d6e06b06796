"""Comments that autogenerate writes above an operation, where a person has to know more than its name says."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from functools import cache
from typing import Any

from alembic.autogenerate.render import renderers
from alembic.operations import MigrateOperation

_WIDTH = 100
WARNING = "WARNING: "


def noted(operation: MigrateOperation, notes: Sequence[str], back: Sequence[str] = ()) -> None:
    """Have an operation written into the revision with comments above it.

    The operation stays an instance of its class, so that a project's own ``process_revision_directives`` goes on
    working; the comments are no operations and no differences.

    :param operation: changed in place. One that has comments gets more.
    :param notes: the comments, one a paragraph.
    :param back: those above its reverse.
    """
    if not notes and not back:
        return
    kind: Any = type(operation)
    if not issubclass(kind, _Noted):
        operation.__class__ = _noted_class(kind)
    ours: Any = operation
    ours.notes = (*getattr(operation, "notes", ()), *notes)
    ours.notes_back = (*getattr(operation, "notes_back", ()), *back)


class _Noted:
    notes: tuple[str, ...] = ()
    notes_back: tuple[str, ...] = ()


@cache
def _noted_class(kind: type[MigrateOperation]) -> Any:
    class Noted(_Noted, kind):  # type: ignore[misc, valid-type]
        def reverse(self) -> Any:
            operation = super().reverse()
            noted(operation, self.notes_back, self.notes)
            return operation

    def render(autogen_context: Any, operation: Any) -> list[str]:
        written = renderers.dispatch(kind)(autogen_context, operation)
        return [*_comments(operation.notes), *([written] if isinstance(written, str) else written)]

    Noted.__name__ = Noted.__qualname__ = kind.__name__
    renderers.dispatch_for(Noted)(render)
    return Noted


def _comments(notes: Sequence[str]) -> list[str]:
    return [
        f"# {line}"
        for note in notes
        for line in textwrap.wrap(note, _WIDTH, break_long_words=False, break_on_hyphens=False)
    ]
