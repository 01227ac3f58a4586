"""Prove that a statement is read-only, so that a standby server can run it.

The proof is conservative: anything that cannot be inspected is not proved. The parse tree contains
the functions that a statement calls. The catalog contains other functions that may run when rows
are read: in CHECK constraints of domains, in row-level security policies, and in types. Each
precondition of the proof has a name. For each precondition, a test disables the precondition and
checks that the weaker proof accepts a statement that writes.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import Final

from aiosqlc.parse.scanner import Kind, scan, unquote
from aiosqlc.postgres.catalog.facts import FIRST_USER_OID, Facts
from aiosqlc.postgres.catalog.rows import Function
from aiosqlc.postgres.infer import kinds
from aiosqlc.postgres.infer.oids import oid_fields
from aiosqlc.postgres.routine_bodies import touched
from aiosqlc.postgres.tree import Node

PREMISES: Final = (
    "every query is a SELECT", "the query locks no rows", "the tables of the query are known",
    "the tables of the query are permanent", "the tables of the query are local tables",
    "row-level security policies are read-only", "a built-in function is not VOLATILE",
    "a standby server allows the built-in function", "the body of a function can be analysed",
    "the body of a function is read-only", "a function does not change settings",
    "the operators are read-only",
    "the functions of an aggregate are read-only", "the functions of the types are read-only",
    "the CHECK constraints of domains are read-only", "a PL/pgSQL function is not VOLATILE",
    "a PL/pgSQL function builds no statements", "PL/pgSQL locks nothing",
    "a PL/pgSQL function does not read the catalog",
    "a PL/pgSQL function reads only permanent tables",
    "functions that PL/pgSQL calls are read-only",
    "operators in PL/pgSQL are read-only", "casts in PL/pgSQL are read-only",
)  # fmt: skip

# VOLATILE only because their results vary. They change nothing, and a standby runs them.
HARMLESS: Final = frozenset({
    "array_sample", "array_shuffle", "clock_timestamp", "gen_random_uuid", "pg_sleep",
    "pg_sleep_for", "pg_sleep_until", "random", "random_normal", "timeofday", "uuidv4", "uuidv7",
})  # fmt: skip
# Not VOLATILE, but refused by a standby, or with effects known only at run time.
DENIED: Final = frozenset({
    "database_to_xml", "database_to_xml_and_xmlschema", "database_to_xmlschema",
    "pg_current_xact_id", "pg_input_error_info", "pg_input_is_valid", "pg_replication_origin_oid",
    "pg_walfile_name", "pg_walfile_name_offset", "satisfies_hash_partition", "schema_to_xml",
    "schema_to_xml_and_xmlschema", "schema_to_xmlschema", "table_to_xml",
    "table_to_xml_and_xmlschema", "table_to_xmlschema", "txid_current",
})  # fmt: skip

_RULE: Final = "reads-only"
_COMMANDS = re.compile(r"\{QUERY :commandType (\d+)")
_RELATIONS = re.compile(r" :relid (\d+)")
_FUNCTIONS = re.compile(
    r" :(?:opfuncid|funcid|aggfnoid|winfnoid|hashfuncid|negfuncid|tsmhandler"
    r"|startInRangeFunc|endInRangeFunc) (\d+)"
)
_OPERATORS = re.compile(
    r" :(?:opno|opnos|eqop|sortop|cycle_mark_neop) (?:(\d+)|\(o([ \d]*)\))", re.ASCII
)
_TYPES = re.compile(r" :\w*[tT]ype(?:s|id|Id)? (?:(\d+)|\(o([ \d]*)\))", re.ASCII)


class ReadProofs:
    """Proves that the statements of one schema are read-only, and caches the results."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._functions: dict[int, str] = {}
        self._types: dict[int, str] = {}
        self._relations: dict[int, str] = {}
        self._harmless: set[str] = set()

    def why_not(self, queries: Sequence[Node]) -> str:
        """Return why a statement, as rewritten by the server, is not proved read-only, or ''."""
        if not queries:
            return "the parse tree of the query was not read"
        return next(filter(None, map(self._statement, queries)), "")

    def _holds(self, premise: str, value: object) -> bool:
        return self._facts.holds(_RULE, premise, value)

    # --- trees ------------------------------------------------------------------------------------

    def _statement(self, query: Node) -> str:
        """Return why one rewritten query may write, or '' if it is proved read-only.

        OIDs that were proved harmless before are skipped.
        """
        if why := self._itself(query.text):
            return why
        fields = oid_fields(query) - self._harmless
        if not fields:
            return ""
        why = self._named_in("".join(fields))
        if not why:  # for all objects, because results found during another check are provisional
            self._harmless |= fields
        return why

    def _tree(self, text: str) -> str:
        return self._itself(text) or self._named_in(text)

    def _itself(self, text: str) -> str:
        others = {int(found) for found in _COMMANDS.findall(text)} - {kinds.Command.SELECT}
        if not self._holds("every query is a SELECT", not others):
            return "the statement or a query inside it is not a SELECT"
        if not self._holds("the query locks no rows", "{ROWMARKCLAUSE " not in text):
            return "it locks rows"
        return ""

    def _named_in(self, text: str) -> str:
        return (
            _first(self._relation, {int(oid) for oid in _RELATIONS.findall(text)})
            or _first(self._function, {int(oid) for oid in _FUNCTIONS.findall(text)})
            or _first(self._operator, _oids(_OPERATORS, text))
            or _first(self._type, _oids(_TYPES, text))
        )

    def _relation(self, oid: int) -> str:
        if oid < FIRST_USER_OID:  # an object of the catalog; its views are expanded in the tree
            return ""
        if oid not in self._relations:
            self._relations[oid] = ""
            self._relations[oid] = self._read_relation(oid)
        return self._relations[oid]

    def _read_relation(self, oid: int) -> str:
        for part in (oid, *self._facts.descendants(oid)):
            entry = self._facts.relations.get(part)
            if not self._holds("the tables of the query are known", entry is not None):
                return "the query reads a sequence or a temporary table"
            if entry is None:
                continue
            if not self._holds("the tables of the query are permanent", entry.permanent):
                return (
                    f"{entry.name} is an unlogged or temporary table, which does not exist on a "
                    "standby server"
                )
            if not self._holds("the tables of the query are local tables", entry.kind != "f"):
                return f"{entry.name} is a foreign table"
            for tree in self._facts.trees.get(part, ()):
                why = self._tree(tree)
                if not self._holds("row-level security policies are read-only", not why):
                    return f"a row-level security policy of {entry.name} is not read-only: {why}"
            if why := self._behind(part, "the functions of the types are read-only"):
                return f"an index of {entry.name} uses a function that is not read-only: {why}"
        return ""

    def _operator(self, oid: int) -> str:
        entry = self._facts.operators.get(oid)
        why = self._function(entry.function) if entry is not None else ""
        why = why or self._behind(oid, "the operators are read-only")
        return "" if self._holds("the operators are read-only", not why) else why

    # --- types ------------------------------------------------------------------------------------

    def _type(self, oid: int) -> str:
        if oid not in self._types:
            self._types[oid] = ""  # a type inside itself adds nothing
            self._types[oid] = self._read_type(oid)
        return self._types[oid]

    def _read_type(self, oid: int) -> str:
        entry = self._facts.types.get(oid)
        if entry is None:
            return ""
        for tree in self._facts.trees.get(oid, ()):
            why = self._tree(tree)
            if not self._holds("the CHECK constraints of domains are read-only", not why):
                return f"a CHECK of the domain {entry.name} is not read-only: {why}"
        if why := self._behind(oid, "the functions of the types are read-only"):
            return f"a function of the type {entry.name} is not read-only: {why}"
        within = {entry.element, entry.base, entry.subtype} - {0}
        within |= {column.type for column in self._facts.columns.get(entry.relation, ())}
        return _first(self._type, within)

    def _behind(self, owner: int, premise: str) -> str:
        """Return why the functions that the catalog links to an object may write, or ''."""
        why = _first(self._function, self._facts.set_off.get(owner, ()))
        return "" if self._holds(premise, not why) else why

    # --- functions --------------------------------------------------------------------------------

    def _function(self, oid: int) -> str:
        if oid not in self._functions:
            self._functions[oid] = ""  # a recursive function adds no effect
            self._functions[oid] = self._read_function(oid)
        return self._functions[oid]

    def _read_function(self, oid: int) -> str:
        entry = self._facts.functions.get(oid)
        if entry is None:
            return "" if oid == 0 else "the query calls an unknown function"
        name = f"{entry.name}()"
        if oid < FIRST_USER_OID:
            calm = entry.volatility != "v" or entry.name in HARMLESS
            if not self._holds("a built-in function is not VOLATILE", calm):
                return f"{name} is VOLATILE"
            if not self._holds(
                "a standby server allows the built-in function", entry.name not in DENIED
            ):
                return f"a standby server may reject {name}"
            return ""
        if not self._holds("a function does not change settings", not entry.configured):
            return f"{name} changes a setting"
        if entry.kind == "a":
            return self._behind(oid, "the functions of an aggregate are read-only")
        if entry.body:
            why = self._tree(entry.body)
        elif entry.language == "plpgsql":
            why = self._words(entry)
        elif self._holds("the body of a function can be analysed", False):
            why = ""
        else:
            return (
                f"the body of {name} cannot be analysed, because the function is written in "
                f"{entry.language}"
            )
        return (
            ""
            if self._holds("the body of a function is read-only", not why)
            else f"in {name}: {why}"
        )

    # --- PL/pgSQL, of which there is no tree ------------------------------------------------------

    def _words(self, function: Function) -> str:
        # The server refuses changes in a function's own statements unless the function is VOLATILE.
        if not self._holds("a PL/pgSQL function is not VOLATILE", function.volatility != "v"):
            return "the function is VOLATILE and is written in PL/pgSQL"
        tables, functions, types = self._named
        found = touched(function.source, tables.keys())
        if not self._holds("a PL/pgSQL function builds no statements", not found.at_run_time):
            return "the function builds statements at run time"
        changed = [name for privilege, name in found.tables if privilege != "SELECT"]
        if not self._holds("PL/pgSQL locks nothing", not changed):
            return f"the function locks or changes {changed[0]}"
        names, symbols = _names_and_symbols(function.source)
        catalogs = [n for n in names - functions.keys() if n.startswith(("pg_", "information_sch"))]
        if not self._holds("a PL/pgSQL function does not read the catalog", not catalogs):
            return f"the function reads the catalog {min(catalogs)}"
        read = [oid for _, name in sorted(found.tables) for oid in tables[name]]
        columns = {c.type for oid in read for c in self._facts.columns.get(oid, ())}
        used = [o for o in self._facts.operators.values() if any(o.name in s for s in symbols)]
        return (
            self._all("a PL/pgSQL function reads only permanent tables", self._relation, read)
            or self._all(
                "functions that PL/pgSQL calls are read-only",
                self._function,
                [oid for name in sorted(names) for oid in functions.get(name, ())],
            )
            or self._all(
                "operators in PL/pgSQL are read-only", self._operator, [o.oid for o in used]
            )
            or self._all(
                "casts in PL/pgSQL are read-only", self._function, self._facts.set_off.get(0, ())
            )
            or _first(self._type, columns | {function.result})
            or _first(self._type, {oid for name in names for oid in types.get(name, ())})
        )

    def _all(self, premise: str, check: Callable[[int], str], oids: Iterable[int]) -> str:
        why = _first(check, oids)
        return "" if self._holds(premise, not why) else why

    @cached_property
    def _named(self) -> tuple[dict[str, list[int]], dict[str, list[int]], dict[str, list[int]]]:
        """Return the user's relations and types, and all functions, by name without the schema."""
        tables, functions, types = (defaultdict[str, list[int]](list) for _ in range(3))
        for relation in self._facts.relations.values():
            tables[relation.name].append(relation.oid)
        for function in self._facts.functions.values():
            functions[function.name].append(function.oid)
        for kind in self._facts.types.values():
            if kind.oid >= FIRST_USER_OID:
                types[kind.name].append(kind.oid)
        return dict(tables), dict(functions), dict(types)


def _first(check: Callable[[int], str], oids: Iterable[int]) -> str:
    """Return the reason for the first object that is not proved read-only, or '' if all are."""
    return next((why for oid in sorted(oids) if (why := check(oid))), "")


def _oids(pattern: re.Pattern[str], text: str) -> set[int]:
    """Return the OIDs in the fields of a parse tree that `pattern` matches."""
    return {
        int(word) for one, several in pattern.findall(text) for word in (one or several).split()
    }


def _names_and_symbols(source: str) -> tuple[set[str], set[str]]:
    names, symbols = set(), set()
    for token in scan(source):
        if token.kind is Kind.NAME:
            names.add(unquote(token).lower())
        elif token.kind is Kind.QUOTED:
            names.add(unquote(token))
        elif token.kind is Kind.OPERATOR:
            symbols.add(token.text)
    return names, symbols
