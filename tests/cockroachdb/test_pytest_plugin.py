"""The fixtures on CockroachDB: each test has a migrated database of its own, and none is left."""

from __future__ import annotations

import pytest

from tests.servers.fixtures import CockroachDatabase

pytest_plugins = ["pytester"]


def test_migrated_databases(pytester: pytest.Pytester, cockroach_database: CockroachDatabase) -> None:
    folder = pytester.mkdir("sql")
    (folder / "1_users.sql").write_text("CREATE TABLE users (id INT PRIMARY KEY);\n-- @UNDO\nDROP TABLE users;\n")
    pytester.makeini("[pytest]\nmigrations_config = sql\n")
    pytester.makepyfile(
        """
        import pytest, sqlalchemy as sa

        @pytest.mark.parametrize("number", [1, 2])
        def test_users(migrated_engine, migrated_database, number):
            with migrated_engine.begin() as connection:
                connection.execute(sa.text("INSERT INTO users VALUES (1)"))
            assert migrated_database.migrator.current() == ("1",)
        """
    )
    ran = pytester.runpytest_subprocess("-p", "no:cacheprovider", f"--migrations-url={cockroach_database.url}")
    ran.assert_outcomes(passed=2)
    assert not [row for row in cockroach_database.execute("SHOW DATABASES") if row[0].startswith("test_")]
