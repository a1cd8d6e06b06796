"""Objects of a model: declared alike, and refused where they are none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from alembic_cluster.errors import InvalidModel
from alembic_cql import AggregateDefinition, FunctionDefinition, Keyspace, MaterializedView, UserType
from alembic_cql import types as cql
from alembic_cql.checks import check_table
from alembic_cql.dialect import CassandraDialect
from alembic_cql.schema import keyspace_objects

FIELDS = {"street": cql.TEXT, "zip": cql.INT()}


@pytest.mark.parametrize(
    "make",
    [
        lambda metadata: UserType("address", metadata, FIELDS),
        lambda metadata: UserType("address", metadata, fields=FIELDS),
        lambda metadata: UserType("address", FIELDS, metadata),
        lambda metadata: UserType("address", fields=list(FIELDS.items()), metadata=metadata),
    ],
)
def test_a_user_type_is_declared_as_the_other_objects_are(make: Callable[[sa.MetaData], UserType]) -> None:
    metadata = sa.MetaData(schema="bank")
    made = make(metadata)
    assert keyspace_objects(metadata).types == {("bank", "address"): made}
    assert [(name, type(kind)) for name, kind in made.fields] == [("street", cql.TEXT), ("zip", cql.INT)]
    assert UserType("address", FIELDS).schema is None
    assert UserType("address").fields == ()


def test_arguments_of_functions_and_aggregates() -> None:
    function = FunctionDefinition("f", None, arguments={"a": cql.INT}, returns=cql.INT, body="return a;")
    aggregate = AggregateDefinition("g", None, arguments=[cql.INT], sfunc="f", stype=cql.INT)
    assert [type(kind) for kind in function.types] == [type(kind) for kind in aggregate.types] == [cql.INT]


BAD: dict[str, tuple[Callable[[], Any], str]] = {
    "fields that are types": (lambda: UserType("u", [cql.INT]), "user type 'u': fields are types by name"),
    "fields that are texts": (lambda: UserType("u", "int"), "fields are types by name"),
    "fields that are a number": (lambda: UserType("u", 5), "fields are types by name"),
    "a field that is a text": (lambda: UserType("u", {"a": "int"}), "field 'a' takes a type"),
    "a field without a name": (lambda: UserType("u", {1: cql.INT}), "fields are types by name"),
    "a field that can't be made": (lambda: UserType("u", {"a": cql.LIST}), "field 'a' takes a type"),
    "arguments without names": (
        lambda: FunctionDefinition("f", None, [cql.INT], cql.INT, "return 1;"),
        "function 'f': arguments are types by name",
    ),
    "a result that is a text": (
        lambda: FunctionDefinition("f", None, {}, "int", "return 1;"),
        "returns takes a type",
    ),
    "arguments with names": (
        lambda: AggregateDefinition("g", None, {"a": cql.INT}, "f", cql.INT),
        "aggregate 'g': arguments takes a list of types",
    ),
    "a state that is a text": (lambda: AggregateDefinition("g", None, [cql.INT], "f", "int"), "stype takes a type"),
    "a key that is a text": (
        lambda: MaterializedView("v", None, "t", "id IS NOT NULL", "id"),
        "materialized view 'v': partition_key takes a list of columns, not 'id'",
    ),
    "a key of nothing": (lambda: MaterializedView("v", None, "t", "id IS NOT NULL", []), "partition_key takes a list"),
    "clustering that is a text": (
        lambda: MaterializedView("v", None, "t", "id IS NOT NULL", ["id"], "c"),
        "clustering takes a list of columns",
    ),
    "an order that is none": (
        lambda: MaterializedView("v", None, "t", "id IS NOT NULL", ["id"], {"c": "UP"}),
        "clustering takes ASC or DESC, not 'UP'",
    ),
    "columns that are a text": (
        lambda: MaterializedView("v", None, "t", "id IS NOT NULL", ["id"], columns="id"),
        "columns takes a list of columns",
    ),
    "a column twice in the key": (
        lambda: MaterializedView("v", None, "t", "id IS NOT NULL", ["id"], ["id"]),
        "'id' is in its primary key twice",
    ),
    "no condition": (lambda: MaterializedView("v", None, "t", "", ["id"]), "where takes a condition"),
    "options that are none": (
        lambda: MaterializedView("v", None, "t", "id IS NOT NULL", ["id"], options=[1]),
        "options takes a map",
    ),
    "a list of a number": (lambda: cql.LIST(5), "LIST takes a type"),
    "a set of a text": (lambda: cql.SET("int"), "SET takes a type"),
    "a map of texts": (lambda: cql.MAP("text", "int"), "MAP takes a type"),
    "a tuple of a text": (lambda: cql.TUPLE(cql.INT, "int"), "TUPLE takes a type"),
    "a frozen text": (lambda: cql.FROZEN("x"), "FROZEN takes a type"),
    "a class that is a number": (lambda: cql.CustomType(5), "CustomType takes a name"),
    "a user type without a name": (lambda: UserType(""), "UserType takes a name"),
    "a keyspace that is a number": (lambda: UserType("u", schema=5), "schema takes a name"),
    "a replication that is none": (lambda: Keyspace("k", replication=None), "takes a map such as"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_refused_when_it_is_declared(case: str) -> None:
    make, message = BAD[case]
    with pytest.raises(InvalidModel, match=f"{message}.*nothing was sent"):
        make()


@pytest.mark.parametrize(
    ("table", "column", "index", "message"),
    [
        ({"cql_partition_key": []}, {}, {}, "cql_partition_key takes names of columns"),
        ({"cql_partition_key": {}}, {}, {}, "cql_partition_key takes names of columns"),
        ({"cql_clustering_order": []}, {}, {}, "cql_clustering_order takes ASC or DESC"),
        ({"cql_clustering_order": "DESC"}, {}, {}, "cql_clustering_order takes ASC or DESC"),
        ({"comment": 5}, {}, {}, "comment takes a text"),
        ({"cql_extensions": {"a": 5}}, {}, {}, "cql_extensions takes a map"),
        ({}, {"cql_static": "false"}, {}, "cql_static takes True or False"),
        ({}, {"cql_static": 1}, {}, "cql_static takes True or False"),
        ({}, {}, {"cql_using": "SASI"}, "cql_using takes 'sai'"),
        ({}, {}, {"cql_using": 5}, "cql_using takes 'sai'"),
        ({}, {}, {"cql_using": "sai", "cql_options": []}, "cql_options takes a map"),
        ({}, {}, {"cql_target": 5}, "cql_target takes keys"),
    ],
)
def test_options_that_cannot_be(
    table: dict[str, Any], column: dict[str, Any], index: dict[str, Any], message: str
) -> None:
    made = sa.Table(
        "t",
        sa.MetaData(),
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("c", sa.Integer, primary_key=True),
        sa.Column("v", sa.Text, **column),
        sa.Index("ix", "v", **index),
        **table,
    )
    with pytest.raises(InvalidModel, match=f"{message}.*nothing was sent"):
        check_table(made, CassandraDialect())
