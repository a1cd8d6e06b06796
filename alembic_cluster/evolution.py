"""Row versions: rows that say which version of the schema they were written with, upgraded when they are read.

Every row has a column ``schema_version``. One function for each step tells how a row of a version becomes one of the
next::

    users = Evolution("users")

    @users.step(1, 2, defaults={"blueprint": "devassist"})
    def state_gets_its_full_name(row):
        row["session_state"] = row.pop("state", "open")

    @users.step(2, 3)
    def titles_are_trimmed(row):
        row["title"] = row["title"].strip()

    user = users.upgrade(row)     # after each read; nothing is written

A program of the new version then reads rows of all versions, and no release waits for a backfill. What writes rows
sets ``users.version`` to ``users.current``; :meth:`Evolution.stamp` does that.

``upgrade`` takes mappings (rows of a driver that come as a dict, items of ScyllaDB's Alternator), rows of drivers and
of SQLAlchemy, and objects of SQLAlchemy's ORM, cqlengine and coodie: see :mod:`alembic_cluster.evolution_rows`. What
is bound to a table (writing upgraded rows back, counting, upgrading the rest) is :class:`StoredRows
<alembic_cluster.evolution_store.StoredRows>`.

Source of the pattern: https://www.scylladb.com/2022/01/19/handling-schema-changes-in-nosql/ and DynamoDB's practice of
versions in items.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, TypeVar

from alembic_cluster.errors import InvalidEvolution, RowUpgradeFailed, UnknownRowVersion

Row = MutableMapping[str, Any]
StepFunction = Callable[[Any], Any]
_Step = TypeVar("_Step", bound=StepFunction)


@dataclass(frozen=True)
class Step:
    """One step of a chain.

    :ivar old: the version of the rows that it takes; ``new`` is the next one.
    :ivar function: gets a row that it may change; gives the row to go on with, or None for the one it got.
    :ivar defaults: values of fields that a row of version ``new`` has and that are missing after the function; what is
        callable is called for each row.
    """

    old: int
    new: int
    function: StepFunction
    defaults: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_async(self) -> bool:
        """Whether its function must be awaited."""
        return inspect.iscoroutinefunction(self.function)

    def apply(self, row: Any) -> Any:
        """Run it on a row: the function first, then the defaults."""
        return self._filled(row, self.function(row))

    async def apply_async(self, row: Any) -> Any:
        """Run it on a row, awaiting what its function gives if that can be awaited."""
        given = self.function(row)
        return self._filled(row, await given if inspect.isawaitable(given) else given)

    def _filled(self, row: Any, given: Any) -> Any:
        row = row if given is None else given
        for name, value in self.defaults.items():
            if row.get(name) is None:
                row[name] = value() if callable(value) else value
        return row


class Evolution:
    """The versions of one kind of row.

    :param name: what messages call the rows, such as ``"users"``.
    :param version: the field with a row's version.
    :param missing: the version of a row without one; None refuses such rows.
    :ivar oldest: the oldest version that can be read: what the first step takes, 1 without steps.
    :ivar current: the version that ``upgrade`` leads to: what the last step gives.
    :raises InvalidEvolution: for an empty name or a version below 1.

    Steps are declared in order, so each must begin where the last one ended: a gap, a step that is there already and
    one that leaps over a version are refused where they are declared. A chain whose first steps were retired begins
    later; rows that are older than it are refused when they are read.
    """

    def __init__(self, name: str, *, version: str = "schema_version", missing: int | None = 1) -> None:
        if not name or not version:
            raise InvalidEvolution("an evolution needs a name, and a name for the field of its version")
        if missing is not None:
            _check_version(missing, f"the version of rows of {name!r} that have none")
        self.name = name
        self.version = version
        self.missing = missing
        self.oldest = self.current = 1
        self._steps: list[Step] = []
        self._paths: dict[int, Callable[[Any], Any]] = {}

    def __repr__(self) -> str:
        return f"<Evolution {self.name!r}, versions {self.oldest} to {self.current}>"

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps, oldest first."""
        return tuple(self._steps)

    def step(self, old: int, new: int, *, defaults: Mapping[str, Any] | None = None) -> Callable[[_Step], _Step]:
        """Declare the function that makes a row of version ``old`` one of version ``new``.

        The function gets a copy of the row with all of its fields, may change it, and returns it, another mapping, or
        None for the one that it got. It must be safe to run again on a row that has had part of it: other processes
        may write rows of an older version meanwhile. It may be a coroutine function; such a chain needs
        :meth:`upgrade_async`.

        :param defaults: fields that are new in ``new``, with the values that rows without them get.
        :raises InvalidEvolution: when it doesn't continue the chain.
        """
        _check_version(old, f"the version that a step of {self.name!r} begins with")
        _check_version(new, f"the version that a step of {self.name!r} ends with")
        if new != old + 1:
            raise InvalidEvolution(
                f"step {old} to {new} of {self.name!r} must lead to version {old + 1}: rows of every version between "
                "need a step of their own"
            )
        if self._steps and old < self.current:
            twin = next((step for step in self._steps if step.old == old), None)
            reason = "is there already" if twin else f"comes before the first, {self.oldest} to {self.oldest + 1}"
            raise InvalidEvolution(f"step {old} to {new} of {self.name!r} {reason}: steps are declared in order")
        if self._steps and old > self.current:
            raise InvalidEvolution(
                f"step {old} to {new} of {self.name!r} leaves a gap: the last one leads to version {self.current}, so "
                f"declare step {self.current} to {self.current + 1} before it"
            )

        def declare(function: _Step) -> _Step:
            if not self._steps:
                self.oldest = old
            self._steps.append(Step(old, new, function, dict(defaults or {})))
            self.current = new
            self._compose()
            return function

        return declare

    def _compose(self) -> None:
        self._paths = {step.old: _composed(self._steps[place:], self.version) for place, step in enumerate(self._steps)}

    # ------------------------------------------------------------------------------------------------- reading

    def version_of(self, row: Any) -> int:
        """Give the version of a row, whatever kind of row it is.

        :raises UnknownRowVersion: for one that isn't a whole number of 1 or more, or is missing where it must not be.
        """
        from alembic_cluster.evolution_rows import fields_of

        return self._number(fields_of(row).get(self.version))

    def upgrade(self, row: Any) -> Any:
        """Make a row one of the current version, in memory.

        A row of the current version comes back as it is: the same object. A mapping or a row of a driver comes back as
        a new ``dict``, and the one given stays as it was (nested values are shared); an object of an ORM comes back
        itself, changed without being marked as changed, so that nothing is written.

        :raises UnknownRowVersion: for a newer version than this program knows, an older one than its first step
            takes, or one that isn't a version.
        :raises RowUpgradeFailed: when a step fails; the row is as it was.
        """
        if type(row) is not dict:
            return self._other(row)
        found = row.get(self.version)
        if type(found) is not int:
            number = self._number(found)
            return row if number == self.current else self._shaped(self._run(row, number), found)
        if found == self.current:
            return row
        try:
            return self._paths[found](row)  # here, not in _run: every row that is read passes
        except Exception as error:
            raise self._reason(row, found, error) from error

    def _run(self, row: Any, number: int) -> Any:
        run = self._path(number)
        try:
            return run(row)
        except Exception as error:
            raise self._reason(row, number, error) from error

    def _reason(self, row: Any, number: int, error: Exception) -> Exception:
        self._path(number)
        return self._failure(row, number, error, _step_of(error.__traceback__))

    def _other(self, row: Any) -> Any:
        from alembic_cluster.evolution_rows import fields_of, put_back

        fields = fields_of(row)
        number = self._number(fields.get(self.version))
        if number == self.current:
            return row
        upgraded = self._shaped(self._run(fields, number), fields.get(self.version))
        return put_back(row, fields, upgraded)

    async def upgrade_async(self, row: Any) -> Any:
        """Do what :meth:`upgrade` does, awaiting the steps that are coroutine functions."""
        from alembic_cluster.evolution_rows import fields_of, put_back

        fields = fields_of(row)
        found = fields.get(self.version)
        number = self._number(found)
        if number == self.current:
            return row
        self._path(number)
        upgraded: Any = dict(fields)
        for step in self._steps[number - self.oldest :]:
            try:
                upgraded = await step.apply_async(upgraded)
            except Exception as error:
                raise self._failure(row, number, error, step.old - number) from error
        upgraded[self.version] = self.current
        return put_back(row, fields, self._shaped(upgraded, found))

    def reader(self, read: Callable[..., Any]) -> Callable[..., Any]:
        """Decorate a function that reads a row, or rows: what it gives comes out upgraded.

        :param read: gives a row, None, or an iterable of rows; or, as a coroutine function, one of these.
        :return: a function of the same arguments. From an iterable that isn't a list it makes a generator.
        """
        import functools

        from alembic_cluster.evolution_rows import each_row

        if inspect.iscoroutinefunction(read):

            @functools.wraps(read)
            async def reading_async(*args: Any, **kw: Any) -> Any:
                given = await read(*args, **kw)
                if isinstance(given, list):
                    return [await self.upgrade_async(row) for row in given]
                return None if given is None else await self.upgrade_async(given)

            return reading_async

        @functools.wraps(read)
        def reading(*args: Any, **kw: Any) -> Any:
            return each_row(read(*args, **kw), self.upgrade)

        return reading

    def attach(self, model: type[Any]) -> None:
        """Upgrade each object of a mapped class, and of its subclasses, when SQLAlchemy's ORM loads or refreshes it.

        The attributes are set as if they had been loaded so: a flush writes nothing. An object that is loaded without
        its version (``load_only``, a deferred column) stays as it is.

        :param model: a class mapped by SQLAlchemy; asynchronous sessions load it the same way.
        :raises InvalidEvolution: when it isn't mapped, or has no attribute for the version.
        """
        from sqlalchemy import event
        from sqlalchemy import inspect as inspected
        from sqlalchemy.exc import NoInspectionAvailable

        try:
            mapper = inspected(model)
        except NoInspectionAvailable:
            raise InvalidEvolution(f"{model!r} is no class that SQLAlchemy's ORM maps") from None
        if self.version not in mapper.column_attrs:
            raise InvalidEvolution(f"{model.__name__} has no attribute {self.version!r}, where the version is kept")

        def loaded(row: Any, *_: Any) -> None:
            if self.version in row._sa_instance_state.dict:
                self._other(row)

        event.listen(model, "load", loaded, propagate=True)
        event.listen(model, "refresh", loaded, propagate=True)

    # ------------------------------------------------------------------------------------------------- writing

    def stamp(self, row: Row) -> Row:
        """Set the version of a row that the program is about to write; gives the row."""
        row[self.version] = self.current
        return row

    def upgrade_and_save(self, row: Any, save: Callable[[Any, Any], Any]) -> Any:
        """Upgrade a row, and hand it over to be written if it was of an older version.

        :param save: called with the row as it was read and the upgraded one. It writes on the condition that the
            stored row still has the old version, and leaves it be otherwise: a newer writer was quicker.
        """
        before = self.version_of(row)
        upgraded = self.upgrade(dict(row) if isinstance(row, Mapping) else row)
        if before != self.current:
            save(row, upgraded)
        return upgraded

    async def upgrade_and_save_async(self, row: Any, save: Callable[[Any, Any], Awaitable[Any]]) -> Any:
        """Do what :meth:`upgrade_and_save` does, with ``save`` awaited."""
        before = self.version_of(row)
        upgraded = await self.upgrade_async(dict(row) if isinstance(row, Mapping) else row)
        if before != self.current:
            await save(row, upgraded)
        return upgraded

    # ------------------------------------------------------------------------------------------------- insides

    def _number(self, found: Any) -> int:
        """Read a version: a whole number in any type that a database gives it in (int, Decimal, Alternator's text)."""
        if type(found) is dict and set(found) == {"N"}:  # a low-level item of the DynamoDB API
            found = found["N"]
        if found is None:
            if self.missing is None:
                raise UnknownRowVersion(
                    f"a row of {self.name!r} has no {self.version}, and rows without one are not expected: give "
                    "Evolution(missing=) the version that they have; nothing was written"
                )
            return self.missing
        try:
            number = int(found)
            valid = not isinstance(found, bool) and number >= 1 and (isinstance(found, str) or number == found)
        except (TypeError, ValueError, OverflowError):
            valid = False
        if not valid:
            raise UnknownRowVersion(
                f"{self.version} of a row of {self.name!r} is {found!r}, and versions are whole numbers from 1 on; "
                "nothing was written: mend that row"
            )
        return number

    def _path(self, number: int) -> Callable[[Any], Any]:
        self._number(number)
        if number > self.current:
            raise UnknownRowVersion(
                f"a row of {self.name!r} has {self.version} {number}, and this program knows versions up to "
                f"{self.current}: a newer release wrote it; nothing was written: update this program"
            )
        if number < self.oldest:
            raise UnknownRowVersion(
                f"a row of {self.name!r} has {self.version} {number}, and the oldest step that is left takes version "
                f"{self.oldest}: bring back the steps from {number} on, or upgrade the old rows by a release that has "
                "them; nothing was written"
            )
        return self._paths[number]

    def _shaped(self, row: Any, found: Any) -> Any:
        """Write the version the way that the row has it."""
        row[self.version] = {"N": str(self.current)} if type(found) is dict else self.current
        return row

    def _failure(self, row: Any, number: int, error: Exception, place: int | None) -> Exception:
        if isinstance(error, InvalidEvolution):
            return error
        old = number if place is None else number + place
        return RowUpgradeFailed(
            f"step {old} to {old + 1} of {self.name!r} failed on a row of version {number}: "
            f"{type(error).__name__}: {error}. Nothing was written; the row has the fields "
            f"{', '.join(map(str, row)) if isinstance(row, Mapping) else type(row).__name__}",
            row=row,
        )


def _check_version(number: Any, what: str) -> None:
    if not isinstance(number, int) or isinstance(number, bool) or number < 1:
        raise InvalidEvolution(f"{what} must be a whole number from 1 on, not {number!r}")


_FIRST_STEP_LINE = 3
_CHAIN = "<chain of steps>"


def _composed(steps: list[Step], version: str) -> Callable[[Any], Any]:
    """Make one function of a chain, its steps written out one a line.

    A loop over the steps costs as much again as short steps themselves do, and every row that is read passes here.
    """
    names: dict[str, Any] = {"version": version, "current": steps[-1].new}
    lines = ["def run(row):", "    row = row.copy()"]
    for place, step in enumerate(steps):
        names[f"step_{place}"] = _refused_async(step) if step.is_async else step.apply
        if step.defaults or step.is_async:
            lines.append(f"    row = step_{place}(row)")
        else:
            names[f"step_{place}"] = step.function
            lines.append(f"    given = step_{place}(row); row = row if given is None else given")
    lines += ["    row[version] = current", "    return row"]
    exec(compile("\n".join(lines), _CHAIN, "exec"), names)
    run: Callable[[Any], Any] = names["run"]
    return run


def _refused_async(step: Step) -> Callable[[Any], Any]:
    def refuse(row: Any) -> Any:
        raise InvalidEvolution(f"step {step.old} to {step.new} is a coroutine function: use 'await upgrade_async(row)'")

    return refuse


def _step_of(traceback: TracebackType | None) -> int | None:
    """Give the place of the step that failed in its chain, by the line of the composed function."""
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename == _CHAIN:
            return traceback.tb_lineno - _FIRST_STEP_LINE
        traceback = traceback.tb_next
    return None
