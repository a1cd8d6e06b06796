"""cqlengine's models as MetaData: what is told without a server."""

# ruff: noqa: RUF012  (cqlengine's __options__ are mappings on the class)

from __future__ import annotations

import subprocess
import sys
import types
from typing import Any

import pytest
from cassandra.cqlengine import columns
from cassandra.cqlengine.models import Model
from cassandra.cqlengine.usertype import UserType
from sqlalchemy import Index

from alembic_cluster.errors import ConfigurationError, InvalidModel
from alembic_cql import metadata_from_cqlengine
from alembic_cql import types as cql
from alembic_cql.schema import keyspace_objects
from tests.cql.cqlengine_models import Cat, CreditNote, Dog, HouseCat, Invoice, Pet, PostalAddress, Street, Timestamped


def test_a_custom_index_is_left_to_others() -> None:
    class Searched(Model):
        id = columns.UUID(primary_key=True)
        text = columns.Text(custom_index=True)

    assert metadata_from_cqlengine(Searched).tables["searched"].indexes == set()


@pytest.mark.parametrize("named", [[Pet], [Cat], [HouseCat, Dog], Dog])
def test_one_model_of_a_shared_table_stands_for_all(named: Any) -> None:
    (table,) = metadata_from_cqlengine(named).tables.values()
    assert set(table.columns.keys()) == {"owner", "kind", "name", "lives", "sofa", "tricks"}
    assert [index.name for index in table.indexes] == ["pet_sofa_idx"]


def test_an_abstract_model_stands_for_those_below_it() -> None:
    assert set(metadata_from_cqlengine(Timestamped).tables) == {"invoice", "credit_note"}


def test_a_module_stands_for_the_models_in_it() -> None:
    module = types.ModuleType("app_models")
    vars(module).update(Model=Model, Timestamped=Timestamped, Invoice=Invoice, Cat=Cat, Street=Street, Index=Index)
    assert set(metadata_from_cqlengine(module).tables) == {"invoice", "pet"}
    assert set(metadata_from_cqlengine([module, CreditNote, Invoice]).tables) == {"invoice", "pet", "credit_note"}


def test_a_user_type_that_no_model_uses_may_be_named() -> None:
    metadata = metadata_from_cqlengine([Invoice, PostalAddress])
    assert [name for _, name in keyspace_objects(metadata).types] == ["street", "postal_address"]
    assert list(metadata_from_cqlengine(Street).tables) == []


class InOneKeyspace(Model):
    __keyspace__ = "one"
    id = columns.UUID(primary_key=True)
    where = columns.UserDefinedType(Street)


class InAnother(Model):
    __keyspace__ = "Another"
    id = columns.UUID(primary_key=True)
    where = columns.UserDefinedType(Street)


@pytest.mark.parametrize(
    ("models", "keyspace", "tables", "types"),
    [
        ([InOneKeyspace], None, {"in_one_keyspace"}, {None}),
        ([InOneKeyspace], "elsewhere", {"one.in_one_keyspace"}, {"one"}),
        ([InOneKeyspace, InAnother], None, {"one.in_one_keyspace", "Another.in_another"}, {"one", "Another"}),
        ([InOneKeyspace, InAnother], "one", {"in_one_keyspace", "Another.in_another"}, {None, "Another"}),
        ([InOneKeyspace, Invoice], None, {"one.in_one_keyspace", "invoice"}, {"one"}),
    ],
)
def test_tables_outside_the_connections_keyspace_name_theirs(
    models: Any, keyspace: str | None, tables: set[str], types: set[str | None]
) -> None:
    metadata = metadata_from_cqlengine(models, keyspace=keyspace)
    assert set(metadata.tables) == tables
    assert {schema for schema, _ in keyspace_objects(metadata).types} == types


def test_the_default_keyspace_of_cqlengine_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cassandra.cqlengine.models.DEFAULT_KEYSPACE", "one")
    assert set(metadata_from_cqlengine([InOneKeyspace, Invoice]).tables) == {"in_one_keyspace", "invoice"}


def test_a_column_of_a_class_of_ones_own_and_a_frozen_one() -> None:
    class Embedding(columns.Column):
        db_type = "vector<float, 3>"

    class FrozenSet(columns.Set):
        def __init__(self, value_type: Any, **kw: Any) -> None:
            super().__init__(value_type, **kw)
            self._freeze_db_type()

    class Own(Model):
        id = columns.UUID(primary_key=True)
        embedding = Embedding()
        words = FrozenSet(columns.Text, index=True)

    table = metadata_from_cqlengine(Own).tables["own"]
    assert isinstance(table.c.embedding.type, cql.VECTOR)
    assert table.c.embedding.type.dimension == 3
    assert isinstance(table.c.words.type, cql.FROZEN)
    (index,) = table.indexes
    assert index.kwargs["cql_target"] == "full"


def test_models_that_contradict_each_other_are_refused() -> None:
    class Left(Model):
        __table_name__ = "shared_table"
        id = columns.UUID(primary_key=True)
        value = columns.Text()

    class Right(Model):
        __table_name__ = "shared_table"
        id = columns.UUID(primary_key=True)
        value = columns.Integer()

    class Keyed(Model):
        __table_name__ = "shared_table"
        id = columns.UUID(primary_key=True)
        value = columns.Text(primary_key=True)

    class Optioned(Model):
        __table_name__ = "shared_table"
        __options__ = {"gc_grace_seconds": 1}
        id = columns.UUID(primary_key=True)
        other = columns.Text()

    class OtherwiseOptioned(Optioned):
        __options__ = {"gc_grace_seconds": 2}

    with pytest.raises(InvalidModel, match=r"Left and .*Right share table 'shared_table' and differ in column 'value'"):
        metadata_from_cqlengine([Left, Right])
    with pytest.raises(InvalidModel, match="differ in the primary key"):
        metadata_from_cqlengine([Left, Keyed])
    with pytest.raises(InvalidModel, match="differ in option 'gc_grace_seconds'"):
        metadata_from_cqlengine([Optioned, OtherwiseOptioned])
    assert set(metadata_from_cqlengine([Left, Optioned]).tables["shared_table"].c.keys()) == {"id", "value", "other"}


def test_user_types_of_one_name_are_joined_or_refused() -> None:
    class Place(UserType):
        __type_name__ = "spot"
        x = columns.Double()

    class Spot(UserType):
        x = columns.Double()
        y = columns.Double()

    class OtherSpot(UserType):
        __type_name__ = "Spot"
        x = columns.Text()

    def model(kind: Any) -> Any:
        return type(kind.__name__ + "User", (Model,), {
            "id": columns.UUID(primary_key=True), "at": columns.UserDefinedType(kind),
        })  # fmt: skip

    metadata = metadata_from_cqlengine([model(Place), model(Spot)])
    (spot,) = keyspace_objects(metadata).types.values()
    assert [name for name, _ in spot.fields] == ["x", "y"]
    with pytest.raises(InvalidModel, match="field 'x' of user type 'spot' is text here and double"):
        metadata_from_cqlengine([model(Place), model(OtherSpot)])


def test_an_option_that_no_server_has_is_refused() -> None:
    class Odd(Model):
        __options__ = {"gc_graze_seconds": 1}
        id = columns.UUID(primary_key=True)

    with pytest.raises(InvalidModel, match="Odd: there is no table option 'gc_graze_seconds'"):
        metadata_from_cqlengine(Odd)


def test_a_type_that_is_no_cql_is_refused() -> None:
    class Wrong(columns.Column):
        db_type = "list<"

    class Bad(Model):
        id = columns.UUID(primary_key=True)
        value = Wrong()

    with pytest.raises(InvalidModel, match="Bad, column 'value': 'list<' is not a CQL type; nothing was sent"):
        metadata_from_cqlengine(Bad)


@pytest.mark.parametrize("models", [[42], "Pet", [str], [None], types.ModuleType("empty"), Index])
def test_what_is_no_model_is_refused(models: Any) -> None:
    with pytest.raises(ConfigurationError, match="cqlengine model"):
        metadata_from_cqlengine(models)


def test_no_models_are_no_tables() -> None:
    assert list(metadata_from_cqlengine([]).tables) == []


def test_without_the_driver_the_answer_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cassandra.cqlengine", None)
    monkeypatch.delattr("cassandra.cqlengine", raising=False)
    with pytest.raises(ConfigurationError, match=r"pip install 'alembic-cluster\[cassandra\]'"):
        metadata_from_cqlengine([])


def test_importing_the_package_imports_neither_library() -> None:
    script = "import sys, alembic_cql; print([m for m in ('cassandra', 'coodie', 'pydantic') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
