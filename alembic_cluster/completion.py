"""Completion in the shell, by argcomplete: commands, options, and the revisions of the project.

``eval "$(register-python-argcomplete alembic-cluster)"`` in ``~/.bashrc`` or ``~/.zshrc`` switches it on.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from typing import Any

_REVISIONS = {  # where a revision is taken, and the words that may stand for one
    "revision": ("head", "heads", "base"),
    "revisions": ("head", "heads", "base"),
    "target": ("head", "heads", "base"),
    "rev_range": (),
    "head": ("head",),
    "depends_on": (),
}
_ASKED_FOR = "_ARGCOMPLETE"  # in the environment while the shell asks


def complete(parser: argparse.ArgumentParser, environ: Any, **options: Any) -> None:
    """Answer the shell and end the process, if it is the shell that asks; do nothing otherwise.

    :param parser: of the whole command line.
    :param environ: ``os.environ``.
    :param options: of ``argcomplete.autocomplete``.
    :raises SystemExit: without argcomplete, if the shell asks.
    """
    if _ASKED_FOR not in environ:
        return
    try:
        import argcomplete
    except ImportError:
        raise SystemExit(1) from None  # the shell shows what is printed, so nothing is
    for action in _all_actions(parser):
        if action.dest in _REVISIONS and action.choices is None:
            action.completer = _completer(action.dest)  # type: ignore[attr-defined]
    argcomplete.autocomplete(parser, always_complete_options="long", **options)


def _all_actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    for action in parser._actions:
        yield action
        if isinstance(action, argparse._SubParsersAction):
            for below in action.choices.values():
                yield from _all_actions(below)


def _completer(name: str) -> Callable[..., dict[str, str]]:
    def revisions(parsed_args: argparse.Namespace, **_: Any) -> dict[str, str]:
        from alembic.config import CommandLine, Config
        from alembic.script import ScriptDirectory

        found = dict.fromkeys(_REVISIONS[name], "")
        try:
            toml, ini = CommandLine()._inis_from_config(parsed_args)
            config = Config(file_=ini, toml_file=toml, ini_section=parsed_args.name)
            for script in ScriptDirectory.from_config(config).walk_revisions():
                found[script.revision] = script.doc or ""
        except Exception:  # no project here: the words are left
            return found
        return found

    return revisions
