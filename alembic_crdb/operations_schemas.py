"""Operations on schemas."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy.sql import Executable

from alembic_crdb import catalog_objects, ddl_objects
from alembic_crdb.catalog import ObjectName
from alembic_crdb.operation_base import CockroachOperation, operation


@operation("create_schema")
@dataclass(eq=False)
class CreateSchemaOp(CockroachOperation):
    """``CREATE SCHEMA IF NOT EXISTS``.

    :param schema_name: the schema.
    """

    schema_name: str

    def statements(self, dialect: Any) -> Iterable[Executable]:
        """Give the CREATE SCHEMA."""
        yield ddl_objects.CreateSchema(catalog_objects.Schema(ObjectName(self.schema_name), if_not_exists=True))

    def reverse(self) -> DropSchemaOp:
        """Give the operation that drops it."""
        return DropSchemaOp(self.schema_name)


@operation("drop_schema")
@dataclass(eq=False)
class DropSchemaOp(CockroachOperation):
    """``DROP SCHEMA``, which the server takes when nothing is in it.

    :param schema_name: the schema.
    """

    schema_name: str

    def statements(self, dialect: Any) -> Iterable[Executable]:
        """Give the DROP SCHEMA."""
        yield ddl_objects.DropSchema(ObjectName(self.schema_name))

    def reverse(self) -> CreateSchemaOp:
        """Give the operation that creates it again."""
        return CreateSchemaOp(self.schema_name)


__all__ = ["CreateSchemaOp", "DropSchemaOp"]
