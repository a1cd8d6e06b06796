"""SQLAlchemy's and Alembic's ``CREATE TABLE``, ``CREATE INDEX`` and the like, written from the model's catalog objects.

Importing this module has SQLAlchemy compile them so for every dialect named ``cockroachdb``.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from alembic.ddl import base as alembic_ddl
from sqlalchemy import schema
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import DDLCompiler

from alembic_crdb import ddl, ddl_objects, requirements
from alembic_crdb.alterations import AddColumn, AddConstraint, is_plain_unique
from alembic_crdb.catalog import CANONICAL, Check, ForeignKey, Index, ObjectName, Unique
from alembic_crdb.driver_text import driver_text
from alembic_crdb.model import elements_of, index_to_catalog, read_table
from alembic_crdb.model_columns import column_to_catalog
from alembic_crdb.model_constraints import constraint_to_catalog, constraints_of, foreign_key_to_catalog
from alembic_crdb.model_objects import sequence_to_catalog, table_comments
from alembic_crdb.model_reader import Reader, options, plain_name
from alembic_crdb.printer_base import ElementPrinter
from alembic_crdb.versions import CONSTRAINT_COMMENT, version_of

_DIALECT: Final = "cockroachdb"
_PRINT: Final = ElementPrinter(CANONICAL)
_NO_KEY_COLUMNS: Final = "FOREIGN KEY () "


def unvalidated(table: schema.Table, reader: Reader) -> list[schema.Constraint]:
    """Give the constraints that are NOT VALID, which a server takes only by ``ALTER TABLE``.

    In CREATE TABLE it looks past these words: a new table has no rows to look at.
    """
    return [
        item
        for element, item in elements_of(table, reader, indexes=False)
        if isinstance(element, ForeignKey | Check | Unique)
        and not element.validated
        and isinstance(item, schema.Constraint)
    ]


def refuse_table(table: schema.Table, dialect: Dialect) -> None:
    """Refuse a table that the server does not take, before anything of it is sent.

    :raises UnsupportedConstruct: the server has no counterpart for something in it.
    :raises InvalidModel: an option has a value that makes no sense.
    """
    reader = Reader(dialect)
    found = read_table(table, reader)
    reader.check()
    version = version_of(dialect)
    requirements.ready_table(found, version)
    for comment in table_comments(table, reader):
        requirements.ready(comment, version)


@compiles(schema.CreateTable, _DIALECT)
def _create_table(create: schema.CreateTable, compiler: DDLCompiler, **kw: Any) -> str:
    table: schema.Table = create.element
    reader = Reader(compiler.dialect, compiler.preparer)
    given = create.include_foreign_key_constraints
    later = unvalidated(table, reader)
    wanted = [
        each
        for each in constraints_of(table, reader)
        if each not in later
        and reader.in_create_table(each)
        and not getattr(each, "use_alter", False)
        and (given is None or not isinstance(each, schema.ForeignKeyConstraint) or each in given)
    ]
    found = read_table(table, reader, wanted)
    reader.check()
    return _text(compiler, ddl.CreateTable(found, bool(create.if_not_exists)))


@compiles(schema.CreateIndex, _DIALECT)
def _create_index(create: schema.CreateIndex, compiler: DDLCompiler, **kw: Any) -> str:
    index: schema.Index = create.element
    reader = Reader(compiler.dialect, compiler.preparer)
    found = index_to_catalog(index, reader)
    reader.check()
    assert index.table is not None  # index_to_catalog refused it
    return _text(compiler, ddl.CreateIndex(reader.object_name(index.table), found, bool(create.if_not_exists)))


@compiles(schema.AddConstraint, _DIALECT)
def _add_constraint(add: schema.AddConstraint, compiler: DDLCompiler, **kw: Any) -> str:
    reader = Reader(compiler.dialect, compiler.preparer)
    table = reader.object_name(add.element.table)
    found = constraint_to_catalog(add.element, reader)
    reader.check()
    assert found is not None  # the reader refused it
    if isinstance(found, Index) and not is_plain_unique(found):
        return _text(compiler, ddl.CreateIndex(table, found))
    return _text(compiler, ddl.AlterTable(table, AddConstraint(found)))


@compiles(schema.CreateSequence, _DIALECT)
def _create_sequence(create: schema.CreateSequence, compiler: DDLCompiler, **kw: Any) -> str:
    reader = Reader(compiler.dialect, compiler.preparer)
    found = sequence_to_catalog(create.element, reader)
    reader.check()
    return _text(compiler, ddl_objects.CreateSequence(found, bool(create.if_not_exists)))


@compiles(schema.SetConstraintComment, _DIALECT)
def _constraint_comment(comment: schema.SetConstraintComment, compiler: DDLCompiler, **kw: Any) -> str:
    constraint = comment.element
    CONSTRAINT_COMMENT.require(version_of(compiler.dialect), f"The comment on constraint {constraint.name}")
    return str(compiler.visit_set_constraint_comment(comment, **kw))  # type: ignore[no-untyped-call]


@compiles(alembic_ddl.AddColumn, _DIALECT)
def _add_column(add: alembic_ddl.AddColumn, compiler: DDLCompiler, **kw: Any) -> str:
    reader = Reader(compiler.dialect, compiler.preparer)
    column = column_to_catalog(add.column, reader)
    family = options(add.column).get("family")
    action = AddColumn(column, bool(add.if_not_exists), family).sql(version_of(compiler.dialect))
    if add.inline_primary_key and add.column.primary_key:
        action += " PRIMARY KEY"
    keys = [key.constraint for key in add.column.foreign_keys]
    if add.inline_references and len(keys) == 1 and keys[0] is not None and len(keys[0].columns) == 1:
        reference = replace(foreign_key_to_catalog(keys[0], reader), name=None, columns=(), validated=True)
        action += f" {_PRINT.constraint(reference).removeprefix(_NO_KEY_COLUMNS)}"
    action += "".join(f" {_PRINT.constraint(check)}" for check in _checks(add.column, reader))
    reader.check()
    table = ObjectName(plain_name(add.table_name), None if add.schema is None else plain_name(add.schema))
    return driver_text(compiler, f"ALTER TABLE {_PRINT.object_name(table)} {action}")


def _checks(column: schema.Column[Any], reader: Reader) -> list[Check]:
    """Give the checks that a column brings along; Alembic adds those of its table by themselves."""
    found = [constraint_to_catalog(each, reader) for each in column.constraints if reader.should_create(each)]
    return [check for check in found if isinstance(check, Check)]


def _text(compiler: DDLCompiler, statement: ddl.CockroachDDL) -> str:
    return driver_text(compiler, statement.sql(version_of(compiler.dialect)))
