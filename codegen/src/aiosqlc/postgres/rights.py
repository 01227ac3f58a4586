"""Collect the privileges that the server checks at run time, from parse trees and catalog.

The parse tree shows the checks on tables, columns and called functions. The catalog shows which
other code a statement runs: functions in CHECK constraints, defaults and indexes, sequences of
defaults, and bodies of triggers. For the query of a view, the server checks the privileges of the
view's owner, not of the caller. For the body of a SECURITY DEFINER function, it checks those of the
function's owner.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from msgspec import Struct

from aiosqlc.analysis.grants import Needs, Right
from aiosqlc.postgres.catalog.facts import FIRST_USER_OID, Facts
from aiosqlc.postgres.catalog.rows import Function
from aiosqlc.postgres.describe import Described, describe
from aiosqlc.postgres.routine_bodies import touched
from aiosqlc.postgres.tree import Datum, Node, walk
from aiosqlc.servers.postgres.connection import Connection

_CHECKED: Final = re.compile(
    r"\{RTEPERMISSIONINFO :relid (\d+) :inh \w+ :requiredPerms (\d+) :checkAsUser (\d+)"
    r" :selectedCols \(b([ \d]*)\) :insertedCols \(b([ \d]*)\) :updatedCols \(b([ \d]*)\)\}"
)
_FUNCTIONS: Final = re.compile(r" :(?:opfuncid|funcid|aggfnoid|winfnoid) (\d+)")
_DOMAINS: Final = re.compile(r"\{COERCETODOMAIN .*? :resulttype (\d+)")
_TYPES: Final = re.compile(r" :\w*type (\d+)")
_TRUNCATED: Final = re.compile(r"\{RANGEVAR :catalogname \S+ :schemaname (\S+) :relname (\S+)")
# Bits of `requiredPerms` and of pg_trigger.tgtype.
_BITS: Final = {"INSERT": 1, "SELECT": 2, "UPDATE": 4, "DELETE": 8, "TRUNCATE": 16}
_EVENTS: Final = {"INSERT": 4, "DELETE": 8, "UPDATE": 16, "TRUNCATE": 32}
_FIRST_COLUMN: Final = 7  # in column sets, where lower numbers are system columns
_SEQUENCES: Final = {"nextval": "USAGE", "currval": "USAGE", "setval": "UPDATE"}
_NO_TABLE: Final = "42P01"
_HARMLESS_UTILITIES: Final = ("NOTIFYSTMT", "LISTENSTMT", "UNLISTENSTMT", "VARIABLESETSTMT")

_DEPENDS = """
select distinct owner, function from (
  select coalesce(nullif(con.conrelid, 0), con.contypid)::int8 as owner,
         d.refobjid::int8 as function
    from pg_depend d
    join pg_constraint con on d.classid = 'pg_constraint'::regclass and d.objid = con.oid
    where d.refclassid = 'pg_proc'::regclass
  union all
  select a.adrelid::int8, d.refobjid::int8
    from pg_depend d join pg_attrdef a on d.classid = 'pg_attrdef'::regclass and d.objid = a.oid
    where d.refclassid = 'pg_proc'::regclass
  union all
  select i.indrelid::int8, d.refobjid::int8
    from pg_depend d join pg_index i on d.classid = 'pg_class'::regclass and d.objid = i.indexrelid
    where d.refclassid = 'pg_proc'::regclass
  union all
  select t.tgrelid::int8, d.refobjid::int8
    from pg_depend d join pg_trigger t on d.classid = 'pg_trigger'::regclass and d.objid = t.oid
    where d.refclassid = 'pg_proc'::regclass and d.refobjid <> t.tgfoid
  union all
  select r.ev_class::int8, d.refobjid::int8
    from pg_depend d join pg_rewrite r on d.classid = 'pg_rewrite'::regclass and d.objid = r.oid
    where d.refclassid = 'pg_proc'::regclass
) found
"""
_DEFAULTS = """
select a.adrelid::int8 as relation, a.adnum as column, n.nspname as schema, s.relname as name
from pg_depend d
join pg_attrdef a on d.classid = 'pg_attrdef'::regclass and d.objid = a.oid
join pg_class s on d.refclassid = 'pg_class'::regclass and d.refobjid = s.oid and s.relkind = 'S'
join pg_namespace n on n.oid = s.relnamespace
"""
_ROUTINES = """
select p.oid::int8, pg_get_function_identity_arguments(p.oid), p.prosecdef,
       has_function_privilege('public', p.oid, 'execute')
from pg_proc p where p.oid >= 16384 or not has_function_privilege('public', p.oid, 'execute')
"""
_SEQUENCE_NAMES = """
select c.oid::int8, n.nspname, c.relname
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind = 'S'
"""


class _Routine(Struct, frozen=True):
    arguments: str
    as_owner: bool


@dataclass
class Asker:
    """Collects the privileges that statements need, from their parse trees."""

    connection: Connection
    facts: Facts
    default_schema: str = "public"
    rights: set[Right] = field(default_factory=set)
    unknown: dict[str, None] = field(default_factory=dict)
    _fired: set[str] = field(default_factory=set)
    _seen: set[tuple[str, int]] = field(default_factory=set)
    _whole: dict[int, dict[str, set[int] | None]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        rows = self.connection.rows
        self._routines = {
            int(oid or 0): _Routine(arguments or "", definer == "t")
            for oid, arguments, definer, _ in rows(_ROUTINES)
        }
        self._set_off: dict[int, set[int]] = {}
        for owner, function in rows(_DEPENDS):
            self._set_off.setdefault(int(owner or 0), set()).add(int(function or 0))
        self._defaults = [
            (int(relation or 0), int(column or 0), schema or "", name or "")
            for relation, column, schema, name in rows(_DEFAULTS)
        ]
        self._sequences = {
            int(oid or 0): (schema or "", name or "") for oid, schema, name in rows(_SEQUENCE_NAMES)
        }
        self._by_name = {
            relation.name: oid
            for oid, relation in self.facts.relations.items()
            if relation.kind in "rpvmf"
        }

    def add(self, tree: str) -> None:
        """Add the privileges that a rewritten query or the body of a function needs."""
        for found in _CHECKED.findall(tree):
            relation, bits, checked_as = (int(number) for number in found[:3])
            columns = [{int(word) for word in part.split()} for part in found[3:]]
            of = dict(zip(("SELECT", "INSERT", "UPDATE"), columns, strict=True))
            for privilege, bit in _BITS.items():
                if bits & bit:
                    self._checked(relation, privilege, of.get(privilege), by_owner=checked_as > 0)
        if " :utilityStmt {" in tree:
            self._utility(tree)
        for oid in {int(oid) for oid in _FUNCTIONS.findall(tree)}:
            self._function(oid)
        for oid in {int(oid) for oid in _DOMAINS.findall(tree)}:
            self._sets_off(oid)
        for oid in {int(oid) for oid in _TYPES.findall(tree)}:
            kind = self.facts.types.get(oid)
            if kind is not None and oid >= FIRST_USER_OID:
                self._schema(kind.schema)
        self._sequences_in(tree)

    def needs(self) -> Needs:
        """Return the collected privileges."""
        return Needs(
            frozenset({*self.rights, *self._on_tables()}),
            tuple(self.unknown),
            self.facts.reserved,
            frozenset(self._fired),
        )

    # --- tables ---

    def _checked(
        self, relation: int, privilege: str, columns: set[int] | None, *, by_owner: bool
    ) -> None:
        """Add one privilege check on a table.

        `by_owner` means that the server checks a view's owner, not the caller. Triggers on the
        table run as the caller in both cases.
        """
        entry = self.facts.relations.get(relation)
        if entry is None:
            return
        if not by_owner:
            given = self._whole.setdefault(relation, {})
            before = given.setdefault(privilege, set())
            given[privilege] = None if before is None or columns is None else before | columns
            self._schema(entry.schema)
        if privilege == "SELECT" and entry.kind == "v":
            self._sets_off(relation)
        # SELECT … FOR UPDATE requires UPDATE but changes no column.
        if privilege != "SELECT" and (privilege != "UPDATE" or columns != set()):
            self._written(relation, privilege, columns)

    def _written(self, relation: int, privilege: str, columns: set[int] | None) -> None:
        """Add the privileges for the code that a write runs (triggers), also in child tables."""
        if privilege == "INSERT":
            given = {number - _FIRST_COLUMN for number in columns or ()}
            for owner, column, schema, name in self._defaults:
                if owner == relation and column not in given:
                    self._add("USAGE", "SEQUENCE", schema, name)
        if (privilege, relation) in self._seen:
            return
        self._seen.add((privilege, relation))
        for oid in (relation, *self.facts.descendants(relation)):
            if privilege in ("INSERT", "UPDATE"):
                self._sets_off(oid)
            for attribute in self.facts.columns.get(oid, ()):
                self._sets_off(attribute.type)
            for trigger in self.facts.triggers.get(oid, ()):
                if trigger.type & _EVENTS.get(privilege, 0):
                    if (function := self.facts.functions.get(trigger.function)) is not None:
                        self._fired.add(function.name)
                    self._body(trigger.function)

    def _on_tables(self) -> Iterator[Right]:
        for relation, given in self._whole.items():
            entry = self.facts.relations[relation]
            schema = "" if entry.schema == self.default_schema else entry.schema
            for privilege, numbers in given.items():
                names = self._columns(relation, numbers)
                yield Right(privilege, "TABLE", schema, entry.name, names)

    def _columns(self, relation: int, numbers: set[int] | None) -> frozenset[str] | None:
        """Return the names of columns, or None for all columns.

        If the privilege on any one column is enough, return only the first column.
        """
        columns = {a.number: a.name for a in self.facts.columns.get(relation, ())}
        if numbers is None or not columns:
            return None
        wanted = {number - _FIRST_COLUMN for number in numbers} or {min(columns)}
        if min(wanted) <= 0 or wanted >= columns.keys():  # a system column, or all columns
            return None
        return frozenset(columns[number] for number in wanted if number in columns)

    # --- functions ---

    def _function(self, oid: int) -> None:
        routine, entry = self._routines.get(oid), self.facts.functions.get(oid)
        if entry is None or routine is None or ("EXECUTE", oid) in self._seen:
            return  # a function of the server, which all roles may call
        self._seen.add(("EXECUTE", oid))
        kind = "PROCEDURE" if entry.kind == "p" else "FUNCTION"
        self._add("EXECUTE", kind, entry.schema, entry.name, routine.arguments)
        if oid >= FIRST_USER_OID and not routine.as_owner:
            self._body(oid)

    def _body(self, oid: int) -> None:
        """Add the privileges for a function's body, which runs with the caller's privileges."""
        entry, routine = self.facts.functions.get(oid), self._routines.get(oid)
        if entry is None or routine is None or routine.as_owner or ("BODY", oid) in self._seen:
            return
        self._seen.add(("BODY", oid))
        if entry.body:
            self.add(entry.body)
        elif entry.language in ("plpgsql", "sql"):
            self._by_words(entry)
        elif entry.kind in "fp" and entry.language not in ("c", "internal"):
            self.unknown[f"{entry.name}() is written in {entry.language}"] = None

    def _by_words(self, entry: Function) -> None:
        found = touched(entry.source, self._by_name.keys())
        for privilege, name in sorted(found.tables):
            self._checked(self._by_name[name], privilege, None, by_owner=False)
        if found.at_run_time:
            self.unknown[f"{entry.name}() builds statements at run time"] = None
        for function in self.facts.functions.values():
            if function.oid in self._routines and function.name in found.called:
                self._function(function.oid)

    def _sets_off(self, owner: int) -> None:
        for oid in self._set_off.get(owner, ()):
            self._function(oid)

    # --- the rest ---

    def _sequences_in(self, tree: str) -> None:
        calls = [
            oid
            for oid in {int(oid) for oid in _FUNCTIONS.findall(tree)}
            if self.facts.built_in(oid) in _SEQUENCES
        ]
        if not calls:
            return
        for node in walk(self.facts.reader.read_text(f"{{BODY :found {tree}}}")):
            if node.kind != "FUNCEXPR" or node["funcid"] not in calls:
                continue
            called, argument = self.facts.built_in(node["funcid"]), node.list_of("args")[0]
            sequence = self._sequences.get(_oid_of(argument))
            if sequence is None:
                why = f"{called}() gets the name of its sequence only at run time"
                self.unknown[why] = None
            else:
                self._add(_SEQUENCES[called], "SEQUENCE", *sequence)

    def _utility(self, tree: str) -> None:
        found = re.search(r" :utilityStmt \{(\w+)", tree)
        kind = found[1] if found else ""
        if kind == "TRUNCATESTMT":
            for _, name in _TRUNCATED.findall(tree):
                if name in self._by_name:
                    self._checked(self._by_name[name], "TRUNCATE", None, by_owner=False)
        elif kind == "REFRESHMATVIEWSTMT":
            for _, name in _TRUNCATED.findall(tree):
                if name in self._by_name:
                    self._checked(self._by_name[name], "MAINTAIN", None, by_owner=False)
        elif kind not in (*_HARMLESS_UTILITIES, "CALLSTMT"):
            self.unknown[f"a statement of the kind {kind} is not analysed"] = None

    def _schema(self, schema: str) -> None:
        if schema not in (self.default_schema, "pg_catalog", "information_schema"):
            self.rights.add(Right("USAGE", "SCHEMA", "", schema))

    def _add(self, privilege: str, kind: str, schema: str, name: str, arguments: str = "") -> None:
        self._schema(schema)
        shown = "" if schema in (self.default_schema, "pg_catalog") else schema
        self.rights.add(Right(privilege, kind, shown, name, None, arguments))


def _oid_of(argument: Node) -> int:
    """Return the OID in a constant of type regclass, or 0."""
    value = argument["constvalue"] if argument.kind == "CONST" else None
    return int.from_bytes(value.data[:4], "little") if isinstance(value, Datum) else 0


def needs(
    connection: Connection, facts: Facts, texts: Iterable[str], borrowed: Iterable[str] = ()
) -> Needs:
    """Return the privileges that the SQL statements in `texts` and `borrowed` need.

    `borrowed` has statements of other projects. One that names a missing table is skipped.
    """
    asker = Asker(connection, facts)
    own = list(texts)
    answers = list(describe(connection, [*own, *borrowed]))
    for number, answer in enumerate(answers):
        if isinstance(answer, Described):
            asker.add(answer.tree)
        elif number < len(own) or answer.state != _NO_TABLE:
            asker.unknown[f"the server rejects a statement: {answer.message}"] = None
    return asker.needs()
