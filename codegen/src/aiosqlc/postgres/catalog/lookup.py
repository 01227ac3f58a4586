"""Find the functions that may change which table a name means while a statement runs.

The names in a string body are looked up when the body runs. A function that runs before may have
changed search_path, or created a temporary table that hides a table of the schema.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from aiosqlc.parse.scanner import Kind, Token, code_tokens, unquote
from aiosqlc.postgres.catalog.rows import FIRST_USER_OID, Function

_SET_CONFIG: Final = 2078  # OID of the function set_config
_CALLED = re.compile(r":(?:funcid|opfuncid|aggfnoid|winfnoid) (\d+)")
_WRITES = re.compile(r":commandType [2-5]\b")
_NAMES: Final = frozenset({Kind.NAME, Kind.QUOTED})
_COMPILED: Final = frozenset({"c", "internal"})
_STARTS: Final = frozenset({";", "BEGIN", "THEN", "ELSE", "LOOP", ">>", ""})
# Other statements of PL/pgSQL run queries, change rows, or do nothing to names.
_MOVING: Final = frozenset(
    {"SET", "RESET", "DISCARD", "CREATE", "DROP", "ALTER", "IMPORT", "EXPLAIN", "REFRESH",
     "REINDEX", "CLUSTER", "COPY", "LOAD", "SECURITY", "DO", "PREPARE", "REASSIGN"}
)  # fmt: skip
_CHANGES: Final = frozenset({"INSERT", "UPDATE", "DELETE", "MERGE", "TRUNCATE"})


@dataclass(frozen=True, slots=True)
class _Uses:
    """The functions that a text calls, by OID and by name, and whether it changes rows."""

    oids: frozenset[int]
    names: frozenset[str] = frozenset()
    writes: bool = False


@dataclass(frozen=True, slots=True)
class Hidden:
    """The functions that statements run without naming them.

    `triggers` are those of triggers, which changes of rows run. `others` are those of views,
    defaults, constraints, policies, operators and casts; `sets` is whether one of these objects
    calls set_config itself.
    """

    triggers: frozenset[int] = frozenset()
    others: frozenset[int] = frozenset()
    sets: bool = False


@dataclass(frozen=True, slots=True)
class Moving:
    """The functions that may change search_path or create a table.

    `by_writes` is whether a change of rows may run one of them, and `always` is whether every
    statement may.
    """

    functions: frozenset[int] = frozenset()
    by_writes: bool = False
    always: bool = False

    def runs_in(self, statement: str) -> bool:
        """Return whether a statement, given as parse tree, may run one of the functions."""
        return self._in(_of_tree(statement), frozenset())

    def _in(self, uses: _Uses, names: frozenset[str]) -> bool:
        called = not uses.oids.isdisjoint(self.functions) or not uses.names.isdisjoint(names)
        return called or (uses.writes and self.by_writes) or self.always

    def more(self, uses: Mapping[int, _Uses | None], named: Mapping[int, str]) -> frozenset[int]:
        """Return the functions that may run one of these functions, and these functions."""
        names = frozenset({"set_config", *(named[oid] for oid in self.functions & named.keys())})
        return self.functions | {
            oid for oid, found in uses.items() if found is None or self._in(found, names)
        }


def moving_functions(functions: Iterable[Function], hidden: Hidden) -> Moving:
    """Return the functions that may change search_path or create a table."""
    users = [function for function in functions if function.oid >= FIRST_USER_OID]
    uses = {function.oid: _uses(function) for function in users}
    named = {function.oid: function.name for function in users}
    moving = Moving(frozenset({_SET_CONFIG}), always=hidden.sets)
    while (found := moving.more(uses, named)) != moving.functions:
        moving = Moving(
            found, bool(found & hidden.triggers), hidden.sets or bool(found & hidden.others)
        )
    return moving


def _uses(function: Function) -> _Uses | None:
    """Return what a function uses, or None if it may do anything."""
    if function.kind in "aw":
        return None  # the functions of an aggregate are not known
    if function.language in _COMPILED:
        return _Uses(frozenset())
    if function.language == "sql" and function.body:
        return _of_tree(function.body)
    if function.language == "plpgsql":
        return _of_plpgsql(function)
    return None


def _of_tree(text: str) -> _Uses:
    oids = frozenset(int(found[1]) for found in _CALLED.finditer(text))
    return _Uses(oids, writes=_WRITES.search(text) is not None)


def _of_plpgsql(function: Function) -> _Uses | None:
    tokens = code_tokens(function.source)
    words = [token.text.upper() for token in tokens]
    started = {word for before, word in zip(["", *words], words, strict=False) if before in _STARTS}
    if "EXECUTE" in words or not _MOVING.isdisjoint(started):
        return None
    called = zip(tokens, [*words[1:], ""], strict=True)
    names = frozenset(
        _name(token) for token, after in called if after == "(" and token.kind in _NAMES
    )
    trees = "".join(tree for returned in function.returned for tree in returned.trees)
    return _Uses(_of_tree(trees).oids, names, not _CHANGES.isdisjoint(words))


def _name(token: Token) -> str:
    return unquote(token) if token.kind is Kind.QUOTED else unquote(token).lower()
