"""Hints for unknown names, such as an alias that is not visible in WHERE."""

from __future__ import annotations

import re
from collections.abc import Iterator

from aiosqlc.analysis.advice.place import CLAUSES, Place
from aiosqlc.analysis.advice.syntax import quoted
from aiosqlc.analysis.advice.words import ELSEWHERE
from aiosqlc.messages.suggest import nearest
from aiosqlc.parse.scanner import LEXES, Kind, unquote
from aiosqlc.source import Dialect

_ENDS_A_SELECT = frozenset(
    {"FROM", "WHERE", "GROUP", "ORDER", "HAVING", "LIMIT", "UNION", "WINDOW"}
)
_LONGEST = 60  # longest expression, in characters, that a message repeats


def name_advice(place: Place, meant: str = "") -> str:
    """Return a hint for an unknown name, or an empty string if no hint applies.

    `meant` is a known name that is similar to the unknown one, or an empty string.
    """
    return (
        _alias(place)
        or _text(place, like=meant)
        or _key(place)
        or _same(place, meant)
        or meant
        or _own_function(place)
        or _elsewhere(place)
        or _keyword(place)
        or _argument(place)
    )


def _key(place: Place) -> str:
    """Detect `attrs -> color`: a JSON key without quotes."""
    if place.word(-1) in {"->", "->>"} and place.is_name():
        return f"the key must be a text: write `'{place.said()}'`"
    return ""


def _same(place: Place, meant: str) -> str:
    """Return a hint for `c.id = p.id` if `p.id` is unknown and the server suggests `c.id`."""
    operand = [place.word(step) for step in (1, 2)]
    if not meant or operand[:1] != ["."] or place.word(-1) != "=":
        return ""
    other = "".join(place.said(step) for step in (-4, -3, -2))
    if f"`{other}`" not in meant:
        return ""
    return f"`{other} = {other}` is true for every row: compare with a column of `{place.said()}`"


def _argument(place: Place) -> str:
    """Detect `dateadd(day, 1, born)`: a unit such as `day` in a function of another database."""
    function = place.call[0].lower()
    own = ELSEWHERE[place.dialect].get(function)
    return f"there is no `{function}`: write `{own}`" if own else ""


# Values that other databases write like a column.
_LIKE_COLUMNS = {
    Dialect.POSTGRESQL: {
        "sysdate": "now()",
        "systimestamp": "now()",
        "rownum": "row_number() OVER (ORDER BY …)",
        "version": "version()",
    },
    Dialect.MYSQL: {
        "sysdate": "now()",
        "systimestamp": "now()",
        "rownum": "row_number() OVER (ORDER BY …)",
    },
}


def _elsewhere(place: Place) -> str:
    if place.word() == "ROWNUM" and place.word(1) in {"<=", "<"}:
        return f"write `LIMIT {place.said(2)}` at the end of the query"
    own = _LIKE_COLUMNS[place.dialect].get(place.said().lower())
    return f"write `{own}`" if own else ""


def _keyword(place: Place) -> str:
    """Detect `SELECT DISTICT id`: a misspelled keyword that was read as a column with an alias."""
    if place.word(-1) != "SELECT" or not place.is_name(1):
        return ""
    return "did you mean `DISTINCT`?" if nearest(place.said(), ["distinct"]) else ""


def qualified_advice(place: Place) -> str:
    """Suggest qualified names for an ambiguous column; return '' without two tables in FROM."""
    name = place.said()
    sources = list(dict.fromkeys(sources_of(place)))
    if not name or len(sources) < 2 or place.word(1) == ".":
        return ""
    *others, last = (f"`{source}.{name}`" for source in sources)
    return f"write the table name before the column: {', '.join(others)} or {last}"


def sources_of(place: Place) -> Iterator[str]:
    """Yield the names of the tables in the FROM clauses of a query."""
    tokens, words = place.tokens, place.words
    for at, word in enumerate(words):
        if word not in {"FROM", "JOIN"}:
            continue
        position = at + 1
        while True:
            while words[position + 1 : position + 2] == ["."]:
                position += 2
            if position >= len(tokens) or tokens[position].kind not in _NAMES:
                break
            name = tokens[position].text
            position += 1 + (words[position + 1 : position + 2] == ["AS"])
            follower = tokens[position] if position < len(tokens) else None
            if follower and follower.kind in _NAMES and follower.text.upper() not in _NO_ALIAS:
                name = follower.text
                position += 1
            yield name
            if words[position : position + 1] != [","]:
                break
            position += 1


_NAMES = frozenset({Kind.NAME, Kind.QUOTED})
_NO_ALIAS = CLAUSES | {"LEFT", "RIGHT", "INNER", "CROSS", "FULL", "NATURAL", "AS", "LATERAL"}


def _alias(place: Place) -> str:
    """Detect `SELECT lower(email) AS mail … WHERE mail = 'x'`: WHERE cannot use SELECT aliases."""
    token = place.token()
    if token is None or token.kind not in {Kind.NAME, Kind.QUOTED}:
        return ""
    if "." in {place.word(-1), place.word(1)}:
        return ""
    name = unquote(token).lower()
    clause = place.clause if place.clause in {"WHERE", "HAVING", "ON", "GROUP"} else ""
    for alias, expression in _aliases(place):
        if alias.lower() == name and expression.lower() != name:
            lead = f"{clause or 'this place'} cannot use the aliases of the SELECT list"
            if len(expression) > _LONGEST:
                return (
                    f"{lead}: put the query in a sub-select, or repeat the expression of `{alias}`"
                )
            return f"{lead}; repeat `{expression}`, or put the query into a sub-select"
    return ""


def _aliases(place: Place) -> Iterator[tuple[str, str]]:
    """Yield each alias in the SELECT lists of the query, with the expression that it names."""
    words, tokens = place.words, place.tokens
    for start in [at for at, word in enumerate(words) if word == "SELECT"]:
        depth, first = 0, start + 1
        if words[first : first + 1] in (["DISTINCT"], ["ALL"]):
            first += 1
        for at in range(first, len(tokens) + 1):
            word = words[at] if at < len(tokens) else ""
            ended = not depth and (not word or word in _ENDS_A_SELECT or word == ")")
            if ended or (not depth and word == ","):
                item = tokens[first:at]
                if len(item) > 2 and item[-2].text.upper() == "AS":
                    yield unquote(item[-1]), place.text[item[0].start : item[-3].end]
                first = at + 1
            if ended:
                break
            depth += {"(": 1, ")": -1}.get(word, 0)


def _text(place: Place, *, like: str) -> str:
    """Detect `email = "bob"`: a string in the quotes of an identifier."""
    token = place.token()
    if token is None or token.kind is not Kind.QUOTED or not token.text.endswith('"'):
        return ""
    text = unquote(token).replace("'", "''")
    if like and re.fullmatch(r"\w+", text):
        return ""
    return f"if this is a text, put the text in single quotes: `'{text}'`"


def _own_function(place: Place) -> str:
    """Return a hint if a table has the name of a PostgreSQL function, such as `user`."""
    found = re.compile(
        r"\b(?:FROM|JOIN|,)\s+(user|current_user|session_user|current_role|current_catalog)\b",
        re.IGNORECASE,
    )
    if not place.tokens or not LEXES[place.dialect].names_by_at:
        return ""
    text = place.text[place.tokens[0].start : place.tokens[-1].end]
    function = found.search(text)
    if function is None:
        return ""
    name = function[1]
    return (
        f"`{name}` is a function of PostgreSQL: if you mean the table, write"
        f" {quoted(name, place.dialect)}"
    )
