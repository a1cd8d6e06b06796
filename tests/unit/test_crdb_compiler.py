"""DDL text for CockroachDB, without a server."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.schema import CreateTable, DropIndex
from sqlalchemy_cockroachdb.psycopg import CockroachDBDialect_psycopg
from sqlalchemy_cockroachdb.psycopg2 import CockroachDBDialect_psycopg2

from alembic_crdb.compiler import DropUniqueIndex
from alembic_crdb.dialect import adapt
from alembic_crdb.lexer import QUOTED_WORDS


@pytest.fixture(params=[CockroachDBDialect_psycopg2, CockroachDBDialect_psycopg])
def dialect(request: pytest.FixtureRequest) -> Any:
    made = request.param()
    adapt(made)
    return made


def _text(element: Any, dialect: Any) -> str:
    return " ".join(str(element.compile(dialect=dialect)).split())


@pytest.mark.parametrize(("persisted", "word"), [(None, "STORED"), (True, "STORED"), (False, "VIRTUAL")])
def test_computed(dialect: Any, persisted: bool | None, word: str) -> None:
    table = sa.Table("t", sa.MetaData(), sa.Column("x", sa.Integer(), sa.Computed("a + 1", persisted=persisted)))
    assert _text(CreateTable(table), dialect) == f"CREATE TABLE t ( x INT NULL AS (a + 1) {word} )"


def test_computed_of_an_expression_names_no_table(dialect: Any) -> None:
    table = sa.Table("t", sa.MetaData(), sa.Column("a", sa.Integer()))
    table.append_column(sa.Column("x", sa.Integer(), sa.Computed(table.c.a + 1)))
    assert "x INT NULL AS (a + 1) STORED" in _text(CreateTable(table), dialect)


@pytest.mark.parametrize("schema", [None, "My Schema"])
def test_drop_index_names_its_table(dialect: Any, schema: str | None) -> None:
    table = sa.Table("order", sa.MetaData(), sa.Column("a", sa.Integer()), schema=schema)
    index = sa.Index("Ix A", table.c.a)
    where = '"order"' if schema is None else '"My Schema"."order"'
    assert _text(DropIndex(index), dialect) == f'DROP INDEX {where}@"Ix A"'
    assert _text(DropIndex(index, if_exists=True), dialect) == f'DROP INDEX IF EXISTS {where}@"Ix A"'
    assert _text(DropUniqueIndex(index), dialect) == f'DROP INDEX {where}@"Ix A" CASCADE'
    assert _text(DropUniqueIndex(index, if_exists=True), dialect) == f'DROP INDEX IF EXISTS {where}@"Ix A" CASCADE'


@pytest.mark.parametrize("word", sorted(QUOTED_WORDS))
def test_keywords_are_quoted(dialect: Any, word: str) -> None:
    table = sa.Table(word, sa.MetaData(), sa.Column(word, sa.Integer()))
    assert _text(CreateTable(table), dialect) == f'CREATE TABLE "{word}" ( "{word}" INT NULL )'
    assert _text(sa.select(table), dialect) == f'SELECT "{word}"."{word}" FROM "{word}"'


def test_ordinary_names_are_not_quoted(dialect: Any) -> None:
    table = sa.Table("accounts", sa.MetaData(), sa.Column("name", sa.Integer()), sa.Column("key", sa.Integer()))
    assert '"' not in _text(CreateTable(table), dialect)


def test_adapting_leaves_other_dialects_alone(dialect: Any) -> None:
    other = CockroachDBDialect_psycopg2()
    assert "full" not in other.identifier_preparer.reserved_words
    words = dialect.identifier_preparer.reserved_words
    adapt(dialect)
    assert dialect.identifier_preparer.reserved_words == words
