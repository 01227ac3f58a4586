"""The fields of a parse tree that contain OIDs of tables, functions, operators and types."""

from __future__ import annotations

import re
from typing import Any

from aiosqlc.postgres.tree import Node

_CALLS = re.compile(r" :(?:opfuncid|funcid|aggfnoid|winfnoid) (\d+)")
# The rest of such a field with its value; type names are matched without backtracking.
_REST = r"[0-9A-SU-Z_a-su-z]*+"
_FIELD = re.compile(
    r" :(?:relid|opfuncid|funcid|aggfnoid|winfnoid|hashfuncid|negfuncid|tsmhandler|startInRangeFunc"
    r"|endInRangeFunc|opnos?|eqop|sortop|cycle_mark_neop"
    rf"|{_REST}(?:[tT](?!ype(?:s|id|Id)? ){_REST})*+[tT]ype(?:s|id|Id)?) (?:\d+|\(o[ \d]*\))",
    re.ASCII,
)


def oid_fields(query: Node) -> frozenset[str]:
    """Return the fields with OIDs anywhere in a query, each as its text in the tree."""
    if query.memo is None:
        query.memo = {}
    found: frozenset[str] | None = query.memo.get("oids")
    if found is None:
        found = query.memo["oids"] = frozenset(_FIELD.findall(query.text))
    return found


def functions_in(query: Node) -> frozenset[int]:
    """Return the OIDs of all functions that a query calls, also those of operators."""
    fields = oid_fields(query)
    memo: dict[str, Any] = query.memo or {}
    found: frozenset[int] | None = memo.get("functions")
    if found is None:
        calls = _CALLS.findall("".join(fields))
        found = memo["functions"] = frozenset(map(int, calls))
    return found
