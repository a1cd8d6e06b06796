"""User-defined functions and aggregates as schema objects.

Sources: Cassandra's CreateFunctionStatement and CreateAggregateStatement (each rule was tried on Cassandra 5.0),
ScyllaDB's create_function_statement.cc and create_aggregate_statement.cc.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeEngine

from alembic_cluster.errors import InvalidModel
from alembic_cql.composites import Composite, instance, literal_of
from alembic_cql.features import Features
from alembic_cql.scalars import quote_text
from alembic_cql.typenames import UnknownTypeName, parse_type, signature_name
from alembic_cql.types import COUNTER, FROZEN, TypeArgument
from alembic_cql.usertypes import typed_pairs

if TYPE_CHECKING:
    from sqlalchemy import MetaData

Arguments: TypeAlias = "Mapping[str, TypeArgument] | Iterable[tuple[str, TypeArgument]]"
ArgumentTypes: TypeAlias = "Iterable[TypeArgument]"
_NAME = re.compile(r"[A-Za-z0-9_]+")


class FunctionDefinition:
    """A user-defined function. Several of one name are told apart by the types of their arguments.

    :param name: its name.
    :param metadata: where it belongs.
    :param arguments: types of the arguments by name, or pairs, in order; ``FROZEN`` around a whole type counts for
        nothing, as for the server.
    :param returns: type of what it returns.
    :param body: the source text, as it stands between ``$$``.
    :param language: ``java`` on Cassandra, ``lua`` or ``wasm`` on ScyllaDB.
    :param called_on_null_input: whether it is called when an argument is null; it returns null then otherwise.
    :param schema: keyspace; that of the connection when None.
    """

    def __init__(
        self,
        name: str,
        metadata: MetaData | None,
        arguments: Arguments,
        returns: TypeArgument,
        body: str,
        *,
        language: str = "java",
        called_on_null_input: bool = False,
        schema: str | None = None,
    ) -> None:
        where = f"function {name!r}"
        self.name = name
        self.arguments = typed_pairs(arguments, where, "argument")
        self.returns = instance(returns, f"{where}: returns")
        self.body = body
        self.language = language
        self.called_on_null_input = called_on_null_input
        self.schema = schema
        if metadata is not None:
            _attach(metadata, self)

    def __repr__(self) -> str:
        return f"FunctionDefinition({self.name!r}, {list(self.arguments)!r}, returns={self.returns!r})"

    @property
    def types(self) -> tuple[TypeEngine[Any], ...]:
        """The types of the arguments."""
        return tuple(kind for _, kind in self.arguments)


class AggregateDefinition:
    """A user-defined aggregate over functions of the same keyspace.

    :param name: its name.
    :param metadata: where it belongs.
    :param arguments: types of the arguments, in order; an aggregate's have no names.
    :param sfunc: name of the function that takes the state and the arguments and gives the new state.
    :param stype: type of the state.
    :param finalfunc: name of the function that makes the result of the last state; the state itself when None.
    :param initcond: the first state as CQL, such as ``"(0, 0)"`` or ``"'text'"``, or a value of Python's that isn't a
        text; null when None.
    :param reducefunc: ScyllaDB's function that joins two states.
    :param schema: keyspace; that of the connection when None.
    """

    def __init__(
        self,
        name: str,
        metadata: MetaData | None,
        arguments: ArgumentTypes,
        sfunc: str,
        stype: TypeArgument,
        *,
        finalfunc: str | None = None,
        initcond: Any = None,
        reducefunc: str | None = None,
        schema: str | None = None,
    ) -> None:
        self.name = name
        self.types = argument_types(arguments, f"aggregate {name!r}")
        self.sfunc = sfunc
        self.stype = instance(stype, f"aggregate {name!r}: stype")
        self.finalfunc = finalfunc
        self.initcond = initcond
        self.reducefunc = reducefunc
        self.schema = schema
        if metadata is not None:
            _attach(metadata, self)

    def __repr__(self) -> str:
        return f"AggregateDefinition({self.name!r}, {list(self.types)!r}, sfunc={self.sfunc!r})"

    def initial_state(self, dialect: Dialect) -> str | None:
        """Give the first state as CQL.

        :raises InvalidModel: for a value that isn't one of the state's type.
        """
        if self.initcond is None or isinstance(self.initcond, str):
            return self.initcond
        try:
            return str(literal_of(unfrozen(self.stype), dialect)(self.initcond))
        except Exception as error:
            raise InvalidModel(
                f"aggregate {self.name!r}: initcond {self.initcond!r} is no value of its stype: {error}; nothing was "
                "sent"
            ) from error


def argument_types(arguments: ArgumentTypes, where: str) -> tuple[TypeEngine[Any], ...]:
    """Give the types of arguments that have no names.

    :param where: what they belong to, for messages.
    :raises InvalidModel: for something else.
    """
    if isinstance(arguments, (str, Mapping)) or not isinstance(arguments, Iterable):
        raise InvalidModel(f"{where}: arguments takes a list of types, not {arguments!r}; nothing was sent")
    return tuple(instance(kind, f"{where}: argument {number}") for number, kind in enumerate(arguments, 1))


Definition: TypeAlias = "FunctionDefinition | AggregateDefinition"


def _attach(metadata: MetaData, item: Any) -> None:
    from alembic_cql.schema import keyspace_objects

    objects = keyspace_objects(metadata)
    if item.schema is None:
        item.schema = metadata.schema
    (objects.functions if isinstance(item, FunctionDefinition) else objects.aggregates).append(item)


def unfrozen(kind: TypeEngine[Any]) -> TypeEngine[Any]:
    """Give a type without the ``FROZEN`` around it, which the servers refuse in a signature."""
    return unfrozen(kind.inner) if isinstance(kind, FROZEN) else kind


def signature(item: Definition, dialect: Dialect) -> str:
    """Give what tells a function from others of its name: ``avg2(int, list<text>)``."""
    return f"{item.name}({', '.join(signature_name(kind, dialect) for kind in item.types)})"


def check_definition(item: Definition, dialect: Dialect) -> None:
    """Refuse a function or aggregate that no server holds, or this one hasn't.

    :raises InvalidModel: naming it and the reason.
    """
    kind = "function" if isinstance(item, FunctionDefinition) else "aggregate"
    where = f"{kind} {item.name!r}"

    def refuse(reason: str) -> InvalidModel:
        return InvalidModel(f"{where}: {reason}; nothing was sent")

    if not _is_name(item.name) or '"' in item.name:
        raise refuse("its name must be of ASCII characters without double quotes")
    returned = item.returns if isinstance(item, FunctionDefinition) else item.stype
    for part in (*item.types, returned):
        try:
            text = dialect.type_compiler_instance.process(unfrozen(part))
            parsed = parse_type(text)
        except UnknownTypeName as error:
            raise refuse(str(error)) from error
        if _holds_counters(parsed):
            raise refuse(f"{text}: counters cannot be inside other types")
    features: Features = dialect.features  # type: ignore[attr-defined]
    if isinstance(item, FunctionDefinition):
        _check_function(item, features, refuse)
    else:
        _check_aggregate(item, features, refuse)
        if re.search(r"(?<=[^\s,(\[{:])''|''(?=[^\s,)\]}:])", item.initial_state(dialect) or ""):
            raise refuse(f"the server can't read an initcond whose text has a quote in it ({item.initcond!r})")


def _holds_counters(kind: TypeEngine[Any]) -> bool:
    if not isinstance(kind, Composite):
        return False
    return any(isinstance(part, COUNTER) or _holds_counters(part) for part in kind.parts())


def _is_name(name: Any) -> bool:
    return isinstance(name, str) and bool(name) and name.isascii()


def _check_function(item: FunctionDefinition, features: Features, refuse: Any) -> None:
    names = [name for name, _ in item.arguments]
    for name in names:
        if not _is_name(name) or _NAME.fullmatch(name) is None:
            raise refuse(f"the argument {name!r} must be named by letters of a-z, digits and underscores")
        if names.count(name) > 1:
            raise refuse(f"two of its arguments are named {name!r}")
    if item.language.lower() not in features.function_languages:
        raise refuse(
            f"this server has no functions in {item.language!r}, it has {', '.join(features.function_languages)}"
        )
    if not str(item.body or "").strip():
        raise refuse("it has no body")


def _check_aggregate(item: AggregateDefinition, features: Features, refuse: Any) -> None:
    if item.reducefunc is not None and not features.reduce_functions:
        raise refuse("only ScyllaDB has reducefunc")
    for option in ("sfunc", "finalfunc", "reducefunc"):
        name = getattr(item, option)
        if name is not None and not _is_name(name):
            raise refuse(f"{option} takes the name of a function, not {name!r}")


def check_definitions(items: Iterable[Definition], dialect: Dialect) -> None:
    """Refuse what :func:`check_definition` refuses, two of one signature, and states that functions don't take.

    :raises InvalidModel: naming the function or aggregate.
    """
    known: dict[tuple[str | None, str], Definition] = {}
    for item in items:
        check_definition(item, dialect)
        key = (item.schema, signature(item, dialect))
        if key in known:
            raise InvalidModel(f"the metadata has {key[1]} twice; give one another name; nothing was sent")
        known[key] = item
    names = {(schema, item.name) for (schema, _), item in known.items() if isinstance(item, FunctionDefinition)}
    for (schema, text), item in known.items():
        if not isinstance(item, AggregateDefinition):
            continue
        for option, types in functions_of(item):
            wanted = f"{_name_of(item, option)}({', '.join(signature_name(kind, dialect) for kind in types)})"
            if (schema, _name_of(item, option)) in names and (schema, wanted) not in known:
                raise InvalidModel(
                    f"aggregate {text}: its {option} must be {wanted}, and there is none; nothing was sent"
                )
        state = known.get((schema, signature_of(item, "sfunc", dialect)))
        if isinstance(state, FunctionDefinition):
            if item.initcond is None and not state.called_on_null_input:
                raise InvalidModel(
                    f"aggregate {text} needs an initcond, or a sfunc with called_on_null_input=True: {state.name!r} "
                    "isn't called while the state is null; nothing was sent"
                )
            given, stype = signature_name(state.returns, dialect), signature_name(item.stype, dialect)
            if given != stype:
                raise InvalidModel(
                    f"aggregate {text}: its sfunc {state.name!r} returns {given}, not the stype {stype}; nothing was "
                    "sent"
                )


def _name_of(item: AggregateDefinition, option: str) -> str:
    name: str = getattr(item, option)
    return name


def functions_of(item: AggregateDefinition) -> Iterator[tuple[str, tuple[TypeEngine[Any], ...]]]:
    """Give the functions that an aggregate calls: ``sfunc`` and the like, with the types of the arguments."""
    yield "sfunc", (item.stype, *item.types)
    if item.finalfunc is not None:
        yield "finalfunc", (item.stype,)
    if item.reducefunc is not None:
        yield "reducefunc", (item.stype, item.stype)


def signature_of(item: AggregateDefinition, option: str, dialect: Dialect) -> str:
    """Give the signature of one of the functions that an aggregate calls."""
    types = dict(functions_of(item))[option]
    return f"{_name_of(item, option)}({', '.join(signature_name(kind, dialect) for kind in types)})"


def body_literal(body: str) -> str:
    """Write a function's body: between ``$$``, or as a text where it holds these itself."""
    return f"$${body}$$" if "$$" not in body and not body.endswith("$") else quote_text(body)
