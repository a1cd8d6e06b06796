"""``CREATE INDEX`` as PostgreSQL has it, read from a text."""

from __future__ import annotations

import pytest
from sqlalchemy.schema import CreateIndex
from sqlalchemy_cockroachdb.psycopg2 import CockroachDBDialect_psycopg2

from alembic_cluster.errors import UnsupportedConstruct
from alembic_crdb.dialect import adapt
from alembic_crdb.index_texts import index_of_text, is_postgresqls, leave_out_of_storing

READ = {
    "create index ix on t (a)": "CREATE INDEX ix ON t (a ASC)",
    'CREATE UNIQUE INDEX CONCURRENTLY "Ix" ON ONLY s."T" (lower(a), b DESC NULLS LAST);': (
        'CREATE UNIQUE INDEX "Ix" ON s."T" (lower(a) ASC, b DESC)'
    ),
    "CREATE INDEX ix ON t USING btree (a varchar_pattern_ops) INCLUDE (b, \"C\") WHERE a <> 'x:y'": (
        "CREATE INDEX ix ON t (a ASC) STORING (b, \"C\") WHERE a <> 'x:y'"
    ),
    "/* a */ CREATE INDEX ix ON t USING gin (a gin_trgm_ops)": "CREATE INVERTED INDEX ix ON t (a gin_trgm_ops)",
    "CREATE INDEX ix ON t (a) WITH (fillfactor = 70)": "CREATE INDEX ix ON t (a ASC)",
    "CREATE INDEX ix ON t ((a->>'b'), coalesce(c, d[1]))": (
        "CREATE INDEX ix ON t ((a->>'b') ASC, (coalesce(c, d[1])) ASC)"
    ),
}
#: What has no name, what only CockroachDB has, and what is no CREATE INDEX.
OTHER = [
    "CREATE INDEX ON t (a)",
    "CREATE INVERTED INDEX ix ON t (a)",
    "CREATE INDEX ix ON t (a) USING HASH WITH BUCKET_COUNT = 8",
    "CREATE INDEX ix ON t (a) PARTITION BY LIST (a) (PARTITION p VALUES IN (1))",
    "CREATE INDEX ix ON t (a",
    "CREATE INDEX ix ON d.s.t (a)",
    "CREATE INDEX ix ON t (a) NOT VISIBLE",
    "CREATE TABLE t (a INT)",
    "DROP INDEX ix",
    "CREATE INDEX ix ON t ('a",
]


@pytest.fixture
def dialect() -> CockroachDBDialect_psycopg2:
    made = CockroachDBDialect_psycopg2()
    adapt(made)
    return made


@pytest.mark.parametrize("text", READ)
def test_it_is_the_index_that_a_model_would_say(text: str, dialect: CockroachDBDialect_psycopg2) -> None:
    found = index_of_text(text)
    assert found is not None
    assert str(CreateIndex(found[0]).compile(dialect=dialect)) == READ[text]


@pytest.mark.parametrize("text", OTHER)
def test_everything_else_is_sent_as_it_is(text: str) -> None:
    assert index_of_text(text) is None


def test_if_not_exists_is_kept() -> None:
    found = index_of_text("CREATE INDEX IF NOT EXISTS ix ON t (a)")
    assert found is not None
    assert found[1]
    assert not is_postgresqls("CREATE INDEX IF NOT EXISTS ix ON t (a)")


def test_what_cockroachdb_lacks_is_refused(dialect: CockroachDBDialect_psycopg2) -> None:
    for text in ("CREATE UNIQUE INDEX ix ON t (a) NULLS NOT DISTINCT", "CREATE INDEX ix ON t USING brin (a)"):
        found = index_of_text(text)
        assert found is not None
        with pytest.raises(UnsupportedConstruct):
            CreateIndex(found[0]).compile(dialect=dialect)


def test_what_an_index_has_anyway_is_not_stored(dialect: CockroachDBDialect_psycopg2) -> None:
    found = index_of_text("CREATE INDEX ix ON t (a) INCLUDE (a, id, b)")
    assert found is not None
    leave_out_of_storing(found[0], frozenset({"id"}))
    assert str(CreateIndex(found[0]).compile(dialect=dialect)) == "CREATE INDEX ix ON t (a ASC) STORING (b)"
