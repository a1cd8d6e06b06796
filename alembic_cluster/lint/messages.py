"""Every text of every rule: what it says, why, and the revision before and after.

``docs/lint`` is made from here by ``python -m alembic_cluster.lint.pages docs/lint``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Message:
    """The texts of one rule.

    :ivar title: its name in a few words.
    :ivar severity: ``error``, ``warning`` or ``info``, unless the configuration says otherwise.
    :ivar text: what a finding says, with ``{name}`` and others to be filled in, and what to do.
    :ivar why: the reason, for the rule's page.
    :ivar bad: a revision's lines that it finds.
    :ivar good: what to write in their place.
    """

    title: str
    severity: str
    text: str
    why: str
    bad: str
    good: str


SEVERITIES: Final = ("error", "warning", "info")

MESSAGES: Final[dict[str, Message]] = {}


def _add(code: str, severity: str, title: str, text: str, why: str, bad: str, good: str) -> None:
    MESSAGES[code] = Message(title, severity, text, why, bad.strip("\n"), good.strip("\n"))


# -------------------------------------------------------------------------------------------------- both databases

_add(
    "AL001",
    "error",
    "Loses data and does not say so",
    "{effect}: {destructive}. If that is meant, write allow_destructive = True at the top of the revision.",
    "A run under `migration_lock` refuses such a revision unless it is allowed, so a deployment would stop here. Saying "
    "it in the file has it reviewed with the change.",
    "op.drop_column('users', 'email')",
    "allow_destructive = True\n\n\ndef upgrade():\n    op.drop_column('users', 'email')",
)
_add(
    "AL002",
    "warning",
    "No way back",
    "downgrade() sends nothing, although upgrade() sends {count} statement(s). Write it, or have it raise an error "
    "that says why there is no way back.",
    "A `downgrade` that does nothing moves the version table and leaves the schema as it is: the next `upgrade` then "
    "fails on what is there already.",
    "def upgrade():\n    op.add_column('users', sa.Column('email', sa.Text))\n\n\ndef downgrade():\n    pass",
    "def downgrade():\n    op.drop_column('users', 'email')",
)
_add(
    "AL003",
    "info",
    "Could not be read to its end",
    "{direction}() could not be read to its end: {problem}. What comes after it was not looked at.",
    "Rules look at what a revision sends, which is found out by running its functions without a server. A function "
    "that reads from the database can't be followed further than that.",
    "if op.get_bind().scalar(sa.text('SELECT count(*) FROM users')):\n    op.drop_table('users')",
    "op.drop_table('users')",
)
_add(
    "AL004",
    "error",
    "More than one head",
    "The revisions have {count} heads: {heads}. Merge them with 'alembic merge heads'.",
    "`upgrade head` is refused when there are several, mostly after two branches of a repository were merged.",
    "down_revision = '5f2c'  # as in another revision",
    "alembic merge -m 'one line again' heads",
)
_add(
    "AL005",
    "error",
    "An expansion takes something away",
    '{effect} stands in a revision with phase = "expand", which runs while the old program does. Move it into a '
    'revision with phase = "contract".',
    "The old version of the program still runs when expansions are applied. What it needs must stay until the "
    "contraction.",
    "phase = 'expand'\n\n\ndef upgrade():\n    op.drop_column('users', 'email')",
    "phase = 'contract'\n\n\ndef upgrade():\n    op.drop_column('users', 'email')",
)
_add(
    "AL006",
    "warning",
    "noqa without a reason",
    "noqa: {codes} has no reason behind it.",
    "Who reads the revision in a year has to know why the rule does not hold here.",
    "op.drop_index('ix')  # noqa: CR010",
    "op.drop_index('ix')  # noqa: CR010 no other table has an index of this name",
)
_add(
    "AL007",
    "warning",
    "noqa that nothing needs",
    "noqa: {codes} silences nothing. Take it out.",
    "A comment that silences nothing hides what comes later.",
    "op.create_table('t', ...)  # noqa: CR016 all rows are new",
    "op.create_table('t', ...)",
)
_add(
    "AL008",
    "error",
    "A text that can't be read",
    "This text can't be taken apart into statements: {statement}",
    "A string, a quoted name or a body that nothing closes is refused by the server, too, after what stands before it "
    "was applied.",
    "op.execute(\"INSERT INTO t VALUES ('it's')\")",
    "op.execute(\"INSERT INTO t VALUES ('it''s')\")",
)
_add(
    "AL009",
    "warning",
    "Imports the application",
    "The revision imports {module}. Write down in the revision what it needs of it.",
    "A revision says what was true when it was written. A model that it imports is another one in a year, and the "
    "revision then fails on a fresh database.",
    "from myapp.models import User\n\n\ndef upgrade():\n    User.__table__.create(op.get_bind())",
    "def upgrade():\n    op.create_table('users', sa.Column('id', sa.UUID, primary_key=True))",
)
_add(
    "AL010",
    "info",
    "No message",
    "The revision has no message: its first line says what it is for.",
    "`history`, `status` and the ledger show it.",
    "revision = '5f2c'",
    '"""users have an email"""\n\nrevision = \'5f2c\'',
)
_add(
    "AL011",
    "error",
    "Refused before it runs",
    "{direction}() would be refused: {problem}.",
    "The database has no way to do it, which is told without asking the server. Nothing of the revision would be sent.",
    "op.drop_constraint('t_pkey', 't', type_='primary')",
    "op.drop_constraint('t_pkey', 't', type_='primary')\nop.create_primary_key('t_pkey', 't', ['id', 'day'])",
)

_add(
    "AL012",
    "error",
    "A word that means nothing",
    "{problem}.",
    "`phase` and `allow_destructive` are read when the revision runs with `--phase`, or loses data: in production, late.",
    "phase = 'expnd'",
    "phase = 'expand'",
)
_add(
    "AL013",
    "info",
    "A step of row versions that no row needs",
    "No row of {rows} is older than version {oldest} any more: its steps before that ({steps}) can be taken away.",
    "A step is kept for rows of an old version. `alembic_cluster.row_versions` in `alembic.ini` names the `StoredRows` "
    "whose rows are counted, as `module:name`, separated by spaces; without it no database is asked.",
    "@users.step(1, 2)\ndef name_is_full_name(row): ...\n\n\n@users.step(2, 3)\ndef trimmed(row): ...",
    "@users.step(2, 3)\ndef trimmed(row): ...",
)

# ------------------------------------------------------------------------------------------------------ CockroachDB

_add(
    "CR001",
    "error",
    "Table without a primary key",
    "Table {name} has no primary key, so CockroachDB adds a hidden rowid. Give it one.",
    "The hidden `rowid` is made from the time, so all new rows go to one range. Changing the key later rewrites the "
    "table.",
    "op.create_table('t', sa.Column('a', sa.Text))",
    "op.create_table('t', sa.Column('id', sa.UUID, primary_key=True, server_default=sa.text('gen_random_uuid()')))",
)
_add(
    "CR002",
    "warning",
    "Sequential primary key",
    "Column {column} of the primary key of {table} counts up, so every insert goes to the same range. Use a UUID, or "
    "hash sharding.",
    'Ranges are ordered by the key. Keys that grow make one node take all inserts (documentation, page "SQL '
    'Performance Best Practices").',
    "op.execute('CREATE TABLE t (id SERIAL PRIMARY KEY)')",
    "op.execute('CREATE TABLE t (id UUID PRIMARY KEY DEFAULT gen_random_uuid())')",
)
_add(
    "CR003",
    "error",
    "NOT NULL column without a default",
    "Column {name} is added NOT NULL without a default, which is refused for a table with rows. Give it a "
    "server_default, or add it nullable, fill it in, and set NOT NULL in a later revision.",
    "The rows that are there would have no value for it. On an empty table of a developer it works, in production it "
    "does not.",
    "op.add_column('t', sa.Column('a', sa.Text, nullable=False))",
    "op.add_column('t', sa.Column('a', sa.Text, nullable=False, server_default=''))",
)
_add(
    "CR004",
    "error",
    "Counting column added to a table",
    "Column {name} is added with a sequence or identity, which is refused for a table with rows. Add it without, and "
    "fill it in by batches.",
    'CockroachDB can\'t fill the rows that are there from a sequence (documentation, page "ALTER TABLE").',
    "op.execute('ALTER TABLE t ADD COLUMN n SERIAL')",
    "op.execute('ALTER TABLE t ADD COLUMN n UUID DEFAULT gen_random_uuid()')",
)
_add(
    "CR005",
    "warning",
    "Change of type that rewrites",
    "The new type {type} of {name} rewrites the column in all rows, and is refused while an index, a check or a view "
    "uses it. Add a new column, fill it in, and drop the old one.",
    "While it is rewritten, both versions are kept up; a value that does not fit fails it at the end.",
    "op.alter_column('t', 'a', type_=sa.BigInteger, postgresql_using='a::INT8')",
    "op.add_column('t', sa.Column('a_number', sa.BigInteger))",
)
_add(
    "CR006",
    "error",
    "Change of type beside other commands",
    "The change of the type of {name} stands in one ALTER TABLE with others, which is refused. Make it a statement of "
    "its own.",
    '`ALTER COLUMN TYPE` cannot be combined (documentation, page "ALTER COLUMN").',
    "op.execute('ALTER TABLE t ALTER a TYPE STRING, ADD COLUMN b INT8')",
    "op.execute('ALTER TABLE t ALTER a TYPE STRING')\nop.execute('ALTER TABLE t ADD COLUMN b INT8')",
)
_add(
    "CR007",
    "warning",
    "UPDATE of a whole table",
    "All rows of {table} are updated in one transaction. Do it in batches.",
    "One transaction over many rows holds writes up, is retried as a whole, and fails when it grows too large "
    '(documentation, page "Bulk-update Data").',
    "op.execute('UPDATE t SET a = b')",
    "op.execute('UPDATE t SET a = b WHERE a IS NULL AND id < 1000')  # and so on, by batches",
)
_add(
    "CR008",
    "warning",
    "Whole table copied in one transaction",
    "All rows of a query are inserted into {table} in one transaction. Do it in batches.",
    "As with UPDATE: a long transaction holds others up and is retried as a whole.",
    "op.execute('INSERT INTO t SELECT * FROM u')",
    "op.execute('INSERT INTO t SELECT * FROM u WHERE id < 1000')  # and so on, by batches",
)
_add(
    "CR009",
    "warning",
    "Index on what grows",
    "The index {name} begins with {column} ({type}), which grows, so every insert goes to the same range. Use hash "
    "sharding, or put another column first.",
    'An index is ordered like a primary key (documentation, page "Hash-sharded Indexes").',
    "op.create_index('ix_at', 'events', ['created_at'])",
    "op.execute('CREATE INDEX ix_at ON events (created_at) USING HASH')",
)
_add(
    "CR010",
    "info",
    "Index dropped without its table",
    "DROP INDEX {name} does not say the table. Write table@{name}.",
    "Names of indexes are those of their table: with two of one name the statement is refused as ambiguous.",
    "op.drop_index('ix')",
    "op.drop_index('ix', 't')",
)
_add(
    "CR011",
    "warning",
    "Change of a primary key",
    "The new primary key of {name} rewrites all its indexes, and the old key stays as a unique index. Drop that in a "
    "later revision, and make no other change of the table meanwhile.",
    'Every index holds the key of the table (documentation, page "ALTER TABLE", ALTER PRIMARY KEY).',
    "op.execute('ALTER TABLE t ALTER PRIMARY KEY USING COLUMNS (b)')",
    "op.execute('ALTER TABLE t ALTER PRIMARY KEY USING COLUMNS (b)')  # noqa: CR011 small table",
)
_add(
    "CR012",
    "info",
    "Constraint that reads all rows",
    "The constraint {name} is checked against all rows. For a large table add it NOT VALID, and VALIDATE it in a later "
    "revision.",
    "A row that breaks it fails the revision at the end of the reading. `NOT VALID` holds for new rows at once.",
    "op.create_foreign_key('fk', 'orders', 'users', ['user_id'], ['id'])",
    "op.execute('ALTER TABLE orders ADD CONSTRAINT fk FOREIGN KEY (user_id) REFERENCES users (id) NOT VALID')",
)
_add(
    "CR013",
    "warning",
    "NOT NULL on a column that is there",
    "NOT NULL on {name} reads all rows, and fails if one has no value. Fill the column in first; the old program must "
    "not write NULL any more.",
    "It is a contraction: it belongs after the deployment of a program that always writes a value.",
    "op.alter_column('t', 'a', nullable=False)",
    "phase = 'contract'\n\n\ndef upgrade():\n    op.alter_column('t', 'a', nullable=False)  # noqa: CR013 filled in 5f2c",
)
_add(
    "CR014",
    "warning",
    "Rename",
    "{effect} to {to}: programs that run know the old name only. Add the new one, copy, and drop the old one later.",
    "Between the revision and the deployment, and while old and new version run side by side, one of the two fails.",
    "op.alter_column('users', 'mail', new_column_name='email')",
    "op.add_column('users', sa.Column('email', sa.Text))  # fill in, deploy, then drop mail",
)
_add(
    "CR015",
    "info",
    "CONCURRENTLY does nothing",
    "CONCURRENTLY has no effect on {name}: CockroachDB changes every index online. Leave it out.",
    "The word is accepted for PostgreSQL's sake.",
    "op.execute('CREATE INDEX CONCURRENTLY ix ON t (a)')",
    "op.create_index('ix', 't', ['a'])",
)
_add(
    "CR016",
    "warning",
    "TTL on a table with rows",
    "Row-level TTL begins to delete rows of {table} that are there, with the next run of its job.",
    "Rows that are older than the TTL are gone within a day. `ttl_expire_after` also adds a column to all rows.",
    "op.execute(\"ALTER TABLE t SET (ttl_expire_after = '30 days')\")",
    "op.execute(\"CREATE TABLE t2 (id UUID PRIMARY KEY) WITH (ttl_expire_after = '30 days')\")  # and write to it",
)
_add(
    "CR017",
    "warning",
    "Value of an enum dropped",
    "DROP VALUE of {name} reads every table that uses the type, and fails if a row has the value.",
    "Programs that still write the value fail meanwhile.",
    "op.execute(\"ALTER TYPE mood DROP VALUE 'sad'\")",
    "op.execute(\"UPDATE people SET mood = 'ok' WHERE mood = 'sad'\")  # deploy, and drop the value later",
)
_add(
    "CR018",
    "error",
    "Deferrable constraint",
    "The constraint of {table} is DEFERRABLE, which CockroachDB does not have.",
    'Constraints are checked at the end of each statement (documentation, page "Foreign Key Constraint").',
    "op.execute('ALTER TABLE a ADD CONSTRAINT fk FOREIGN KEY (x) REFERENCES b (id) DEFERRABLE')",
    "op.create_foreign_key('fk', 'a', 'b', ['x'], ['id'])",
)
_add(
    "CR019",
    "error",
    "Advisory lock",
    "Advisory locks say that they are held and hold nothing before v26.3. Use migration_lock, or a row.",
    "They are stubs for PostgreSQL's programs (cockroachdb/cockroach issue 13546).",
    "op.execute('SELECT pg_advisory_lock(1)')",
    "with migration_lock(context):\n    context.run_migrations()",
)
_add(
    "CR020",
    "warning",
    "crdb_internal",
    "crdb_internal is closed to programs since v26.1. Use SHOW, information_schema or pg_catalog.",
    "The session setting `allow_unsafe_internals` is off by default, and the tables change without notice.",
    "op.execute('SELECT * FROM crdb_internal.tables')",
    "op.execute('SELECT * FROM information_schema.tables')",
)
_add(
    "CR021",
    "warning",
    "Transaction in a text",
    "{kind} in a text: schema changes in an explicit transaction can fail at the commit, half applied. Leave it out; "
    "for rows use with op.get_context().begin_transaction().",
    'A schema change inside an explicit transaction is not atomic with the rest (documentation, page "Online Schema '
    'Changes").',
    "op.execute('BEGIN; ALTER TABLE t ADD COLUMN a INT8; COMMIT')",
    "op.execute('ALTER TABLE t ADD COLUMN a INT8')",
)
_add(
    "CR022",
    "warning",
    "CREATE TABLE AS",
    "Table {name} gets rows and types of the query, and no primary key, index, default or constraint. Create it, then "
    "insert in batches.",
    "The key is a hidden rowid then, and the whole query is one transaction.",
    "op.execute('CREATE TABLE t2 AS SELECT * FROM t')",
    "op.create_table('t2', sa.Column('id', sa.UUID, primary_key=True))",
)
_add(
    "CR023",
    "warning",
    "Change of locality",
    "SET LOCALITY on {name} moves rows between regions, and to or from REGIONAL BY ROW it rewrites every index.",
    "It can't stand beside other commands, and no region can be added or dropped meanwhile.",
    "op.execute('ALTER TABLE t SET LOCALITY REGIONAL BY ROW')",
    "op.execute('ALTER TABLE t SET LOCALITY REGIONAL BY ROW')  # noqa: CR023 at night",
)
_add(
    "CR024",
    "warning",
    "Vector index that blocks writes",
    "Writes to {table} are refused until the vector index is built, before v25.4.",
    'Since v25.4 it is built online (documentation, page "Vector Indexes").',
    "op.execute('CREATE VECTOR INDEX ON t (v)')",
    "op.execute('CREATE TABLE t (id UUID PRIMARY KEY, v VECTOR(3), VECTOR INDEX (v))')",
)
_add(
    "CR025",
    "error",
    "schema_locked beside others",
    "schema_locked of {table} can be set only by itself, in a statement of its own.",
    'Any other command in the same statement is refused (documentation, page "ALTER TABLE").',
    "op.execute('ALTER TABLE t SET (schema_locked = false, ttl_pause = true)')",
    "op.execute('ALTER TABLE t SET (schema_locked = false)')\nop.execute('ALTER TABLE t SET (ttl_pause = true)')",
)
_add(
    "CR026",
    "warning",
    "Change behind a change of the primary key",
    "{effect} comes in the same revision behind a change of the primary key of {table}; the server refuses it while "
    "that cleans up. Put it into a revision of its own.",
    "A table whose primary key changes takes no other schema change until it is done.",
    "op.execute('ALTER TABLE t ALTER PRIMARY KEY USING COLUMNS (b)')\nop.add_column('t', sa.Column('c', sa.Text))",
    "op.add_column('t', sa.Column('c', sa.Text))\nop.execute('ALTER TABLE t ALTER PRIMARY KEY USING COLUMNS (b)')",
)

# ------------------------------------------------------------------------------------- Cassandra, ScyllaDB

_add(
    "CQ001",
    "error",
    "Change of a column's type",
    "The type of {name} can't be changed: Cassandra refuses it, ScyllaDB takes few types. Add a column of another name.",
    "Values on disk keep the bytes of their type (CASSANDRA-12443).",
    "op.execute('ALTER TABLE t ALTER a TYPE bigint')",
    "op.add_column('t', sa.Column('a2', sa.BigInteger))  # copy in batches, drop a later",
)
_add(
    "CQ002",
    "error",
    "Rename outside of the primary key",
    "Column {name} is no part of the primary key, so it can't be renamed. Add a column of the new name, and copy.",
    "Only primary key columns can be renamed (Cassandra, AlterTableStatement.java).",
    "op.alter_column('users', 'mail', new_column_name='email')",
    "op.add_column('users', sa.Column('email', sa.Text))",
)
_add(
    "CQ003",
    "error",
    "Dropped column comes back",
    "Column {name} was dropped before. Values written before the drop may come back, and another type is refused. Give "
    "it another name.",
    "A dropped column's values stay on disk until they are compacted away; the server keeps its name and type.",
    "op.drop_column('t', 'a')\nop.add_column('t', sa.Column('a', sa.Integer))",
    "op.drop_column('t', 'a')\nop.add_column('t', sa.Column('a_number', sa.Integer))",
)
_add(
    "CQ004",
    "info",
    "Secondary index of the old kind",
    "The index {name} on {table} is read from every node. Use a storage-attached index (Cassandra 5.0), or a table of "
    "its own for the query.",
    "A query by such an index alone asks all nodes, and its own files are hard to keep small.",
    "op.create_index('ix', 'users', ['email'])",
    "op.execute(\"CREATE INDEX ix ON users (email) USING 'sai'\")",
)
_add(
    "CQ005",
    "warning",
    "Materialized view",
    "The materialized view {name} is built from all rows of {table}, and can drift from it. Write to a second table "
    "from the program instead.",
    "Cassandra calls views experimental and has them switched off (`materialized_views_enabled`).",
    "op.execute('CREATE MATERIALIZED VIEW v AS SELECT * FROM t WHERE a IS NOT NULL AND id IS NOT NULL "
    "PRIMARY KEY (a, id)')",
    "op.create_table('t_by_a', ...)",
)
_add(
    "CQ006",
    "warning",
    "ALLOW FILTERING",
    "ALLOW FILTERING reads every row of the table. Read by partition key, or by token ranges.",
    "It works on a small table of a developer, and times out in production.",
    'op.execute("SELECT * FROM t WHERE a = 1 ALLOW FILTERING")',
    'op.execute("SELECT * FROM t WHERE id = 1")',
)
_add(
    "CQ007",
    "error",
    "gc_grace_seconds of 0",
    "gc_grace_seconds = {value} of {table}: deleted rows come back when a node was down meanwhile. Leave at least the "
    "time between two repairs.",
    "The mark of a deletion is forgotten after that time; a node that did not see it brings the row back.",
    "op.alter_table_options('t', {'gc_grace_seconds': 0})",
    "op.alter_table_options('t', {'gc_grace_seconds': 864000})",
)
_add(
    "CQ008",
    "warning",
    "TTL on a table that is there",
    "default_time_to_live of {table}: rows written from then on are deleted after {value} s; those that are there stay "
    "for ever.",
    "Old and new rows then live for different times. Rows that are there get a TTL only when they are written again.",
    "op.alter_table_options('t', {'default_time_to_live': 86400})",
    "op.create_table('t2', ..., cql_default_time_to_live=86400)  # and write to it",
)
_add(
    "CQ009",
    "warning",
    "TRUNCATE needs every node",
    "TRUNCATE {table} fails while a node is down, and leaves a snapshot on each. Drop the table and create it under "
    "another name, or delete by partition.",
    "It is the one statement that all nodes have to answer.",
    "op.execute('TRUNCATE t')",
    "op.create_table('t2', ...)",
)
_add(
    "CQ010",
    "warning",
    "SimpleStrategy",
    "Keyspace {name} has SimpleStrategy, which knows no datacenters. Use NetworkTopologyStrategy.",
    "A second datacenter can't be added later without moving all rows.",
    "op.execute(\"CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 3}\")",
    "op.execute(\"CREATE KEYSPACE k WITH replication = {'class': 'NetworkTopologyStrategy', 'dc1': 3}\")",
)
_add(
    "CQ011",
    "warning",
    "Change of replication",
    "New replicas of keyspace {name} have no rows until 'nodetool rebuild' or 'repair' has run; reads may miss rows "
    "meanwhile.",
    "`ALTER KEYSPACE` only says where rows belong.",
    "op.execute(\"ALTER KEYSPACE k WITH replication = {'class': 'NetworkTopologyStrategy', 'dc1': 5}\")",
    "op.execute(...)  # noqa: CQ011 rebuild follows, see the runbook",
)
_add(
    "CQ012",
    "error",
    "durable_writes = false",
    "Keyspace {name} has durable_writes = false: a node that is killed loses what it had not flushed.",
    "Writes skip the commit log.",
    'op.execute("ALTER KEYSPACE k WITH durable_writes = false")',
    'op.execute("ALTER KEYSPACE k WITH durable_writes = true")',
)
_add(
    "CQ013",
    "info",
    "List",
    "Column {name} is a {type}: setting or removing an element reads before it writes, and a retried append appends "
    "twice. Use a set, a map or a frozen list.",
    'Elements of a list have no name of their own to be overwritten by (Cassandra, "Data Types").',
    "op.add_column('t', sa.Column('tags', cql.LIST(cql.TEXT)))",
    "op.add_column('t', sa.Column('tags', cql.SET(cql.TEXT)))",
)
_add(
    "CQ014",
    "warning",
    "Counter dropped",
    "The counter {name} can never be added again under this name.",
    "Servers refuse to bring a dropped counter back, for old increments would count again.",
    "op.drop_column('hits', 'views')",
    "op.create_table('hits2', ...)",
)
_add(
    "CQ015",
    "info",
    "Field added to a user type",
    "The field {name} can't be taken away again, and programs read values without it as null.",
    "`ALTER TYPE` adds and renames; it drops nothing.",
    "op.execute('ALTER TYPE address ADD zip text')",
    "op.execute('ALTER TYPE address ADD zip text')  # noqa: CQ015 the program takes null",
)
_add(
    "CQ016",
    "warning",
    "Change of compaction",
    "A new compaction of {table} has every node compact all its files anew.",
    "Disk and CPU of all nodes are busy at once. Try it on one node first, by JMX.",
    "op.alter_table_options('t', {'compaction': {'class': 'LeveledCompactionStrategy'}})",
    "op.alter_table_options(...)  # noqa: CQ016 small table",
)
_add(
    "CQ017",
    "info",
    "Batch",
    "A {kind} over several tables or partitions: a logged one is written twice more, an unlogged one may apply by half. "
    "Write the rows one by one.",
    'A batch is for atomicity within a partition, and makes nothing faster (Cassandra, "BATCH").',
    "op.execute('BEGIN BATCH INSERT INTO a (id) VALUES (1); INSERT INTO b (id) VALUES (1); APPLY BATCH')",
    "op.execute('INSERT INTO a (id) VALUES (1)')\nop.execute('INSERT INTO b (id) VALUES (1)')",
)
_add(
    "CQ018",
    "error",
    "DROP COMPACT STORAGE",
    "DROP COMPACT STORAGE of {table} can't be undone, and shows columns that were hidden.",
    "Before 3.0.24 and 3.11.10 it could bring deleted data back; upgrade all SSTables first (CASSANDRA-16217).",
    "op.execute('ALTER TABLE t DROP COMPACT STORAGE')",
    "op.create_table('t2', ...)  # copy in batches",
)
_add(
    "CQ019",
    "error",
    "USE",
    "USE {name} changes the keyspace of the connection for all that follows, the version table too. Write the keyspace "
    "before the table's name.",
    "What comes after it, in this revision and the next, goes to the other keyspace.",
    "op.execute('USE other; CREATE TABLE t (id int PRIMARY KEY)')",
    "op.execute('CREATE TABLE other.t (id int PRIMARY KEY)')",
)
_add(
    "CQ020",
    "error",
    "Static column without clustering",
    "Column {name} is static, and table {table} has no clustering columns: the server refuses it.",
    "A static column is shared by the rows of a partition; here each partition is one row.",
    "op.execute('CREATE TABLE t (id int PRIMARY KEY, s text STATIC)')",
    "op.execute('CREATE TABLE t (id int, at timeuuid, s text STATIC, PRIMARY KEY (id, at))')",
)
_add(
    "CQ021",
    "warning",
    "Partitions that grow",
    "The partition key of {table} is {columns} alone ({types}): all rows of one value are one partition, on one set of "
    "replicas. Add a column to the partition key.",
    "A partition of more than some 100 MB is slow to read, compact and repair.",
    "op.execute('CREATE TABLE events (day date, at timeuuid, PRIMARY KEY (day, at))')",
    "op.execute('CREATE TABLE events (day date, bucket int, at timeuuid, PRIMARY KEY ((day, bucket), at))')",
)
_add(
    "CQ022",
    "info",
    "Lightweight transaction",
    "A condition (IF) on rows of {table}: never write the same rows without one, and read them at SERIAL.",
    "Writes with and without a condition order themselves by different clocks.",
    'op.execute("INSERT INTO t (id) VALUES (1) IF NOT EXISTS")',
    'op.execute("INSERT INTO t (id) VALUES (1)")',
)
_add(
    "CQ023",
    "info",
    "Name that needs quotes",
    "{name} has to be written with quotes everywhere, for it has capitals or other signs.",
    "Every statement of every program has to quote it, and a tool that doesn't finds nothing.",
    "op.execute('CREATE TABLE \"Users\" (id int PRIMARY KEY)')",
    "op.execute('CREATE TABLE users (id int PRIMARY KEY)')",
)
