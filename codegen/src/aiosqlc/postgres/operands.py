"""Hints for an operator that is undefined for the types of its operands."""

from __future__ import annotations

import re

from aiosqlc.analysis.advice import Place

_OPERATORS = {
    "==": "write a single `=` to compare values",
    "!==": "write `<>`",
    "<=>": "write `IS NOT DISTINCT FROM`, which also compares NULL",
    "&&": "join conditions with `AND`",
    "!": "write `NOT`",
    "=<": "write `<=`",
    "=!": "write `!=`",
    "=>": "write `>=`",
    "!<": "write `>=`",
    "!>": "write `<=`",
}
_TEXTS = frozenset({"text", "character varying", "character"})
_WHOLE = frozenset({"integer", "bigint", "smallint"})
_NUMBERS = _WHOLE | {"numeric", "real", "double precision"}
_COMPARES = frozenset({"=", "<>", "!=", "<", ">", "<=", ">="})
_PARAM = r"(?P<param>[@$]\w+|sqlc\.n?arg\(\w+\))\s*::\s*\w[\w ]*?(?:\[\])?"
_PARAM_BEHIND = re.compile(rf"\s*{_PARAM}(?=\s|[;),]|$)")
_PARAM_BEFORE = re.compile(rf"{_PARAM}\s*$")
_BARE_BEHIND = re.compile(r"\s*(?P<param>[@$]\w+)(?!\w|\s*::)")
_BARE_BEFORE = re.compile(r"(?P<param>[@$]\w+)\s*$")
_MEMBER_BEFORE = re.compile(r"(?P<member>[\w.\"]+\s*(?:->|#>)>\s*(?:'[^']*'|\d+))\s*$")
_NUMBER_BEHIND = re.compile(r"\s*(?P<number>\d[\d.]*)(?![\w.])")
_NUMBER_BEFORE = re.compile(r"(?<![\w.])(?P<number>\d[\d.]*)\s*$")
_LIST_BEHIND = re.compile(r"\s*(?P<list>\([^()]*\))")


def operand_advice(place: Place, left: str, sign: str, right: str) -> str:
    """Return the correct form of an operator between two types; `left` is '' for a prefix operator.

    `place` is the position of the operator in the query.
    """
    arrays = left.endswith("[]") or right.endswith("[]")
    if sign in _OPERATORS and not (sign == "&&" and arrays):
        return _OPERATORS[sign]
    if right.removesuffix("[]") == left != right and sign in {"=", "<>"}:
        return f"to compare with a list, write `{'= ANY' if sign == '=' else '<> ALL'}(…)`"
    kinds = dict.fromkeys(kind for kind in (left, right) if kind not in {"unknown", ""})
    if sign == "||" and not arrays:
        if set(kinds) == {"boolean"}:
            return "join conditions with `OR`"
        return "cast one side to text: `…::text`"
    if "LIKE" in sign or sign in {"~~", "!~~", "~~*", "!~~*"}:
        return "LIKE compares texts: cast the operand that is not a text, as in `…::text`"
    if sign == "+" and set(kinds) <= _TEXTS:
        return "join texts with `||`"
    token = place.token()
    if token is None:
        return _cast(kinds)
    start = place.tokens[0].start
    before, behind = place.text[start : token.start], place.text[token.start + len(sign) :]
    if place.tokens:
        behind = behind[: max(place.tokens[-1].end - token.start - len(sign), 0)]
    own = _moved(left, sign, right, behind) or _compared(left, sign, right, before, behind)
    return own or _cast(kinds)


def _cast(kinds: dict[str, None]) -> str:
    return f"cast one side: {' or '.join(f'`…::{kind}`' for kind in kinds)}"


def _moved(left: str, sign: str, right: str, behind: str) -> str:
    """Return a correction for `at - 7`, which subtracts a number of days from a time."""
    moment = left.startswith(("timestamp", "time "))
    if not moment or sign not in {"+", "-"} or right not in _NUMBERS:
        return ""
    if number := _NUMBER_BEHIND.match(behind):
        return f"write `INTERVAL '{number['number']} days'`, or another unit"
    param = _PARAM_BEHIND.match(behind)
    return f"write `make_interval(days => {param['param'] if param else '…'})`"


def _compared(left: str, sign: str, right: str, before: str, behind: str) -> str:
    """Return the correct form of a comparison between two types, or an empty string."""
    if sign not in _COMPARES:
        return ""
    if right == "record" and sign == "=" and (listed := _LIST_BEHIND.match(behind)):
        return f"to compare with several values, write `IN {listed['list']}`"
    if {left, right} & _NUMBERS and {left, right} & _TEXTS:
        number = right if right in _NUMBERS else left
        if left in _TEXTS and (member := _MEMBER_BEFORE.search(before)):
            return f"`->>` returns a text: cast the text, as in `({member['member']})::{number}`"
    for param, other in (
        (_PARAM_BEHIND.match(behind), left),
        (_PARAM_BEFORE.search(before), right),
    ):
        if param and other not in {"unknown", ""}:
            return (
                f"cast the parameter to the type of the other operand: `{param['param']}::{other}`"
            )
    texts = {left, right} & _TEXTS
    kind = next((side for side in (left, right) if side not in _TEXTS), "")
    bare = _BARE_BEHIND.match(behind) or _BARE_BEFORE.search(before)
    if bare and texts and kind not in {"unknown", ""}:
        return f"where the parameter is used as a text, write `{bare['param']}::{kind}::text`"
    for literal, other in (
        (_NUMBER_BEHIND.match(behind), left),
        (_NUMBER_BEFORE.search(before), right),
    ):
        if literal and other in _TEXTS:
            return f"compare with a text: `'{literal['number']}'`"
        if literal and other == "boolean" and literal["number"] in {"0", "1"}:
            said = "true" if literal["number"] == "1" else "false"
            return (
                f"compare with `{said}`, or write only the column, or write `NOT` before the column"
            )
    return ""


_VERSUS = re.compile(r"(?P<one>.+) versus (?P<other>.+)$")
_WIDTHS = ("smallint", "integer", "bigint", "numeric", "real", "double precision")


def narrower_of(detail: str) -> str:
    """Return the more specific of two types in a server message, as `mood` in `text versus mood`.

    A text can be compared with any type, so the other type is more specific. Of two numeric types,
    the wider type counts as more specific.
    """
    found = _VERSUS.search(detail)
    if found is None:
        return "text"
    kinds = [found["one"], found["other"]]
    if all(kind in _WIDTHS for kind in kinds):
        return max(kinds, key=_WIDTHS.index)
    return min(kinds, key=lambda kind: (kind.removesuffix("[]") in _TEXTS, kind in _TEXTS))
