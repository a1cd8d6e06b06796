"""Makes the pages of the rules: ``python -m alembic_cluster.lint.pages docs/lint``."""

from __future__ import annotations

import sys
from pathlib import Path

from alembic_cluster.errors import ConfigurationError
from alembic_cluster.lint.messages import MESSAGES, Message

_GROUPS = {"AL": "Every database", "CR": "CockroachDB", "CQ": "Cassandra and ScyllaDB"}


def page(code: str, message: Message) -> str:
    """Write the page of a rule."""
    return (
        f"# {code}: {message.title}\n\n{_GROUPS[code[:2]]}, severity `{message.severity}`.\n\n> {message.text}\n\n"
        f"## Why\n\n{message.why}\n\n## Bad\n\n```{_language(message.bad)}\n{message.bad}\n```\n\n"
        f"## Good\n\n```{_language(message.good)}\n{message.good}\n```\n\n"
        f"To keep it in one place, write `# noqa: {code}` and the reason on the line; for a project, set\n"
        f"`alembic_cluster.lint.{code} = off` in `alembic.ini`.\n"
    )


def page_of_rule(code: str) -> str:
    """Give the page of a rule by its code.

    :raises ConfigurationError: there is no such rule.
    """
    found = MESSAGES.get(code.upper())
    if found is None:
        raise ConfigurationError(f"there is no rule {code}; they are {', '.join(MESSAGES)}")
    return page(code.upper(), found).rstrip("\n")


def _language(text: str) -> str:
    return "console" if text.startswith("alembic ") else "python"


def index() -> str:
    """Write the list of all rules."""
    lines = ["# Lint rules", "", "How `alembic-cluster lint` is called: [Commands](../commands.md).", ""]
    for prefix, group in _GROUPS.items():
        lines += [f"## {group}", "", "| Code | Rule | Severity |", "|---|---|---|"]
        rules = ((code, message) for code, message in MESSAGES.items() if code.startswith(prefix))
        lines += [f"| [{code}]({code}.md) | {message.title} | {message.severity} |" for code, message in rules]
        lines.append("")
    return "\n".join(lines)


def pages() -> dict[str, str]:
    """Give every page by the name of its file."""
    return {"index.md": index(), **{f"{code}.md": page(code, message) for code, message in MESSAGES.items()}}


def main(folder: str) -> None:
    """Write every page into a folder."""
    Path(folder).mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (Path(folder) / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
