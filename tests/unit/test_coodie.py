"""coodie's documents as MetaData: what is told without a server."""

# ruff: noqa: RUF012  (coodie's __options__ are mappings on the class)

import sys
import types
from typing import Annotated, Any
from uuid import UUID

import pytest
from coodie import aio, fields, sync
from coodie.usertype import UserType
from pydantic import BaseModel
from sqlalchemy import Index
from sqlalchemy.schema import CreateIndex

from alembic_cluster.errors import ConfigurationError, InvalidModel
from alembic_cql import metadata_from_coodie
from alembic_cql.dialect import ScyllaDialect
from alembic_cql.schema import keyspace_objects
from tests.cql.coodie_documents import Cat, Dog, Embedding, HTTPAddress, Invoice, Mixin, Order, Pet, Timestamped


def test_a_vector_index_is_scyllas_own_on_scylladb() -> None:
    (table,) = metadata_from_coodie(Embedding).tables.values()
    (index,) = table.indexes
    text = str(CreateIndex(index).compile(dialect=ScyllaDialect()))
    assert text == (
        "CREATE CUSTOM INDEX embedding_vector_idx ON embedding (vector) USING 'vector_index' "
        "WITH OPTIONS = {'similarity_function': 'DOT_PRODUCT'}"
    )


@pytest.mark.parametrize("named", [[Pet], [Cat], Dog])
def test_one_document_of_a_shared_table_stands_for_all(named: Any) -> None:
    (table,) = metadata_from_coodie(named).tables.values()
    assert set(table.columns.keys()) == {"owner", "kind", "name", "lives", "tricks"}
    assert table.kwargs["cql_gc_grace_seconds"] == 7200


@pytest.mark.parametrize(("base", "tables"), [(Timestamped, {"invoices"}), (Mixin, {"payment"})])
def test_a_base_class_stands_for_the_documents_below_it(base: Any, tables: set[str]) -> None:
    assert set(metadata_from_coodie(base).tables) == tables


def test_a_module_stands_for_the_documents_in_it() -> None:
    module = types.ModuleType("app_documents")
    vars(module).update(
        Document=sync.Document, Mixin=Mixin, Timestamped=Timestamped, Invoice=Invoice, Cat=Cat, Order=Order
    )
    assert set(metadata_from_coodie(module).tables) == {"invoices", "pets"}


def test_user_types_come_from_plain_models_too_and_may_be_named() -> None:
    class Point(BaseModel):
        x: float

    class Place(sync.Document):
        id: Annotated[UUID, fields.PrimaryKey()]
        corners: list[Point]

    metadata = metadata_from_coodie([Place, Order])
    assert {
        name: [field for field, _ in kind.fields] for (_, name), kind in keyspace_objects(metadata).types.items()
    } == {
        "point": ["x"],
        "http_address": ["host", "portNumber"],
        "order": ["origin", "lines", "by_name"],
    }
    assert list(keyspace_objects(metadata_from_coodie(HTTPAddress)).types) == [(None, "http_address")]


class InOneKeyspace(sync.Document):
    id: Annotated[UUID, fields.PrimaryKey()]
    address: HTTPAddress

    class Settings:
        keyspace = "One"


class ViewOfOne(sync.MaterializedView):
    id: Annotated[UUID, fields.PrimaryKey()]

    class Settings:
        keyspace = "one"
        __base_table__ = "in_one_keyspace"


class InAnother(aio.Document):
    id: Annotated[UUID, fields.PrimaryKey()]

    class Settings:
        keyspace = '"Another"'


@pytest.mark.parametrize(
    ("documents", "keyspace", "tables", "others"),
    [
        ([InOneKeyspace, ViewOfOne], None, {"in_one_keyspace"}, {None}),
        ([InOneKeyspace, ViewOfOne], "elsewhere", {"one.in_one_keyspace"}, {"one"}),
        ([InOneKeyspace, InAnother], None, {"one.in_one_keyspace", "Another.in_another"}, {"one"}),
        ([InOneKeyspace, InAnother], "one", {"in_one_keyspace", "Another.in_another"}, {None}),
        ([InOneKeyspace, Invoice], None, {"one.in_one_keyspace", "invoices"}, {"one"}),
    ],
)
def test_tables_outside_the_connections_keyspace_name_theirs(
    documents: Any, keyspace: str | None, tables: set[str], others: set[str | None]
) -> None:
    metadata = metadata_from_coodie(documents, keyspace=keyspace)
    objects = keyspace_objects(metadata)
    assert set(metadata.tables) == tables
    assert {schema for schema, _ in [*objects.types, *objects.views]} == others


def test_documents_that_contradict_each_other_are_refused() -> None:
    class Left(sync.Document):
        id: Annotated[UUID, fields.PrimaryKey()]
        value: str

        class Settings:
            name = "shared"

    class Right(Left):
        value: int  # type: ignore[assignment]

    with pytest.raises(InvalidModel, match=r"Left and .*Right share table 'shared' and differ in column 'value'"):
        metadata_from_coodie([Left, Right])


class Recursive(BaseModel):
    inner: "list[Recursive]"


def test_what_coodie_itself_cannot_map_is_refused() -> None:
    class Keyless(sync.Document):
        name: str

    class Untyped(sync.Document):
        id: Annotated[UUID, fields.PrimaryKey()]
        either: int | str

    class Mixed(sync.Document):
        id: Annotated[UUID, fields.PrimaryKey()]
        count: Annotated[int, fields.Counter()]
        name: str

    class Endless(sync.Document):
        id: Annotated[UUID, fields.PrimaryKey()]
        tree: Recursive

    class Inner(UserType):
        either: int | str

    class Outer(sync.Document):
        id: Annotated[UUID, fields.PrimaryKey()]
        inner: Inner

    class Baseless(sync.MaterializedView):
        id: Annotated[UUID, fields.PrimaryKey()]

    for document, text in [
        (Keyless, "Keyless has no primary key"),
        (Untyped, "Untyped: Cannot map Union type"),
        (Mixed, "Mixed: Counter tables can only have counter"),
        (Endless, "Recursive contains itself"),
        (Outer, "Inner, field 'either': Cannot map Union type"),
        (Baseless, "Baseless: Baseless.Settings must define __base_table__"),
    ]:
        with pytest.raises(InvalidModel, match=text):
            metadata_from_coodie(document)


def test_an_option_that_no_server_has_is_refused() -> None:
    class Odd(sync.Document):
        id: Annotated[UUID, fields.PrimaryKey()]

        class Settings:
            __options__ = {"gc_graze_seconds": 1}

    with pytest.raises(InvalidModel, match="Odd: there is no table option 'gc_graze_seconds'"):
        metadata_from_coodie(Odd)


@pytest.mark.parametrize("documents", [[42], "Pet", [BaseModel], [None], types.ModuleType("empty"), Index])
def test_what_is_no_document_is_refused(documents: Any) -> None:
    with pytest.raises(ConfigurationError, match="coodie model"):
        metadata_from_coodie(documents)


def test_no_documents_are_no_tables() -> None:
    assert list(metadata_from_coodie([]).tables) == []


def test_without_coodie_the_answer_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "coodie", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'coodie==1\.9\.3'"):
        metadata_from_coodie([])


def test_a_coodie_of_another_make_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("coodie.types._udt_type_name")
    with pytest.raises(ConfigurationError, match="release that is not known here"):
        metadata_from_coodie([])
