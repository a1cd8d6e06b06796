"""Autogenerate for functions and aggregates."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from alembic.operations import MigrateOperation

from alembic_cql.function_operations import CreateAggregateOp, CreateFunctionOp, DropAggregateOp, DropFunctionOp
from alembic_cql.functions import (
    AggregateDefinition,
    Definition,
    FunctionDefinition,
    functions_of,
    signature,
    signature_of,
)
from alembic_cql.literals import canonical_literal
from alembic_cql.reflection import KeyspaceInfo
from alembic_cql.typenames import signature_name

log = logging.getLogger("alembic.autogenerate.compare.cql")
FUNCTION, AGGREGATE = "function", "aggregate"  # what include_object and include_name are told


@dataclass
class FunctionDifferences:
    """What is to be done for functions and aggregates.

    :ivar drops: what goes before types change: what is dropped to be made anew, and aggregates that are gone.
    :ivar creates: what is made after the types and before the tables.
    :ivar gone: functions that are gone; dropped after the tables, whose masks may call them.
    """

    drops: list[MigrateOperation] = field(default_factory=list)
    creates: list[MigrateOperation] = field(default_factory=list)
    gone: list[MigrateOperation] = field(default_factory=list)


def compare_functions(
    autogen_context: Any, schema: str | None, keyspace: KeyspaceInfo, wanted: Iterable[Definition]
) -> FunctionDifferences:
    """Compare the functions and aggregates of the model with those of a keyspace.

    :param autogen_context: Alembic's ``AutogenContext``.
    :param schema: the keyspace as Alembic calls it, None for that of the connection.
    :param wanted: what the model has in it.
    """
    return _Comparison(autogen_context, schema, keyspace, list(wanted)).run()


class _Comparison:
    def __init__(
        self, autogen_context: Any, schema: str | None, keyspace: KeyspaceInfo, wanted: list[Definition]
    ) -> None:
        self.context = autogen_context
        self.dialect = autogen_context.dialect
        self.schema = schema
        for item in keyspace.definitions:
            item.schema = schema
        self.functions = self._by_signature(wanted, FunctionDefinition)
        self.aggregates = self._by_signature(wanted, AggregateDefinition)
        self.found_functions = self._known(keyspace.functions, FUNCTION)
        self.found_aggregates = self._known(keyspace.aggregates, AGGREGATE)
        self.result = FunctionDifferences()

    def _by_signature(self, items: Iterable[Any], kind: type[Any]) -> dict[str, Any]:
        wanted: list[Any] = [item for item in items if isinstance(item, kind)]
        return {signature(item, self.dialect): item for item in wanted}

    def _known(self, items: Iterable[Any], kind: str) -> dict[str, Any]:
        parents = {"schema_name": self.schema}
        found = [item for item in items if self.context.run_name_filters(item.name, kind, parents)]
        return self._by_signature(found, FunctionDefinition if kind == FUNCTION else AggregateDefinition)

    def run(self) -> FunctionDifferences:
        anew = self._changed_functions()
        self._changed_aggregates(anew)
        return self.result

    def _is_compared(self, item: Definition, kind: str, reflected: bool, other: Any) -> bool:
        return bool(self.context.run_object_filters(item, item.name, kind, reflected, other))

    def _changed_functions(self) -> set[str]:
        """Note what is to be done for functions; gives the signatures of those that are dropped and made anew."""
        anew: set[str] = set()
        for text, item in self.functions.items():
            found = self.found_functions.get(text)
            if not self._is_compared(item, FUNCTION, False, found):
                continue
            if found is None:
                log.info("Detected added function %s", text)
                self.result.creates.append(CreateFunctionOp(item))
            elif self._result_differs(item, found):
                log.info("Detected changed result of function %s", text)
                anew.add(text)
                self.result.drops.append(DropFunctionOp(item.name, found.types, schema=self.schema, function=found))
                self.result.creates.append(CreateFunctionOp(item))
            elif _source(item) != _source(found):
                log.info("Detected changed function %s", text)
                self.result.creates.append(CreateFunctionOp(item, replaced=found))
        for text, found in self.found_functions.items():
            if text not in self.functions and self._is_compared(found, FUNCTION, True, None):
                log.info("Detected removed function %s", text)
                self.result.gone.append(DropFunctionOp(found.name, found.types, schema=self.schema, function=found))
        return anew

    def _result_differs(self, item: FunctionDefinition, found: FunctionDefinition) -> bool:
        """Tell what CREATE OR REPLACE refuses."""
        return item.called_on_null_input != found.called_on_null_input or signature_name(
            item.returns, self.dialect
        ) != signature_name(found.returns, self.dialect)

    def _changed_aggregates(self, anew: set[str]) -> None:
        before: list[MigrateOperation] = []

        def drop(found: AggregateDefinition) -> None:
            before.append(DropAggregateOp(found.name, found.types, schema=self.schema, aggregate=found))

        for text, item in self.aggregates.items():
            found = self.found_aggregates.get(text)
            if not self._is_compared(item, AGGREGATE, False, found):
                continue
            if found is None:
                log.info("Detected added aggregate %s", text)
                self.result.creates.append(CreateAggregateOp(item))
            elif self._calls(found) & anew or self._aggregate_result(item) != self._aggregate_result(found):
                log.info("Detected changed aggregate %s", text)
                drop(found)
                self.result.creates.append(CreateAggregateOp(item))
            elif self._calculation(item) != self._calculation(found):
                log.info("Detected changed aggregate %s", text)
                self.result.creates.append(CreateAggregateOp(item, replaced=found))
        for text, found in self.found_aggregates.items():
            if text not in self.aggregates and self._is_compared(found, AGGREGATE, True, None):
                log.info("Detected removed aggregate %s", text)
                drop(found)
        self.result.drops[:0] = before

    def _calls(self, item: AggregateDefinition) -> set[str]:
        return {signature_of(item, option, self.dialect) for option, _ in functions_of(item)}

    def _aggregate_result(self, item: AggregateDefinition) -> tuple[str, str | None]:
        """Give what CREATE OR REPLACE can't change: the state's type, and what the last function makes of it."""
        return signature_name(item.stype, self.dialect), self._final_type(item)

    def _final_type(self, item: AggregateDefinition) -> str | None:
        if item.finalfunc is None:
            return None
        text = signature_of(item, "finalfunc", self.dialect)
        final = self.functions.get(text) or self.found_functions.get(text)
        return item.finalfunc if final is None else signature_name(final.returns, self.dialect)

    def _calculation(self, item: AggregateDefinition) -> tuple[Any, ...]:
        initial = canonical_literal(item.initial_state(self.dialect))
        return item.sfunc, item.finalfunc, item.reducefunc, initial


def _source(item: FunctionDefinition) -> tuple[Any, ...]:
    return tuple(name for name, _ in item.arguments), item.language.lower(), item.body.strip()
