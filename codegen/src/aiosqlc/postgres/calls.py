"""Hints for a function that does not exist for its argument types."""

from __future__ import annotations

import re
from typing import Final

_TEXTS: Final = r"(?:text|character varying)"
# A call with some argument types, and its correction; `{a}` is the text in parentheses.
_CALLS: Final = (
    (r"(?:sum|avg)\(boolean\)", "count the rows: `count(*) FILTER (WHERE {a})`"),
    (rf"(?P<name>sum|avg)\({_TEXTS}\)", "cast to a number: `{name}(({a})::numeric)`"),
    (r"max\(boolean\)", "write `bool_or({a})`"),
    (r"min\(boolean\)", "write `bool_and({a})`"),
    (r"round\(double precision, integer\)", "to keep some digits, write `round({a0}::numeric, …)`"),
    (r"isnull\([^,]*\)", "write `{a} IS NULL`"),
    (r"array_length\([^,]*\[\]\)", "write `cardinality({a})`, or add the number of the dimension"),
    (r"jsonb?_array_length\([^,]*\[\]\)", "for an array write `cardinality({a})`"),
    (r"count\([^)]*,[^)]*\)", "count distinct rows: `count(DISTINCT ({d}))`"),
    (r"(?P<name>date_trunc)\((?:timestamp|date)[^,]*, unknown\)", "write `{name}({a1}, {a0})`"),
)  # fmt: skip
_MATCHERS: Final = tuple((re.compile(called), said) for called, said in _CALLS)
_DISTINCT = re.compile(r"distinct\s+", re.IGNORECASE)


def call_advice(message: str, text: str, start: int) -> str:
    """Return a hint with the correct form of a function call that the server refused.

    The call is at the index `start` of the query. The hint is '' if there is no correction.
    """
    found = re.search(r"function (?P<call>.+) does not exist", message)
    if found is None:
        return ""
    for called, said in _MATCHERS:
        if match := called.fullmatch(found["call"]):
            arguments = _arguments(text, start)
            parts = [part.strip() for part in arguments.split(",")] + ["…", "…"]
            named = {"d": _DISTINCT.sub("", arguments), "a0": parts[0], "a1": parts[1]}
            return said.format(a=arguments or "…", **named, **match.groupdict())
    return ""


def _arguments(text: str, start: int) -> str:
    """Return the text inside the first parentheses after `start`, or '' if there are none."""
    opened = text.find("(", start)
    depth = 0
    for at in range(opened, len(text)) if opened >= 0 else ():
        depth += {"(": 1, ")": -1}.get(text[at], 0)
        if not depth:
            return text[opened + 1 : at].strip()
    return ""
