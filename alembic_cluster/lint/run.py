"""Lints revisions: reads what they would send, asks every rule, leaves out what ``noqa`` silences."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alembic_cluster.errors import ConfigurationError
from alembic_cluster.execution import shorten
from alembic_cluster.lint import both, cockroachdb, cql
from alembic_cluster.lint.messages import MESSAGES, SEVERITIES
from alembic_cluster.lint.noqa import Noqa
from alembic_cluster.lint.rules import EFFECT_RULES, REVISION_RULES, Look, Whole
from alembic_cluster.lint.sources import Source, read_source
from alembic_cluster.reading import ReadRevision, in_environment, read_function, reading_impl
from alembic_cluster.settings import Settings
from alembic_cluster.sqlfiles import SUFFIXES, files_named_in
from alembic_cluster.statements import Known

if TYPE_CHECKING:
    from alembic.config import Config

DIALECTS = ("cockroachdb", "cassandra", "scylla")
_MODULES = (both, cockroachdb, cql)  # imported for the rules that they register


@dataclass(frozen=True)
class Finding:
    """What a rule has found.

    :ivar code: the rule's, such as ``CR003``.
    :ivar severity: ``error``, ``warning`` or ``info``.
    :ivar revision: its identifier; empty for what is about all revisions.
    :ivar path: the revision's file.
    :ivar line: in that file, from 1.
    :ivar text: what was found and what to do.
    :ivar statement: the statement; empty for what is about the revision.
    """

    code: str
    severity: str
    revision: str
    path: str
    line: int
    text: str
    statement: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Give it for JSON, with the address of the rule's page."""
        return {**asdict(self), "title": MESSAGES[self.code].title, "page": page_of(self.code)}


def page_of(code: str) -> str:
    """Give a rule's page in the documentation."""
    return f"lint/{code}.md"


class Severities:
    """How severe each rule is.

    :param settings: of the project; ``lint.CR003`` is looked for.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._known: dict[str, str] = {}

    def of(self, code: str) -> str:
        """Give ``error``, ``warning``, ``info`` or ``off``.

        :raises ConfigurationError: the setting is something else.
        """
        if code not in self._known:
            choices = (*SEVERITIES, "off")
            self._known[code] = self._settings.choice(f"lint.{code}", choices, MESSAGES[code].severity)
        return self._known[code]


def lint(config: Config, revisions: Sequence[str] = ()) -> list[Finding]:
    """Lint revisions without a server.

    The setting ``dialect`` says which database they are for; without it ``env.py`` does, which runs as for ``--sql``.

    :param revisions: identifiers, ranges such as ``5f2c:head``, and files; all when empty. A file that no revision is
        or names is passed over.
    :raises ConfigurationError: for a database that this package doesn't know.
    :raises alembic.util.CommandError: for a revision that doesn't exist.
    """
    from alembic.script import ScriptDirectory

    scripts = ScriptDirectory.from_config(config)
    wanted = _chosen(scripts, revisions)
    settings = Settings(config)
    severities = Severities(settings)
    dialect = settings.choice("dialect", ("", *DIALECTS), "")
    found: list[Finding] = []

    def work(heads: Any, context: Any) -> None:
        found.extend(_lint_all(scripts, wanted, reading_impl(context), severities))

    in_environment(config, work, offline=True, dialect=dialect)
    found += _heads(scripts, severities)
    if not revisions:
        found += _retired(settings, severities, str(scripts.dir))
    return sorted(found, key=lambda each: (each.path, each.line, each.code))


def _chosen(scripts: Any, revisions: Sequence[str]) -> set[str]:
    if not revisions:
        return {script.revision for script in scripts.walk_revisions()}
    found = set()
    for name in revisions:
        first, colon, last = name.partition(":")
        if Path(name).suffix in (".py", *SUFFIXES) and Path(name).exists():
            file = Path(name).resolve()
            found |= {script.revision for script in scripts.walk_revisions() if file in _files(Path(script.path))}
        elif colon:
            found |= {script.revision for script in scripts.walk_revisions(first or "base", last or "heads")}
        else:
            found |= {script.revision for script in scripts.get_revisions(name) if script is not None}
    return found


def _files(revision: Path) -> list[Path]:
    return [path.resolve() for path in (revision, *files_named_in(revision))]


def _heads(scripts: Any, severities: Severities) -> Iterator[Finding]:
    heads = scripts.get_heads()
    severity = severities.of("AL004")
    if len(heads) > 1 and severity != "off":
        text = MESSAGES["AL004"].text.format(count=len(heads), heads=", ".join(heads))
        yield Finding("AL004", severity, "", str(scripts.dir), 1, text)


def _retired(settings: Settings, severities: Severities, path: str) -> Iterator[Finding]:
    """Count the rows of the ``StoredRows`` that the setting ``row_versions`` names, for steps that nobody needs."""
    names, severity = settings.text("row_versions").split(), severities.of("AL013")
    if not names or severity == "off":
        return
    from alembic_cluster.backfilling import imported_object
    from alembic_cluster.evolution_store import StoredRows

    for name in names:
        stored = imported_object(name)
        if not isinstance(stored, StoredRows):
            raise ConfigurationError(f"row_versions names {name!r}, which is no StoredRows; nothing was read")
        evolution = stored.evolution
        oldest = min(stored.counts(), default=evolution.current)
        gone = [f"{step.old} to {step.new}" for step in evolution.steps if step.new <= oldest]
        if gone:
            values = {"rows": repr(evolution.name), "oldest": oldest, "steps": ", ".join(gone)}
            yield Finding("AL013", severity, "", path, 1, MESSAGES["AL013"].text.format(**values))


def _lint_all(scripts: Any, wanted: set[str], impl: Any, severities: Severities) -> Iterator[Finding]:
    known = Known()
    dropped: set[str] = set()
    for script in reversed(list(scripts.walk_revisions())):
        yield from lint_revision(script, impl, severities, known, dropped, report=script.revision in wanted)


def lint_revision(
    script: Any, impl: Any, severities: Severities, known: Known, dropped: set[str], *, report: bool = True
) -> list[Finding]:
    """Lint one revision, inside an environment.

    :param known: what the revisions before have made; it learns what this one does.
    :param dropped: the columns that they have dropped; grows.
    :param report: whether its findings are wanted; otherwise it is only learned.
    """
    upgrade = read_function(impl, script, "upgrade", known)
    if not report:
        dropped |= {effect.name for each in upgrade.statements for effect in each.statement.effects if _drops(effect)}
        return []
    downgrade = read_function(impl, script, "downgrade", Known())
    return lint_read(upgrade, impl.dialect.name, severities, known, dropped, downgrade)


def lint_read(
    upgrade: ReadRevision,
    dialect: str,
    severities: Severities,
    known: Known,
    dropped: set[str],
    downgrade: ReadRevision | None = None,
) -> list[Finding]:
    """Lint what was read of a revision.

    :param downgrade: None where only what the upgrade sends is to be looked at.
    """
    script = upgrade.script
    source = read_source(upgrade)
    found: list[Finding] = []

    def note(code: str, lines: tuple[int, ...], values: Any, statement: str = "") -> None:
        severity = severities.of(code)
        silenced = [each for each in source.noqa if each.silences(code, lines)]
        if severity == "off" or silenced:
            return
        text = MESSAGES[code].text.format(**values)
        found.append(Finding(code, severity, script.revision, script.path, (lines or (1,))[-1], text, statement))

    for code, lines, values, statement in _of_effects(upgrade, source, dialect, known, dropped):
        note(code, lines, values, statement)
    if downgrade is not None:
        for code, rule in REVISION_RULES.items():
            for place in rule(Whole(upgrade, downgrade, source)):
                note(code, (place.line,), place.values)
        for silencer in source.noqa:
            _of_noqa(silencer, upgrade.complete, note)
    return _each_once(found)


def _drops(effect: Any) -> bool:
    return bool(effect.kind == "drop column")


def _of_effects(
    read: ReadRevision, source: Source, dialect: str, known: Known, dropped: set[str]
) -> Iterator[tuple[str, tuple[int, ...], dict[str, Any], str]]:
    rules = {**EFFECT_RULES[""], **EFFECT_RULES.get(dialect, {})}
    before: list[Any] = []
    for number, each in enumerate(read.statements):
        for effect in each.statement.effects:
            look = Look(read, each.statement, effect, before, dropped, known)
            for code, rule in rules.items():
                values = rule(look)
                if values is not None:
                    names = {"effect": str(effect), "name": effect.name, "table": effect.table, "column": effect.column}
                    yield code, source.lines_of(number, each.lines), {**names, **values}, shorten(each.statement.text)
            before.append(effect)
            dropped |= {effect.name} if _drops(effect) else set()


def _of_noqa(silencer: Noqa, complete: bool, note: Any) -> None:
    codes = {"codes": ", ".join(silencer.codes)}
    if not silencer.reason:
        note("AL006", (silencer.line,), codes)
    idle = [code for code in silencer.codes if code not in silencer.used and code not in ("AL006", "AL007")]
    if idle and complete:
        note("AL007", (silencer.line,), {"codes": ", ".join(idle)})


def _each_once(found: Iterable[Finding]) -> list[Finding]:
    return list(dict.fromkeys(found))


def fails(found: Iterable[Finding], at: str) -> bool:
    """Tell whether findings are severe enough to fail.

    :param at: the least severity that does; ``never`` for none.
    """
    if at == "never":
        return False
    if at not in SEVERITIES:
        raise ConfigurationError(f"--fail-on is {at!r}, and must be one of {', '.join(SEVERITIES)}, never")
    return any(SEVERITIES.index(each.severity) <= SEVERITIES.index(at) for each in found)


def relative(finding: Finding, folder: str | None = None) -> Finding:
    """Give a finding with its path seen from a folder, the working folder unless told, where it lies below."""
    path, here = Path(finding.path).resolve(), Path(folder or ".").resolve()
    return replace(finding, path=str(path.relative_to(here))) if path.is_relative_to(here) else finding
