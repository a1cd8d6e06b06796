"""What the suites may ask of the server: each thing it lacks with the issue or the page that it stems from.

Nothing of ours is imported, because stock's interpreter reads this as well.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from sqlalchemy import text
from sqlalchemy.testing import exclusions
from sqlalchemy_cockroachdb.requirements import Requirements as StockRequirements

_ISSUE = "https://github.com/cockroachdb/cockroach/issues/"
_PULL = "https://github.com/cockroachdb/cockroach/pull/"


@cache
def _version(engine: Any) -> tuple[int, int]:
    with engine.connect() as connection:
        found = re.search(r" v(\d+)\.(\d+)", connection.scalar(text("SELECT version()")))
    assert found is not None
    return int(found[1]), int(found[2])


def _since(year: int, release: int, reason: str) -> Any:
    """Skip on a server before a version."""
    return exclusions.skip_if(lambda config: _version(config.db) < (year, release), f"v{year}.{release}: {reason}")


def _lacks(reason: str) -> Any:
    """Skip on every server."""
    return exclusions.skip_if(lambda config: True, reason)


_TEMPORARY = _lacks(f"temporary tables are experimental, behind a session setting: {_ISSUE}46260")
_STAR = _since(23, 1, f"the suite's views select *: {_ISSUE}10028, {_PULL}97515")
_COMMENTS = _since(22, 1, f"the suite's comments are on constraints, too: {_PULL}71985")
_IDENTITY = _since(21, 2, f"GENERATED AS IDENTITY: {_PULL}69107")
_EXPRESSIONS = _since(21, 2, f"indexes on expressions: {_PULL}68807")
_DEFERRABLE = _lacks(f"DEFERRABLE constraints: {_ISSUE}31632")


class Requirements(StockRequirements):
    """sqlalchemy-cockroachdb's, with open what it closes, or leaves closed, and the server does have."""

    temporary_tables = temp_table_reflection = temp_table_names = temporary_views = has_temp_table = _TEMPORARY
    temp_table_reflect_indexes = temp_table_comment_reflection = _TEMPORARY
    view_reflection = view_column_reflection = materialized_views = _STAR
    comment_reflection = comment_reflection_full_unicode = _COMMENTS
    identity_columns = identity_columns_standard = _IDENTITY
    identity_columns_alter = _since(24, 1, "ALTER COLUMN .. ADD GENERATED: release notes of v24.1.0-alpha.3")
    indexes_with_expressions = reflect_indexes_with_expressions = _EXPRESSIONS
    deferrable_fks = fk_deferrable = fk_deferrable_is_reflected = fk_initially = _DEFERRABLE
    integer_subtype_comparisons = _lacks(f"INTEGER and BIGINT are both INT8 by default_int_size: {_ISSUE}26925")
    reflect_table_options = _lacks("the suite knows no table options of this dialect")
    foreign_keys_reflect_as_index = _lacks(f"since v20.2 no index is made for a foreign key: {_ISSUE}37255")
    materialized_views_reflect_pk = _lacks("the key of a materialized view is the server's hidden rowid")
    autocommit_isolation = exclusions.open()
    cross_schema_fk_reflection = exclusions.open()
    computed_columns = computed_columns_virtual = exclusions.open()
    fk_names = foreign_key_constraint_name_reflection = exclusions.open()
    fk_ondelete_noaction = fk_ondelete_restrict = fk_onupdate = fk_onupdate_restrict = exclusions.open()
    fk_ondelete_is_reflected = fk_onupdate_is_reflected = reflects_fk_options = exclusions.open()
    foreign_key_constraint_option_reflection_ondelete = exclusions.open()
    foreign_key_constraint_option_reflection_onupdate = exclusions.open()
    fk_constraint_option_reflection_ondelete_restrict = exclusions.open()
    fk_constraint_option_reflection_ondelete_noaction = exclusions.open()
    fk_constraint_option_reflection_onupdate_restrict = exclusions.open()
    index_reflects_included_columns = reflect_indexes_with_ascdesc = exclusions.open()
    inline_check_constraint_reflection = column_collation_reflection = exclusions.open()
    index_ddl_if_exists = table_ddl_if_exists = schema_create_delete = exclusions.open()
    unique_index_reflect_as_unique_constraints = unique_constraints_reflect_as_index = exclusions.open()
    expression_server_defaults = repeated_column_foreign_keys = exclusions.open()
