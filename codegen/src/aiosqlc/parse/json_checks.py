"""Read from CHECK conditions which kind of JSON a column may contain."""

from __future__ import annotations

import re
from collections.abc import Iterable

_NUMBERS = frozenset({"integer", "double", "decimal", "unsigned integer"})
_KIND = re.compile(
    r"""(?:jsonb?_typeof|json_type)\(\s*["`]?(?P<column>[^"`)(]+?)["`]?\s*\)\s*
        =\s*(?:_\w+)?\s*\\?'(?P<kind>[\w ]+?)\\?'""",
    re.IGNORECASE | re.VERBOSE,
)
# A condition of several parts requires each part only if AND joins all of them.
_LOOSE = re.compile(
    r"\b(?:or|case|if|coalesce|ifnull|xor)\b|\bnot\b(?!\s+null)|<>|!", re.IGNORECASE
)


def required_kind(conditions: Iterable[str], column: str) -> str:
    """Return the kind of JSON that CHECK conditions require of a column, or an empty text.

    The conditions have the form in which the server (PostgreSQL, MySQL or MariaDB) returns them.
    """
    for condition in conditions:
        if _LOOSE.search(condition):
            continue
        for found in _KIND.finditer(condition):
            if found["column"].lower() == column.lower():
                kind = found["kind"].lower()
                return "number" if kind in _NUMBERS else kind
    return ""
