"""What Alembic asks its implementation for CockroachDB when it compares and renders.

:mod:`alembic_crdb.compare` compares whole databases. These answers are for those who ask Alembic's own comparison, such
as a comparator of an ``env.py``.
"""

from __future__ import annotations

import re
from typing import Any, Literal

# The dialect's own implementation: it has registered itself before a subclass of this one does.
import sqlalchemy_cockroachdb.base
from alembic.autogenerate.api import AutogenContext
from sqlalchemy import Column, Enum, Index, UniqueConstraint
from sqlalchemy.sql import ClauseElement
from sqlalchemy.types import TypeEngine

from alembic_crdb import types
from alembic_crdb.driver_text import plain_text
from alembic_crdb.to_metadata import bind_free
from alembic_crdb.types import same_type

_CAST = re.compile(r":::?[\w.\"]+(?:\([\d, ]*\))?(?:\[\])*")


class ComparingImpl(sqlalchemy_cockroachdb.base.CockroachDBImpl):  # type: ignore[misc]
    """The answers; :class:`alembic_crdb.impl.CockroachDBImpl` is the implementation that Alembic gets."""

    def compare_type(self, inspector_column: Column[Any], metadata_column: Column[Any]) -> bool:
        """Tell whether two columns have different types for the server, whatever the types' spelling."""
        compiler = self.dialect.type_compiler_instance
        return not same_type(compiler.process(inspector_column.type), compiler.process(metadata_column.type))

    def compare_server_default(
        self,
        inspector_column: Column[Any],
        metadata_column: Column[Any],
        rendered_metadata_default: str | None,
        rendered_inspector_default: str | None,
    ) -> bool:
        """Tell whether two columns have different defaults; used with ``compare_server_default=True``."""
        if rendered_metadata_default is not None and rendered_inspector_default is not None:
            have, want = map(_plain, (rendered_inspector_default, rendered_metadata_default))
            if have == want:
                return False
        return bool(
            super().compare_server_default(
                inspector_column, metadata_column, rendered_metadata_default, rendered_inspector_default
            )
        )

    def correct_for_autogen_constraints(
        self,
        conn_unique_constraints: set[UniqueConstraint],
        conn_indexes: set[Index],
        metadata_unique_constraints: set[UniqueConstraint],
        metadata_indexes: set[Index],
    ) -> None:
        """Leave one of the two things as which each unique index is reflected: the one that the model has."""
        as_constraint = {name for name in map(self._name, metadata_unique_constraints) if name}
        unnamed = {
            frozenset(column.name for column in constraint.columns)
            for constraint in metadata_unique_constraints
            if not self._name(constraint)
        }
        twins = {str(index.name): index for index in conn_indexes if index.unique}
        for constraint in list(conn_unique_constraints):
            name = str(constraint.name)
            if name not in twins:
                continue
            columns = frozenset(column.name for column in constraint.columns)
            if name in as_constraint or columns in unnamed:
                conn_indexes.remove(twins[name])
            else:
                conn_unique_constraints.remove(constraint)

    def _name(self, constraint: UniqueConstraint) -> str | None:
        """Give a constraint's name in the database; None when the database is to choose one."""
        if constraint.name is None:
            return None
        name = self.dialect.identifier_preparer.format_constraint(constraint, _alembic_quote=False)
        return None if name is None else str(name)

    def _normalize_computed_default(self, sqltext: str) -> str:
        normalized: str = super()._normalize_computed_default(sqltext.replace(":::", "::"))
        return normalized

    def render_ddl_sql_expr(self, expr: ClauseElement, is_server_default: bool = False, **kw: Any) -> str:
        """Write an expression for ``sa.text(...)`` in a revision, with nothing in it taken for a bind parameter."""
        rendered = super().render_ddl_sql_expr(expr, is_server_default=is_server_default, **kw)
        return bind_free(plain_text(self.dialect, rendered))

    def render_type(self, type_obj: TypeEngine[Any], autogen_context: AutogenContext) -> str | Literal[False]:
        """Write one of our own types into a revision, with its import."""
        if isinstance(type_obj, Enum) and type_obj.native_enum and type_obj.name:
            return render_enum(type_obj, autogen_context)
        if type(type_obj).__module__ != types.__name__:
            rendered: str | Literal[False] = super().render_type(type_obj, autogen_context)
            return rendered
        autogen_context.imports.add(f"import {types.__name__}")
        return f"{types.__name__}.{type_obj!r}"


def render_enum(enum: Enum, autogen_context: AutogenContext) -> str:
    """Write an enum column's type. The type itself is made by ``op.create_enum``, and not with the table."""
    autogen_context.imports.add("from sqlalchemy.dialects import postgresql")
    schema = "" if enum.schema is None else f", schema={enum.schema!r}"
    return f"postgresql.ENUM({', '.join(map(repr, enum.enums))}, name={enum.name!r}{schema}, create_type=False)"


def _plain(default: str) -> str:
    """Take the casts and quotes out of a default, which the server adds or leaves out as it likes."""
    return _CAST.sub("", default).strip("()'").lower()
