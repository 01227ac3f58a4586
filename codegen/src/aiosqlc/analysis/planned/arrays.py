"""Parse PostgreSQL's array texts, such as the most common values of a column."""

from __future__ import annotations

import re

_ITEM = re.compile(r'"((?:[^"\\]|\\.)*)"|([^,{}"]+)')
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


def items_of(text: str) -> list[str]:
    """Return the items of a one-dimensional array as the server prints it: `{a,"b c"}`."""
    return [bare or _ESCAPED.sub(r"\1", quoted) for quoted, bare in _ITEM.findall(text)]


def numbers_of(text: str) -> list[float]:
    """Return the items of an array of numbers."""
    return [float(item) for item in items_of(text)]
