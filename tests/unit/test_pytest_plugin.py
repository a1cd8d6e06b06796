"""The fixtures for tests of a project that has migrations."""

from __future__ import annotations

import pytest

pytest_plugins = ["pytester"]


def test_without_a_server(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MIGRATIONS_URL", raising=False)
    pytester.makepyfile("def test_it(migrated_engine): pass")
    ran = pytester.runpytest_subprocess("-p", "no:cacheprovider", "-rs")
    ran.assert_outcomes(skipped=1)
    ran.stdout.fnmatch_lines(["*no server for a migrated database*"])
