"""Names as CQL writes them."""

from __future__ import annotations

import re

from sqlalchemy.sql.compiler import IdentifierPreparer

from alembic_cluster.errors import InvalidModel

_NAME = re.compile(r"[A-Za-z0-9_]{1,222}")  # SchemaConstants: word characters, and what fits a file name


def check_name(what: str, name: str) -> None:
    """Refuse the name of a table or an index that no server takes.

    :param what: what has it, for the message.
    :raises InvalidModel: saying what a name is.
    """
    if _NAME.fullmatch(name) is None:
        raise InvalidModel(
            f"{what} {name!r}: its name must be 1 to 222 letters of a-z, digits and underscores; nothing was sent"
        )


# reserved_keywords.txt of Cassandra 5.0, and what ScyllaDB's Cql.g reserves besides. A name that is quoted without
# need is the same name, so the union does no harm.
RESERVED = frozenset(
    """
    add allow alter and apply asc authorize batch begin by columnfamily create default delete desc describe
    drop entries execute from full grant if in index infinity insert into is keyspace limit list materialized
    mbean mbeans modify nan norecursive not null of on or order password primary rename replace revoke schema
    scylla_clustering_bound scylla_counter_shard_list scylla_timeuuid_list_index select set table to token
    truncate unlogged unset update use using view where with
    """.split()  # noqa: SIM905  (a block of words reads better than 80 quoted ones)
)


class CqlIdentifierPreparer(IdentifierPreparer):
    """Quotes names that aren't lower-case words, and reserved words."""

    reserved_words = set(RESERVED)  # noqa: RUF012
    illegal_initial_characters = {"_", "$", *"0123456789"}  # noqa: RUF012
    legal_characters = re.compile(r"^[a-z][a-z0-9_]*$")

    def _requires_quotes(self, value: str) -> bool:
        return value in self.reserved_words or self.legal_characters.match(value) is None
