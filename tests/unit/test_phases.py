"""alembic_cluster.phases: which revisions run before a deployment and which after, in a graph that stays consistent."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from alembic_cluster.errors import ConfigurationError, PhaseRefused
from alembic_cluster.phases import steps_of

Graph = dict[str, tuple[str, str | tuple[str, ...] | None]]  # revision: phase and what it stands on


@pytest.fixture
def scripts(tmp_path: Path) -> ScriptDirectory:
    config = Config(str(tmp_path / "alembic.ini"), stdout=io.StringIO())
    command.init(config, str(tmp_path / "migrations"))
    return ScriptDirectory(str(tmp_path / "migrations"))


def chosen(scripts: ScriptDirectory, graph: Graph, phase: str, applied: str = "base", target: str = "heads") -> str:
    for name, (own, down) in graph.items():
        line = {"E": "phase = 'expand'", "C": "phase = 'contract'", "": "", "?": "phase = 'later'"}[own]
        (Path(scripts.dir) / "versions" / f"{name}.py").write_text(
            f"revision = {name!r}\ndown_revision = {down!r}\n{line}\ndef upgrade(): pass\ndef downgrade(): pass\n"
        )
    scripts = ScriptDirectory(scripts.dir)  # the one before knows the graph before
    steps = scripts._upgrade_revs(target, () if applied == "base" else applied)  # type: ignore[arg-type]
    return " ".join(step.revision.revision for step in steps_of(steps, phase))


LINE: Graph = {"a": ("", None), "b": ("E", "a"), "c": ("C", "b"), "d": ("C", "c")}


def test_expansions_run_up_to_the_first_contraction(scripts: ScriptDirectory) -> None:
    assert chosen(scripts, LINE, "expand") == "a b"
    assert chosen(scripts, LINE, "expand", applied="b") == ""
    assert chosen(scripts, LINE, "contract", applied="b") == "c d"
    assert chosen(scripts, LINE, "contract", applied="b", target="c") == "c"
    assert chosen(scripts, LINE, "contract", applied="d") == ""


def test_a_contraction_is_not_skipped_over(scripts: ScriptDirectory) -> None:
    graph: Graph = {**LINE, "e": ("E", "d"), "f": ("C", "e")}
    with pytest.raises(PhaseRefused, match="expand revision e stands on the contract revision c, d, which has not run"):
        chosen(scripts, graph, "expand")
    assert chosen(scripts, graph, "expand", target="d") == "a b"
    assert chosen(scripts, graph, "contract", applied="b") == "c d"  # f waits for e
    assert chosen(scripts, graph, "expand", applied="d") == "e"


def test_a_contraction_does_not_come_before_its_expansions(scripts: ScriptDirectory) -> None:
    with pytest.raises(PhaseRefused, match="contract revision c stands on the expand revision a, b"):
        chosen(scripts, LINE, "contract")


def test_branches_go_on_by_themselves(scripts: ScriptDirectory) -> None:
    graph: Graph = {"a": ("", None), "c": ("C", "a"), "x": ("E", "a"), "y": ("E", "x")}
    assert chosen(scripts, graph, "expand") == "a x y"
    graph["m"] = ("E", ("c", "y"))
    with pytest.raises(PhaseRefused, match="m stands on the contract revision c"):
        chosen(scripts, graph, "expand")


def test_a_phase_that_is_none(scripts: ScriptDirectory) -> None:
    with pytest.raises(ConfigurationError, match="phase of revision a is 'later'"):
        chosen(scripts, {"a": ("?", None)}, "expand")
