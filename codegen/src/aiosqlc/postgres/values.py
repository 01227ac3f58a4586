"""Hints for a value that its type does not accept, based on the adjacent tokens."""

from __future__ import annotations

import re

from aiosqlc.analysis.advice import Place
from aiosqlc.parse.scanner import Kind

_TYPE = re.compile(r"invalid input syntax for type (?P<type>[\w ]+?)(?::|$)")
_COMPARES = frozenset({"=", "<>", "!=", "<", ">", "<=", ">="})
_OTHER_SIDE = ", or cast the other side: `…::text`"
_LITERALS = frozenset({Kind.NUMBER, Kind.STRING})


def value_advice(place: Place, message: str) -> str:
    """Return a hint for a quoted text that is not a valid value of the required type."""
    text = place.said()[1:-1]
    found = _TYPE.match(message)
    kind = found["type"] if found else ""
    if message.startswith("malformed array literal"):
        return _element(place)
    if kind == "boolean" and (choices := one_of(place)):
        return choices
    if kind.startswith("json"):
        return (
            "`->` returns JSON: to compare with a text, write `->>`, as in `a ->> 'key' = 'text'`"
        )
    moment = kind.startswith("time") or kind == "date"
    if moment and place.word(-1) in {"+", "-"}:
        return f"write `INTERVAL {place.said()}`"
    if moment:
        return ""
    compared = {place.word(-1), place.word(1)} & _COMPARES
    if text.isidentifier() and kind != "uuid" and compared:
        return f"`'{text}'` is a text: write a column name as `{text}`, without quotes"
    return "write a value of this type" + (_OTHER_SIDE if compared else "")


def one_of(place: Place) -> str:
    """Return a hint for `a = 'x' OR 'y'`, where the second value is not compared."""
    token = place.token()
    if token is None or token.kind not in _LITERALS or place.word(-1) != "OR":
        return ""
    first = place.token(-2)
    if first is None or first.kind not in _LITERALS or place.word(-3) != "=":
        return ""
    return f"write `{place.said(-4)} IN ({first.text}, {token.text})`"


def flag_advice(place: Place, message: str) -> str:
    """Return a hint to write `true` or `false` in place of a number in a boolean column."""
    flags = "is of type boolean but" in message or "must be type boolean" in message
    if flags and place.said() in {"0", "1"}:
        return f"write `{'true' if place.said() == '1' else 'false'}`"
    return ""


def _element(place: Place) -> str:
    """Return a hint for `labels = 'x'` or `labels @> 'x'`: an element in place of an array."""
    text = place.said()
    if place.call[0] in {"JSON_OBJECT", "JSONB_OBJECT"}:
        return f"write `{place.call[0].lower().replace('_', '_build_')}(…)`"
    if text.startswith("'{"):
        return 'close each `{` and `"`, as in `{a,"b c"}`; or write `ARRAY[…]`'
    if place.word(1) == "IN" and place.is_name(3):
        return f"to compare with the elements of an array, write `{text} = ANY({place.said(3)})`"
    if place.word(-1) in {"=", "<>", "!="} and place.is_name(-2):
        sign = "= ANY" if place.word(-1) == "=" else "<> ALL"
        return f"to compare with the elements of an array, write `{text} {sign}({place.said(-2)})`"
    return f"write an array: `ARRAY[{text}]`"
