"""What a model says beside its tables: views, schemas, zone configurations, the database's regions, comments.

Each object is attached to a MetaData by ``metadata=``. ``metadata.create_all`` on CockroachDB creates it, and
autogenerate compares it::

    View("active_users", "SELECT id, email FROM users WHERE active", metadata=Base.metadata)
    ZoneConfiguration("TABLE events", {"gc.ttlseconds": 3600}, metadata=Base.metadata)

For other databases a MetaData with such objects is what it is without them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final, Literal, TypeAlias, TypeVar

from sqlalchemy import Index, MetaData, SelectBase, Table, TextClause

from alembic_cluster.errors import InvalidModel
from alembic_crdb.catalog_objects import CommentTarget

#: The key of ``MetaData.info`` under which the objects of a MetaData are.
INFO_KEY: Final = "alembic_crdb"

#: A value of a storage parameter or of a zone configuration; a TextClause stands for itself.
Value: TypeAlias = "str | int | float | bool | timedelta | TextClause"

_SURVIVAL_GOALS: Final = ("ZONE", "REGION", "AVAILABILITY ZONE")
_COMMENT_TARGETS: Final = ("DATABASE", "SCHEMA", "TYPE", "INDEX", "CONSTRAINT")
_Attached = TypeVar("_Attached", "Schema", "View", "ZoneConfiguration", "DatabaseRegions", "Comment")


@dataclass
class SchemaObjects:
    """The objects of this module that are attached to one MetaData, each kind in the order of declaration."""

    schemas: list[Schema] = field(default_factory=list)
    views: list[View] = field(default_factory=list)
    zones: list[ZoneConfiguration] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)
    regions: DatabaseRegions | None = None


def objects_of(metadata: MetaData) -> SchemaObjects:
    """Give what is attached to a MetaData; it is empty where nothing is.

    :param metadata: any MetaData; nothing of it changes.
    """
    found = metadata.info.get(INFO_KEY)
    return found if isinstance(found, SchemaObjects) else SchemaObjects()


def _attach(metadata: MetaData | None, kind: str, new: _Attached) -> None:
    if metadata is None:
        return
    objects = metadata.info.setdefault(INFO_KEY, SchemaObjects())
    attached: list[_Attached] = getattr(objects, kind)
    if any(each.key == new.key for each in attached):
        raise InvalidModel(f"The MetaData has two of {new!r}. Nothing was sent; leave one of them out.")
    attached.append(new)


class Schema:
    """A schema, created before what is in it.

    Without it ``create_all`` expects the schemas of its tables to exist, as SQLAlchemy does.

    :param name: of the schema, without quotes.
    :param owner: a role; None for the one that creates it.
    :param metadata: where it belongs.
    :raises InvalidModel: the MetaData has the schema already.
    """

    def __init__(self, name: str, *, metadata: MetaData | None = None, owner: str | None = None) -> None:
        self.name = name
        self.owner = owner
        _attach(metadata, "schemas", self)

    @property
    def key(self) -> str:
        """What tells it from others."""
        return self.name

    def __repr__(self) -> str:
        return f"Schema({self.name!r})"


class View:
    """A view or, with ``materialized``, a materialized view.

    :param name: of the view, without quotes.
    :param definition: its query, as text or as a select of SQLAlchemy.
    :param metadata: where it belongs. Its views are created after the tables and dropped before them, each after
        those of the same MetaData that its query names.
    :param schema: its schema; None for that of the MetaData.
    :param materialized: whether its rows are stored; ``REFRESH MATERIALIZED VIEW`` reads them anew.
    :param columns: names of its columns; empty for those of the query.
    :param parameters: such as ``{"security_invoker": True}``, of v26.2 and later.
    :raises InvalidModel: the MetaData has a view of this name.
    """

    def __init__(
        self,
        name: str,
        definition: str | SelectBase,
        *,
        metadata: MetaData | None = None,
        schema: str | None = None,
        materialized: bool = False,
        columns: Sequence[str] = (),
        parameters: Mapping[str, Value] | None = None,
    ) -> None:
        self.name = name
        self.definition = definition
        self.schema = metadata.schema if schema is None and metadata is not None else schema
        self.materialized = materialized
        self.columns = tuple(columns)
        self.parameters = dict(parameters or {})
        _attach(metadata, "views", self)

    @property
    def key(self) -> tuple[str | None, str]:
        """What tells it from others."""
        return self.schema, self.name

    def __repr__(self) -> str:
        query = self.definition if isinstance(self.definition, str) else type(self.definition).__name__
        return f"View({self.name!r}, {query!r}, schema={self.schema!r}, materialized={self.materialized!r})"


class ZoneConfiguration:
    """A zone configuration: replicas, constraints, garbage collection of a database, table, index or partition.

    :param target: a Table, an Index of a Table, or a text: the name of a table, or ``TABLE t``, ``INDEX t@ix``,
        ``DATABASE d``, ``RANGE default``, ``PARTITION p OF TABLE t``, ``PARTITION p OF INDEX t@ix``, with names as
        SQL writes them.
    :param options: such as ``{"num_replicas": 5, "gc.ttlseconds": 90000, "constraints": "[+region=us-east1]"}``.
    :param metadata: where it belongs.
    :raises InvalidModel: there are no options, or the MetaData has one for this target.
    """

    def __init__(
        self,
        target: str | Table | Index,
        options: Mapping[str, Value],
        *,
        metadata: MetaData | None = None,
    ) -> None:
        if not options:
            raise InvalidModel(f"The zone configuration of {target} has no options. Nothing was sent.")
        self.target = target
        self.options = dict(options)
        _attach(metadata, "zones", self)

    @property
    def key(self) -> str | Table | Index:
        """What tells it from others."""
        return self.target

    def __repr__(self) -> str:
        return f"ZoneConfiguration({str(self.target)!r}, {self.options!r})"


class DatabaseRegions:
    """The regions of the database, and what failure it survives.

    :param primary: the primary region.
    :param regions: the others; the primary one may be among them.
    :param survive: the failure to survive: of a ``ZONE`` or of a ``REGION``, for which there must be three regions.
    :param placement: ``RESTRICTED`` to keep replicas in their regions (v22.1 and later); None for the default.
    :param secondary: the region that takes over when the primary one fails (v22.2 and later).
    :param super_regions: names of super regions with their regions (v22.2 and later).
    :param database: the database's name; None for the one that the connection is in.
    :param metadata: where it belongs.
    :raises InvalidModel: the goal is none, or the MetaData has regions already.
    """

    def __init__(
        self,
        primary: str,
        regions: Iterable[str] = (),
        survive: Literal["ZONE", "REGION", "AVAILABILITY ZONE"] = "ZONE",
        *,
        placement: Literal["RESTRICTED", "DEFAULT"] | None = None,
        secondary: str | None = None,
        super_regions: Mapping[str, Iterable[str]] | None = None,
        database: str | None = None,
        metadata: MetaData | None = None,
    ) -> None:
        if survive not in _SURVIVAL_GOALS:
            raise InvalidModel(f"No database survives the failure of {survive!r}; it may be ZONE or REGION.")
        self.primary = primary
        self.regions = tuple(dict.fromkeys((primary, *regions)))
        self.survive = survive
        self.placement = placement
        self.secondary = secondary
        self.super_regions = {name: tuple(members) for name, members in (super_regions or {}).items()}
        self.database = database
        if metadata is not None:
            objects = metadata.info.setdefault(INFO_KEY, SchemaObjects())
            if objects.regions is not None:
                raise InvalidModel(f"The MetaData has {objects.regions!r} already. Nothing was sent.")
            objects.regions = self

    @property
    def key(self) -> None:
        """What tells it from others: a MetaData has one."""
        return

    def __repr__(self) -> str:
        return f"DatabaseRegions({self.primary!r}, {list(self.regions)!r}, survive={self.survive!r})"


class Comment:
    """A comment on what SQLAlchemy has no comment for; tables and columns have ``comment=`` of their own.

    :param target: ``DATABASE``, ``SCHEMA``, ``TYPE``, ``INDEX`` or ``CONSTRAINT``.
    :param name: the database, schema or type; the table of an index or constraint.
    :param text: the comment.
    :param child: the index or constraint.
    :param schema: of the type or table; None for the default one.
    :param metadata: where it belongs.
    :raises InvalidModel: the target is another one, or the MetaData has a comment for it.
    """

    def __init__(
        self,
        target: CommentTarget,
        name: str,
        text: str,
        *,
        child: str | None = None,
        schema: str | None = None,
        metadata: MetaData | None = None,
    ) -> None:
        if target not in _COMMENT_TARGETS:
            raise InvalidModel(
                f"No comment on {target}; this one is for {', '.join(_COMMENT_TARGETS)}. Nothing was sent; tables "
                "and columns have a parameter `comment`."
            )
        if (child is None) == (target in ("INDEX", "CONSTRAINT")):
            raise InvalidModel(f"A comment on {target} {'has no' if child else 'needs a'} child. Nothing was sent.")
        self.target = target
        self.name = name
        self.text = text
        self.child = child
        self.schema = schema
        _attach(metadata, "comments", self)

    @property
    def key(self) -> tuple[str, str | None, str, str | None]:
        """What tells it from others."""
        return self.target, self.schema, self.name, self.child

    def __repr__(self) -> str:
        return f"Comment({self.target!r}, {self.name!r}, {self.text!r}, child={self.child!r})"


class TTL(dict[str, Value]):
    """The storage parameters of row-level TTL, for ``cockroachdb_with`` of a Table.

    ``cockroachdb_with=TTL(expire_after="3 months")``, or with others beside them,
    ``{**TTL(expiration_expression="expires_at"), "schema_locked": True}``. Source: CockroachDB's documentation,
    page "Batch Delete Expired Data with Row-Level TTL".

    :param expiration_expression: an SQL expression of TIMESTAMPTZ: when the row is to be deleted.
    :param expire_after: an interval, as text or timedelta: how long after its last change.
    :param job_cron: when the job runs, ``@daily`` unless said.
    :param select_batch_size: rows to select at one time.
    :param delete_batch_size: rows to delete at one time.
    :param select_rate_limit: rows to select per second and node; 0 for no limit.
    :param delete_rate_limit: rows to delete per second and node; 0 for no limit.
    :param row_stats_poll_interval: an interval, as text or timedelta: how often to count rows while the job runs.
    :param pause: whether the job is to do nothing.
    :param label_metrics: whether metrics carry the table's name.
    :param disable_changefeed_replication: whether changefeeds are to leave these deletions out.
    :raises InvalidModel: neither ``expiration_expression`` nor ``expire_after`` was given.
    """

    def __init__(
        self,
        *,
        expiration_expression: str | None = None,
        expire_after: str | timedelta | None = None,
        job_cron: str | None = None,
        select_batch_size: int | None = None,
        delete_batch_size: int | None = None,
        select_rate_limit: int | None = None,
        delete_rate_limit: int | None = None,
        row_stats_poll_interval: str | timedelta | None = None,
        pause: bool | None = None,
        label_metrics: bool | None = None,
        disable_changefeed_replication: bool | None = None,
    ) -> None:
        if expiration_expression is None and expire_after is None:
            raise InvalidModel("Row-level TTL needs expiration_expression or expire_after. Nothing was sent.")
        said: dict[str, Any] = {
            "ttl_expiration_expression": expiration_expression,
            "ttl_expire_after": expire_after,
            "ttl_job_cron": job_cron,
            "ttl_select_batch_size": select_batch_size,
            "ttl_delete_batch_size": delete_batch_size,
            "ttl_select_rate_limit": select_rate_limit,
            "ttl_delete_rate_limit": delete_rate_limit,
            "ttl_row_stats_poll_interval": row_stats_poll_interval,
            "ttl_pause": pause,
            "ttl_label_metrics": label_metrics,
            "ttl_disable_changefeed_replication": disable_changefeed_replication,
        }
        super().__init__({name: value for name, value in said.items() if value is not None})


__all__ = [
    "TTL",
    "Comment",
    "DatabaseRegions",
    "Schema",
    "SchemaObjects",
    "Value",
    "View",
    "ZoneConfiguration",
    "objects_of",
]
