"""Autogenerate on a server, as a user runs it: a revision is written to a file, upgraded, downgraded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any
from unittest import mock
from uuid import uuid4

import alembic
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import produce_migrations, render_python_code
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy.engine import Connection, Engine

from alembic_crdb.database import read_database
from alembic_crdb.differences import compare_snapshots
from alembic_crdb.snapshot import Snapshot
from tests.servers.cockroach import CockroachCluster

Models = sa.MetaData | Sequence[sa.MetaData]

#: What a user's env.py comes to, with the connection and the models of the test.
_ENV = """
from alembic import context
given = context.config.attributes
context.configure(connection=given["connection"], target_metadata=given["models"], **given["options"])
with context.begin_transaction():
    context.run_migrations()
"""


#: What v21.1 has behind a setting of the session.
SETTINGS = (
    "experimental_enable_hash_sharded_indexes",
    "experimental_enable_unique_without_index_constraints",
)


def engine_of(url: str) -> Engine:
    """Make an engine whose sessions have everything that v21.1 has."""
    made = sa.create_engine(url, isolation_level="AUTOCOMMIT")

    @sa.event.listens_for(made, "connect")
    def set_up(connection: Any, record: Any) -> None:
        with connection.cursor() as cursor:
            for setting in SETTINGS:
                cursor.execute(f"SET {setting} = on")
        connection.commit()

    return made


@contextmanager
def connected(cockroach: CockroachCluster, driver: str) -> Iterator[Connection]:
    """Connect to an empty database, which is dropped afterwards.

    :param driver: such as ``psycopg2``, which takes ``%`` for itself.
    """
    made = engine_of(cockroach.url(cockroach.create_database(), driver))
    try:
        with made.connect() as connection:
            yield connection
            cockroach.drop_database(str(connection.scalar(sa.text("SELECT current_database()"))))
    finally:
        made.dispose()


def left_in(connection: Connection) -> list[str]:
    """Give the names of everything in a database but its schemas."""
    names = "SELECT table_name FROM [SHOW TABLES] UNION ALL SELECT name FROM [SHOW ENUMS]"
    return [str(row[0]) for row in connection.exec_driver_sql(names)]


def use_another_database(connection: Connection) -> None:
    """Have a connection go on in an empty database; the one before is dropped.

    A database dropped and made again by the same name is not found for a while on v21.1.
    """
    before = connection.scalar(sa.text("SELECT current_database()"))
    name = f"t_{uuid4().hex[:12]}"
    for statement in (f"CREATE DATABASE {name}", f"USE {name}", f"DROP DATABASE {before} CASCADE"):
        connection.exec_driver_sql(statement)


class Live:
    """A database, and a folder of revisions in which there is at most one.

    :param connection: in autocommit.
    :param folder: an empty folder.
    :param options: of ``context.configure``.

    What autogenerate reads is read once between two changes of the database, for reading is most of the time.
    """

    def __init__(self, connection: Connection, folder: Path, **options: Any) -> None:
        self.connection = connection
        self.options = options
        self._read: Snapshot | None = None
        self.versions = folder / "versions"
        self.versions.mkdir()
        (folder / "env.py").write_text(_ENV)
        template = Path(alembic.__file__).parent / "templates" / "generic" / "script.py.mako"
        (folder / "script.py.mako").write_text(template.read_text())
        self.config = Config()
        self.config.set_main_option("script_location", str(folder).replace("%", "%%"))
        self.config.set_main_option("path_separator", "os")
        self.config.attributes.update(connection=connection, options=options)

    def found(self, models: Models) -> str:
        """Give what autogenerate would write into the upgrade; empty when it is silent."""
        context = MigrationContext.configure(self.connection, opts={"target_metadata": models, **self.options})
        with self._reading_once():
            script = produce_migrations(context, models)  # type: ignore[arg-type]
        if script.upgrade_ops is None or script.upgrade_ops.is_empty():
            return ""
        return render_python_code(script.upgrade_ops, migration_context=context)

    def expect_silence(self, models: Models, when: str) -> None:
        """Have autogenerate find nothing.

        :raises AssertionError: it found something.
        """
        found = self.found(models)
        assert found == "", f"{found}\nwas found {when}"

    def revision(self, models: Models) -> str:
        """Have the revision written that makes the database what the models say; gives its text."""
        self.config.attributes["models"] = models
        with self._reading_once():
            command.revision(self.config, rev_id="a1", autogenerate=True)
        (file,) = self.versions.glob("*.py")
        return file.read_text()

    def upgrade(self) -> None:
        """Run the revision."""
        self._read = None
        command.upgrade(self.config, "head")

    def downgrade(self) -> None:
        """Take the revision back, and throw it away."""
        self._read = None
        command.downgrade(self.config, "base")
        for file in self.versions.glob("*.py"):
            file.unlink()

    def snapshot(self) -> Snapshot:
        """Read the database."""
        snapshot = self._database(self.connection)
        return Snapshot(
            **{**vars(snapshot), "tables": {k: t for k, t in snapshot.tables.items() if k[1] != "alembic_version"}}
        )

    def _reading_once(self) -> AbstractContextManager[Any]:
        return mock.patch("alembic_crdb.reflection.read_database", self._database)

    def _database(self, connection: Connection) -> Snapshot:
        if self._read is None:
            self._read = read_database(connection)
        return self._read

    def there_and_back(self, old: Models, new: Models) -> str:
        """Go from the database of the old models to that of the new ones and back.

        :param old: the database is what they say.
        :return: the revision.
        :raises AssertionError: autogenerate found something where nothing differs, or the database is not what it was.
        """
        before = self.snapshot()
        self.expect_silence(old, "before")
        text = self.revision(new)
        self.upgrade()
        self.expect_silence(new, f"after the upgrade by {text}")
        self.downgrade()
        self.expect_silence(old, f"after the downgrade by {text}")
        after = self.snapshot()
        assert list(compare_snapshots(after, before)) == [], text
        for kind in ("tables", "views", "enums", "sequences", "schemas"):
            assert set(getattr(after, kind)) == set(getattr(before, kind)), text
        return text
