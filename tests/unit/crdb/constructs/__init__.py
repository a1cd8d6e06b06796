"""Each construct that a model can say, alone: the model, its DDL, and what a v21.1 server makes of it."""

from __future__ import annotations

from tests.unit.crdb.constructs import columns, constraints, indexes, objects
from tests.unit.crdb.constructs.base import Construct

#: All but the types, of which :data:`tests.unit.crdb.constructs.columns.TYPES` has a list.
CONSTRUCTS: list[Construct] = [
    *columns.enums(),
    *columns.properties(),
    *constraints.keys(),
    *constraints.constraints(),
    *indexes.indexes(),
    *objects.tables(),
    *objects.others(),
]
