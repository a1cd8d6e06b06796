"""Findings as text, as JSON and as annotations of GitHub."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

from alembic_cluster.lint.messages import MESSAGES
from alembic_cluster.lint.run import Finding, page_of

FORMATS: Final = ("text", "json", "github")
# https://docs.github.com/actions/reference/workflow-commands: severities, and what is escaped.
_LEVELS: Final = {"error": "error", "warning": "warning", "info": "notice"}


def written(found: Sequence[Finding], format: str) -> str:
    """Write findings.

    :param format: one of :data:`FORMATS`.
    """
    if format == "json":
        return json.dumps([finding.as_dict() for finding in found], indent=2)
    return "\n".join((_annotation if format == "github" else _line)(finding) for finding in found)


def summary(found: Sequence[Finding]) -> str:
    """Count findings in one line."""
    if not found:
        return "Nothing found."
    counts = [(severity, sum(each.severity == severity for each in found)) for severity in _LEVELS]
    return ", ".join(
        f"{count} {severity}{'s' * (count > 1 and severity != 'info')}" for severity, count in counts if count
    )


def _line(finding: Finding) -> str:
    sent = f"\n    {finding.statement}" if finding.statement else ""
    return f"{finding.path}:{finding.line}: {finding.severity} {finding.code} {finding.text}{sent}"


def _annotation(finding: Finding) -> str:
    title = f"{finding.code} {MESSAGES[finding.code].title}"
    fields = f"file={_field(finding.path)},line={finding.line},title={_field(title)}"
    return f"::{_LEVELS[finding.severity]} {fields}::{_text(f'{finding.text} ({page_of(finding.code)})')}"


def _text(value: str) -> str:
    return value.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _field(value: str) -> str:
    return _text(value).replace(":", "%3A").replace(",", "%2C")
