"""Hints for malformed SQL: brackets, BETWEEN, IN, CAST, OVER, VALUES."""

from __future__ import annotations

from aiosqlc.analysis.advice.place import CLAUSES, Place
from aiosqlc.messages.suggest import nearest
from aiosqlc.parse.reserved import is_reserved
from aiosqlc.parse.scanner import LEXES, Kind

_LITERALS = frozenset({Kind.NUMBER, Kind.STRING})
_MOST = 8  # longest list, in items, that a message repeats
_AFTER_A_TABLE = frozenset({"GROUP", "ORDER"})


def form_advice(place: Place) -> str:
    """Return the correct form of malformed SQL at a token, or an empty string if none is known."""
    return next((advice for rule in _RULES if (advice := rule(place))), "")


def _lists(place: Place) -> str:
    """Detect wrong lists: `BETWEEN 1, 5`, `IN 1, 2`, `'x' IN labels`."""
    before = [word for _, word in place.above()]
    if "BETWEEN" in before and "AND" not in before[: before.index("BETWEEN")]:
        ended = place.word() in {",", ")", "", ";", *CLAUSES}
        if ended and before.index("BETWEEN") < 3:
            return "`BETWEEN` needs two values: write `BETWEEN a AND b`"
    token = place.token()
    if token is None or place.word(-1) != "IN" or place.verb == "CREATE":
        return ""
    if token.kind in _LITERALS:
        return f"put the list in parentheses: `IN ({_listed(place)})`"
    if place.is_name() and not is_reserved(token.text, place.dialect) and place.word() != "SQLC":
        if LEXES[place.dialect].names_by_at:
            return f"to compare with the elements of an array, write `= ANY({token.text})`"
        return f"put the list in parentheses: `IN ({token.text})`"
    return ""


def _listed(place: Place) -> str:
    """Return the list of literals that starts at a token, as text: `1, 2, 'a'`."""
    items: list[str] = []
    step = 0
    while (token := place.token(step)) and token.kind in _LITERALS and len(items) < _MOST:
        items.append(token.text)
        if place.word(step + 1) != ",":
            break
        step += 2
    return ", ".join(items)


def _calls(place: Place) -> str:
    """Detect wrong calls: `cast(a, int)`, `extract(a, year)`, `sum(a) OVER PARTITION BY b`."""
    function, opened = place.call
    if function in {"CAST", "TRY_CAST"} and place.word() in {",", "AS"}:
        argument = place.text[place.tokens[opened + 1].start : place.tokens[place.at].start]
        return f"write `CAST({argument.strip()} AS {place.said(1)})`"
    inside = place.tokens[opened + 1 : opened + 4]
    if function == "EXTRACT" and len(inside) == 3 and inside[1].text == ",":
        return f"write `EXTRACT({inside[2].text} FROM {inside[0].text})`"
    recent = place.words[max(place.at - 3, 0) : place.at + 2]
    for word in ("PARTITION", "ORDER"):
        if ["OVER", word] in [recent[at : at + 2] for at in range(len(recent))]:
            return f"put the window definition in parentheses: `OVER ({word} BY …)`"
    if place.word() == "DISTINCT" and place.word(-1) == "," and place.clause == "SELECT":
        return "`DISTINCT` applies to whole rows, so write it once: `SELECT DISTINCT a, b`"
    distinct = [place.word(-2), place.word(-1)] == ["DISTINCT", "ON"]
    if distinct and place.is_name() and LEXES[place.dialect].names_by_at:
        return f"put the columns in parentheses: `DISTINCT ON ({place.said()})`"
    return ""


def _rows(place: Place) -> str:
    """Detect row values without VALUES, rows without a comma, ON CONFLICT without parentheses."""
    token, before = place.token(), place.word(-1)
    if place.verb not in {"INSERT", "REPLACE", "WITH"} or token is None:
        return ""
    values = "VALUES" in place.words[: place.at] or "SELECT" in place.words[: place.at]
    if not values and token.kind in _LITERALS and before == "(":
        return "write the keyword `VALUES` before the list of values"
    if place.word() == "(" and before == ")" and place.clause == "VALUES":
        return "a comma is missing between the rows"
    if before == "CONFLICT" and place.is_name() and LEXES[place.dialect].names_by_at:
        return f"put the columns in parentheses: `ON CONFLICT ({token.text})`"
    if [place.word(-2), before] == ["DO", "UPDATE"]:
        return f"write `DO UPDATE SET {token.text} = …`"
    return ""


def _gaps(place: Place) -> str:
    """Detect missing words: `SELECT * item`, `FROM WHERE`, `WITH a (SELECT …)`, `a NOT = 'b'`."""
    word, before = place.word(), place.word(-1)
    starred = before == "*" and place.word(-2) in {"SELECT", ",", "."}
    named = place.is_name() and not is_reserved(word, place.dialect)
    if starred and named and not nearest(word, ["from"]) and "FROM" not in place.words[place.at :]:
        return f"write `FROM {place.said()}`"
    clause = word in {"WHERE", "HAVING"} or (word in _AFTER_A_TABLE and place.word(1) == "BY")
    if before in {"FROM", "JOIN"} and clause:
        return f"write the name of a table after `{before}`"
    common = place.verb == "WITH" and place.word(-3) in {"WITH", "RECURSIVE", ","}
    if common and before == "(" and word in {"SELECT", "VALUES"} and place.is_name(-2):
        return f"write `{place.said(-2)} AS ({word} …)`"
    negated = place if word == "NOT" else place.moved(-1)
    if negated.word() == "NOT" and negated.word(1) == "=":
        return "write `<>`, or write `NOT` before the whole condition"
    return ""


_RULES = (_lists, _calls, _rows, _gaps)
