"""Operations of a revision on keyspaces.

A revision says what the models say; what an environment has otherwise (``cql_keyspaces``, environments.py) is put in
when it runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from alembic.autogenerate.render import renderers
from alembic.operations import MigrateOperation, Operations

from alembic_cluster.errors import InvalidModel
from alembic_cql.ddl_objects import AlterKeyspace, CreateKeyspace, DropKeyspace
from alembic_cql.environments import configured_keyspaces, in_environment, options_of
from alembic_cql.keyspaces import Keyspace, check_name, check_options
from alembic_cql.render import call


@Operations.register_operation("create_keyspace")
class CreateKeyspaceOp(MigrateOperation):
    """``CREATE KEYSPACE``.

    :param keyspace: the keyspace.
    :param if_not_exists: whether one that is there stays as it is.
    """

    def __init__(self, keyspace: Keyspace, *, if_not_exists: bool = False) -> None:
        self.keyspace = keyspace
        self.if_not_exists = if_not_exists

    @classmethod
    def create_keyspace(
        cls,
        operations: Operations,
        name: str,
        replication: Mapping[str, Any],
        *,
        durable_writes: bool = True,
        tablets: Mapping[str, Any] | None = None,
        if_not_exists: bool = False,
    ) -> None:
        """Create a keyspace: ``op.create_keyspace("bank", {"class": "NetworkTopologyStrategy", "dc1": 3})``.

        :param name: its name.
        :param replication: the replication map.
        :param durable_writes: whether writes go through the commit log.
        :param tablets: ScyllaDB's map, such as ``{"enabled": False}``.
        :param if_not_exists: whether one that is there stays as it is.
        :raises InvalidModel: for a name or a map that no server takes; nothing was sent.
        """
        keyspace = Keyspace(name, replication=replication, durable_writes=durable_writes, tablets=tablets)
        operations.invoke(cls(keyspace, if_not_exists=if_not_exists))

    def reverse(self) -> DropKeyspaceOp:
        """Give the operation that drops it."""
        return DropKeyspaceOp(self.keyspace.name, keyspace=self.keyspace)

    def to_diff_tuple(self) -> tuple[Any, ...]:
        """Give what ``alembic check`` prints."""
        return ("add_keyspace", self.keyspace)


@Operations.register_operation("drop_keyspace")
class DropKeyspaceOp(MigrateOperation):
    """``DROP KEYSPACE``, with all that is in it.

    :param name: the keyspace.
    :param if_exists: whether none is no error.
    :param keyspace: the keyspace, for the downgrade.
    """

    def __init__(self, name: str, *, if_exists: bool = False, keyspace: Keyspace | None = None) -> None:
        self.name = name
        self.if_exists = if_exists
        self.keyspace = keyspace

    @classmethod
    def drop_keyspace(cls, operations: Operations, name: str, *, if_exists: bool = False) -> None:
        """Drop a keyspace with every table and row in it: ``op.drop_keyspace("bank")``.

        :param if_exists: whether none is no error.
        :raises InvalidModel: for the keyspace that the connection is in; nothing was sent.
        """
        operations.invoke(cls(name, if_exists=if_exists))

    def reverse(self) -> CreateKeyspaceOp:
        """Give the operation that creates it again, empty.

        :raises ValueError: when its options aren't known.
        """
        if self.keyspace is None:
            raise ValueError(f"the options of the keyspace {self.name!r} aren't known")
        return CreateKeyspaceOp(self.keyspace)

    def to_diff_tuple(self) -> tuple[Any, ...]:
        """Give what ``alembic check`` prints."""
        return ("remove_keyspace", self.keyspace or self.name)


@Operations.register_operation("alter_keyspace")
class AlterKeyspaceOp(MigrateOperation):
    """``ALTER KEYSPACE``.

    :param name: the keyspace.
    :param options: new values by the words of the statement: ``replication``, ``durable_writes``, ``tablets``.
    :param existing: values before, for the downgrade.
    """

    def __init__(self, name: str, options: Mapping[str, Any], *, existing: Mapping[str, Any] | None = None) -> None:
        self.name = name
        self.options = dict(options)
        self.existing = dict(existing or {})

    @classmethod
    def alter_keyspace(
        cls,
        operations: Operations,
        name: str,
        *,
        replication: Mapping[str, Any] | None = None,
        durable_writes: bool | None = None,
        tablets: Mapping[str, Any] | None = None,
        existing_replication: Mapping[str, Any] | None = None,
        existing_durable_writes: bool | None = None,
        existing_tablets: Mapping[str, Any] | None = None,
    ) -> None:
        """Change a keyspace: ``op.alter_keyspace("bank", replication={"class": "NetworkTopologyStrategy", "dc1": 5})``.

        The replication map is replaced whole. New replicas get the rows that are there by a repair, which no statement
        starts: run ``nodetool repair --full`` afterwards.

        :param name: the keyspace.
        :param replication: the new replication map; as it is when None.
        :param durable_writes: whether writes go through the commit log; as it is when None.
        :param tablets: ScyllaDB's map; as it is when None.
        :param existing_replication: the map before, as autogenerate writes it.
        :param existing_durable_writes: the value before.
        :param existing_tablets: the map before.
        :raises InvalidModel: for a map that no server takes, or when nothing is given; nothing was sent.
        """
        options = {"replication": replication, "durable_writes": durable_writes, "tablets": tablets}
        existing = {
            "replication": existing_replication,
            "durable_writes": existing_durable_writes,
            "tablets": existing_tablets,
        }
        operations.invoke(cls(name, _given(options), existing=_given(existing)))

    def reverse(self) -> AlterKeyspaceOp:
        """Give the operation that sets the values before.

        :raises ValueError: when they aren't known.
        """
        if set(self.existing) != set(self.options):
            raise ValueError(f"the options of the keyspace {self.name!r} before the change aren't known")
        return AlterKeyspaceOp(self.name, self.existing, existing=self.options)

    def to_diff_tuple(self) -> tuple[Any, ...]:
        """Give what ``alembic check`` prints."""
        return ("alter_keyspace", self.name, self.existing, self.options)


def _given(options: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}


@Operations.implementation_for(CreateKeyspaceOp)
def _create_keyspace(operations: Operations, operation: CreateKeyspaceOp) -> None:
    impl: Any = operations.impl
    configured = configured_keyspaces(impl.dialect, operations.migration_context)
    keyspace = in_environment(operation.keyspace, configured)
    impl._exec(CreateKeyspace(keyspace, operation.if_not_exists))


@Operations.implementation_for(DropKeyspaceOp)
def _drop_keyspace(operations: Operations, operation: DropKeyspaceOp) -> None:
    impl: Any = operations.impl
    check_name(operation.name)
    if operation.name == impl.dialect.default_schema_name:
        raise InvalidModel(
            f"keyspace {operation.name!r} is the one that this connection is in, with the version table: drop it by "
            "hand; nothing of this revision was sent"
        )
    impl._exec(DropKeyspace(operation.name, operation.if_exists))


@Operations.implementation_for(AlterKeyspaceOp)
def _alter_keyspace(operations: Operations, operation: AlterKeyspaceOp) -> None:
    impl: Any = operations.impl
    check_name(operation.name)
    check_options(operation.name, operation.options)
    here = options_of(operation.name, configured_keyspaces(impl.dialect, operations.migration_context))
    options = {name: here.get(name, value) for name, value in operation.options.items()}
    impl._exec(AlterKeyspace(operation.name, options))


@renderers.dispatch_for(CreateKeyspaceOp)
def _render_create_keyspace(autogen_context: Any, operation: CreateKeyspaceOp) -> str:
    keyspace = operation.keyspace
    return call(
        autogen_context,
        "create_keyspace",
        [repr(keyspace.name), repr(keyspace.replication)],
        durable_writes=None if keyspace.durable_writes else False,
        tablets=keyspace.tablets,
    )


@renderers.dispatch_for(DropKeyspaceOp)
def _render_drop_keyspace(autogen_context: Any, operation: DropKeyspaceOp) -> str:
    return call(autogen_context, "drop_keyspace", [repr(operation.name)])


@renderers.dispatch_for(AlterKeyspaceOp)
def _render_alter_keyspace(autogen_context: Any, operation: AlterKeyspaceOp) -> str:
    existing = {f"existing_{name}": value for name, value in operation.existing.items()}
    return call(autogen_context, "alter_keyspace", [repr(operation.name)], **operation.options, **existing)
