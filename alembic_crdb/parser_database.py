"""The parsing of ``CREATE DATABASE`` and ``ALTER DATABASE``: regions, survival goals, placement."""

from __future__ import annotations

from typing import Any, Final

from alembic_crdb.catalog_objects import AlterDatabase, Database
from alembic_crdb.parser_table import TableCursor

#: The clauses of ``CREATE DATABASE`` that are written ``KEY = value``.
_OPTIONS: Final = ("TEMPLATE", "ENCODING", "LC_COLLATE", "LC_CTYPE", "CONNECTION LIMIT", "OWNER")
#: All of its clauses, in the order in which servers print them.
DATABASE_CLAUSES: Final = (
    *_OPTIONS[:-1],
    "PRIMARY REGION",
    "REGIONS",
    "SURVIVE",
    "PLACEMENT",
    "OWNER",
    "SUPER REGION",
    "SECONDARY REGION",
)


class DatabaseCursor(TableCursor):
    """A cursor that reads the definition of a database and the changes of its regions."""

    def needed(self, *words: str) -> str:
        """Step over one of these keywords, and give it; refuse anything else."""
        word = self.one_of(*words)
        if word is None:
            raise self.fail(" or ".join(words))
        return word

    def database(self) -> Database:
        """Read what follows ``CREATE DATABASE``."""
        name = self.name()
        found: dict[str, Any] = {}
        clauses: list[str] = []
        while self.texts[self.at] not in {";", ""}:
            first = self.at
            clause = self._database_clause(found)
            if clause in clauses:
                raise self.fail("no clause twice", first)
            clauses.append(clause)
        places = [DATABASE_CLAUSES.index(clause) for clause in clauses]
        ordered = places == sorted(places)
        return Database(name, **found, layout=self.layout(clauses=() if ordered else tuple(clauses)))

    def _database_clause(self, found: dict[str, Any]) -> str:
        for option in _OPTIONS:
            if self.accept(*option.split()):
                self.expect("=")
                first = self.at
                # A value is one word, string or number; what follows it begins the next clause.
                if self.texts[first] in {";", "", ",", "(", ")"}:
                    raise self.fail("a value")
                self.at += 2 if self.texts[first] == "-" else 1
                found["options"] = (*found.get("options", ()), (option, self.slice(first, self.at)))
                return option
        if self.accept("PRIMARY", "REGION"):
            found["primary_region"] = self.name()
            return "PRIMARY REGION"
        if self.accept("REGIONS", "="):
            found["regions"] = self.listed_names()
            return "REGIONS"
        if self.accept("SURVIVE"):
            found["survive"] = self._survival_goal()
            return "SURVIVE"
        if self.accept("PLACEMENT"):
            found["placement"] = self.needed("RESTRICTED", "DEFAULT")
            return "PLACEMENT"
        if self.accept("SUPER", "REGION"):
            name = self.name()
            self.expect("VALUES")
            found["super_region"] = (name, self.listed_names())
            return "SUPER REGION"
        if self.accept("SECONDARY", "REGION"):
            found["secondary_region"] = self.name()
            return "SECONDARY REGION"
        raise self.fail("a clause of CREATE DATABASE")

    def _survival_goal(self) -> str:
        goal = "AVAILABILITY ZONE" if self.accept("AVAILABILITY", "ZONE") else self.needed("ZONE", "REGION")
        self.expect("FAILURE")
        return goal

    def alter_database(self, name: str) -> AlterDatabase:
        """Read what follows ``ALTER DATABASE name``, when it changes regions."""
        action, regions, super_region = self._region_action()
        return AlterDatabase(name, action, regions, super_region, self.layout())

    def _region_action(self) -> tuple[Any, tuple[str, ...], str | None]:
        if self.accept("SET", "PRIMARY", "REGION") or self.accept("PRIMARY", "REGION"):
            if self.texts[self.at - 3] == "SET":
                self.flags.add("set")
            return "PRIMARY REGION", (self.name(),), None
        if self.accept("SET", "SECONDARY", "REGION"):
            return "SET SECONDARY REGION", (self.name(),), None
        if self.accept("DROP", "SECONDARY", "REGION"):
            return "DROP SECONDARY REGION", (), None
        for verb in ("ADD", "DROP"):
            if self.accept(verb, "REGION"):
                return f"{verb} REGION", (self.name(),), None
        for verb in ("ADD", "ALTER"):
            if self.accept(verb, "SUPER", "REGION"):
                super_region = self.name()
                self.expect("VALUES")
                return f"{verb} SUPER REGION", self.listed_names(), super_region
        if self.accept("DROP", "SUPER", "REGION"):
            return "DROP SUPER REGION", (), self.name()
        if self.accept("SURVIVE"):
            return f"SURVIVE {self._survival_goal()} FAILURE", (), None
        if self.accept("PLACEMENT"):
            return f"PLACEMENT {self.needed('RESTRICTED', 'DEFAULT')}", (), None
        raise self.fail("a change of the database's regions")
