"""The fields of a parse tree that contain OIDs of tables, functions, operators and types."""

from __future__ import annotations

import re

from aiosqlc.postgres.tree import Node

_CALLS = re.compile(r" :(?:opfuncid|funcid|aggfnoid|winfnoid) (\d+)")
_OIDS = r"(?:\d+|\(o[ \d]*\))"
_NAMED = re.compile(
    r" :(?:relid|opfuncid|funcid|aggfnoid|winfnoid|hashfuncid|negfuncid|tsmhandler|startInRangeFunc"
    rf"|endInRangeFunc|opnos?|eqop|sortop|cycle_mark_neop) {_OIDS}",
    re.ASCII,
)
# The end of a field such as `vartype`: a search for a fixed text is several times faster.
_TYPES = re.compile(rf"ype(?:s|id|Id)? {_OIDS}", re.ASCII)


def oid_fields(query: Node) -> frozenset[str]:
    """Return the text (name and value) of each field with OIDs in a query's parse tree.

    All fields with types have a name such as `type`.
    """
    if query.memo is None:
        query.memo = {}
    found: frozenset[str] | None = query.memo.get("oids")
    if found is None:
        types = [f" :t{end}" for end in set(_TYPES.findall(query.text))]
        found = query.memo["oids"] = frozenset(_NAMED.findall(query.text)).union(types)
    return found


def functions_in(query: Node) -> frozenset[int]:
    """Return the OIDs of all functions that a query calls, including those behind operators."""
    if query.memo is None:
        query.memo = {}
    found: frozenset[int] | None = query.memo.get("functions")
    if found is None:
        found = query.memo["functions"] = frozenset(map(int, _CALLS.findall(query.text)))
    return found
