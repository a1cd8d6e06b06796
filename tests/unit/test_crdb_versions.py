"""alembic_crdb.versions."""

from __future__ import annotations

import pytest

from alembic_crdb import versions


@pytest.mark.parametrize(
    ("answer", "version"),
    [
        ("CockroachDB CCL v21.1.0-alpha.00000000-dev (x86_64-linux-gnu, built 2026/11/21, go1.19.8)", (21, 1)),
        ("CockroachDB CCL v25.2.1 (x86_64-pc-linux-gnu, built 2025/06/03 16:00:00, go1.23.7)", (25, 2)),
        ("CockroachDB CCL v26.2.0-rc.1 (...)", (26, 2)),
    ],
)
def test_parse_version(answer: str, version: tuple[int, int]) -> None:
    assert versions.parse_version(answer) == version


def test_answer_of_another_server() -> None:
    with pytest.raises(ValueError, match="PostgreSQL 17"):
        versions.parse_version("PostgreSQL 17.2 on x86_64")


def test_switch() -> None:
    assert not versions.DROPS_UNIQUE_CONSTRAINT.on((26, 1))
    assert versions.DROPS_UNIQUE_CONSTRAINT.on((26, 2))
    assert versions.DROPS_UNIQUE_CONSTRAINT.on((27, 1))
