"""Find the functions that, if a statement runs them, may change which table a name refers to.

The names in a string body are looked up when the body runs. A function that runs earlier may change
search_path, or create a temporary table that hides a table of the schema.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from msgspec import Struct, field

from aiosqlc.parse.scanner import Kind, Token, code_tokens, unquote
from aiosqlc.postgres.catalog.rows import FIRST_USER_OID, Function

MOVERS: Final = frozenset(
    {"set_config", "query_to_xml", "query_to_xmlschema", "query_to_xml_and_xmlschema", "ts_stat",
     "cursor_to_xml", "cursor_to_xmlschema", "table_to_xml", "table_to_xml_and_xmlschema",
     "schema_to_xml", "schema_to_xml_and_xmlschema", "database_to_xml", "ts_rewrite", "crosstab",
     "crosstab2", "crosstab3", "crosstab4", "crosstabn", "connectby", "xpath_table"}
)  # fmt: skip
"""Built-in and extension functions that change a setting, or run SQL from a text argument."""
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
_OPAQUE: Final = frozenset({"EXECUTE", "PG_SETTINGS"})
_LONGEST: Final = 63  # characters of a name; the server cuts off the rest
_CHANGES: Final = frozenset({"INSERT", "UPDATE", "DELETE", "MERGE", "TRUNCATE"})


class _Uses(Struct, frozen=True):
    """The functions (by OID) and names that a statement or function body uses.

    `writes` means that the statement or body changes rows, and `settings` that it changes a
    setting.
    """

    oids: frozenset[int]
    names: frozenset[str] = frozenset()
    writes: bool = False
    settings: bool = False


class Hidden(Struct, frozen=True):
    """The functions that a statement runs without a call in its text.

    `triggers` are the functions of triggers, which run when rows change. `others` are the functions
    of views, defaults, constraints, policies, operators and casts. `movers` are functions of the
    server and of extensions that may change search_path or create a table. `sets` is true if a
    view, default, constraint, trigger or policy calls one of the `movers` directly. `defaults` are
    the parse trees of parameter defaults, by function. `settings` is the OID of the view
    pg_settings; an UPDATE of this view changes a setting.
    """

    triggers: frozenset[int] = frozenset()
    others: frozenset[int] = frozenset()
    sets: bool = False
    movers: frozenset[int] = frozenset()
    defaults: Mapping[int, str] = field(default_factory=dict)
    settings: int = 0


class Moving(Struct, frozen=True):
    """The functions that may change search_path or create a table.

    `by_writes` is true if a change of rows may run such a function. `always` is true if every
    statement may run one.
    """

    functions: frozenset[int] = frozenset()
    by_writes: bool = False
    always: bool = False
    settings: int = 0

    def runs_in(self, statement: str) -> bool:
        """Return whether the statement with this parse tree may run one of `functions`."""
        return self._in(_of_tree(statement, self.settings), frozenset())

    def _in(self, uses: _Uses, names: frozenset[str]) -> bool:
        called = not uses.oids.isdisjoint(self.functions) or not uses.names.isdisjoint(names)
        called = called or uses.settings
        return called or (uses.writes and self.by_writes) or self.always

    def more(self, uses: Mapping[int, _Uses | None], named: Mapping[int, str]) -> frozenset[int]:
        """Return `functions` and the user's functions that may run one of them."""
        names = MOVERS | {named[oid][:_LONGEST] for oid in self.functions & named.keys()}
        return self.functions | {
            oid for oid, found in uses.items() if found is None or self._in(found, names)
        }


def moving_functions(functions: Iterable[Function], hidden: Hidden) -> Moving:
    """Return the functions that may change search_path or create a table."""
    users = [function for function in functions if function.oid >= FIRST_USER_OID]
    uses = {function.oid: _uses(function, hidden) for function in users}
    named = {function.oid: function.name for function in users}
    moving = Moving(hidden.movers, always=hidden.sets, settings=hidden.settings)
    while (found := moving.more(uses, named)) != moving.functions:
        always = hidden.sets or bool(found & hidden.others)
        moving = Moving(found, bool(found & hidden.triggers), always, hidden.settings)
    return moving


def calls_of(tree: str) -> frozenset[int]:
    """Return the OIDs of the functions that a parse tree calls."""
    return _of_tree(tree, 0).oids


def _uses(function: Function, hidden: Hidden) -> _Uses | None:
    """Return the functions and names that a function uses, or None if they are unknown."""
    if function.kind in "aw":
        return None  # the functions of an aggregate are not known
    default = hidden.defaults.get(function.oid, "")
    if function.language in _COMPILED:
        moves = function.name in MOVERS
        return None if moves else _of_tree(default, hidden.settings)
    if function.language == "sql" and function.body:
        return _of_tree(function.body + default, hidden.settings)
    if function.language == "plpgsql":
        return _of_plpgsql(function, default, hidden.settings)
    return None


def _of_tree(text: str, settings: int) -> _Uses:
    oids = frozenset(int(found[1]) for found in _CALLED.finditer(text))
    changed = settings != 0 and f":relid {settings} " in text
    return _Uses(oids, writes=_WRITES.search(text) is not None, settings=changed)


def _of_plpgsql(function: Function, default: str, settings: int) -> _Uses | None:
    """Return the names that a PL/pgSQL body uses; each of them may be the name of a function.

    The server folds and shortens non-ASCII names in its own way. So the result is None for a body
    with such names.
    """
    tokens = code_tokens(function.source)
    words = [token.text.upper() for token in tokens]
    started = {word for before, word in zip(["", *words], words, strict=False) if before in _STARTS}
    names = [token for token in tokens if token.kind in _NAMES]
    unclear = any(not token.text.isascii() or token.text[:2] in {"U&", "u&"} for token in names)
    if unclear or not _MOVING.isdisjoint(started) or not _OPAQUE.isdisjoint(words):
        return None
    trees = "".join(tree for returned in function.returned for tree in returned.trees)
    return _Uses(
        _of_tree(trees + default, settings).oids,
        frozenset(_name(token) for token in names),
        not _CHANGES.isdisjoint(words),
    )


def _name(token: Token) -> str:
    name = unquote(token) if token.kind is Kind.QUOTED else token.text.lower()
    return name[:_LONGEST]
