"""Find the select-list items and parameters of an SQL text by sqlc's rules."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from msgspec import Struct

from aiosqlc.parse.scanner import Kind, Token, code_tokens, unquote
from aiosqlc.source import Dialect

_STATEMENTS = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE", "MERGE"})
_ENDS = frozenset(
    {
        "FROM", "WHERE", "GROUP", "HAVING", "WINDOW", "UNION", "INTERSECT", "EXCEPT", "ORDER",
        "LIMIT", "OFFSET", "FETCH", "FOR", "INTO",
    }
)  # fmt: skip
# Words before a parenthesis that do not form a call.
_NO_CALLS = frozenset(
    {
        "ALL", "AND", "ANY", "ARRAY", "AS", "BETWEEN", "BY", "CASE", "CAST", "COALESCE", "CONFLICT",
        "DISTINCT", "ELSE", "EXISTS", "FROM", "GREATEST", "IN", "INTO", "IS", "JOIN", "LATERAL",
        "LEAST", "LIKE", "LIMIT", "NOT", "NULLIF", "OFFSET", "ON", "OR", "OVER", "RETURNING", "ROW",
        "SELECT", "SET", "SOME", "THEN", "USING", "VALUES", "WHEN", "WHERE", "WITH",
    }
)  # fmt: skip
_TOP = frozenset(
    {
        "AND", "OR", "NOT", "IS", "IN", "LIKE", "ILIKE", "BETWEEN", "CASE", "COLLATE", "SIMILAR",
        "AT", "ISNULL", "NOTNULL",
    }
)  # fmt: skip
_NO_ALIAS = frozenset({"END", "NULL", "TRUE", "FALSE", "UNKNOWN"})
_BOUNDS = (_TOP - {"COLLATE", "AT"}) | _ENDS | _NO_CALLS | _STATEMENTS
_CONSTANT = _BOUNDS | _NO_ALIAS | {"INTERVAL"}


class Item(Struct, frozen=True):
    """An item of a select list. `kind` is column, cast, call, coalesce or other.

    `name` is the item's alias or sqlc's default name, or None if the server's name is used.
    `column` is the name of the column if the item is only a column.
    """

    kind: str
    name: str | None
    column: str = ""


@lru_cache(maxsize=64)
def items_of(sql: str) -> tuple[Item, ...]:
    """Return the select-list items of a statement, or of the first SELECT of a set operation."""
    return _items(code_tokens(sql))


@lru_cache(maxsize=64)
def columns_of(sql: str) -> tuple[Item | None, ...]:
    """Return the plain columns in a MySQL select list, with lower-case names as in sqlc."""
    found = _items(code_tokens(sql, Dialect.MYSQL))
    return tuple(Item("column", None, i.column.lower()) if i.column else None for i in found)


def _items(tokens: Sequence[Token]) -> tuple[Item, ...]:
    depth, start = 0, None
    for position, token in enumerate(tokens):
        depth += _step(token)
        if depth == 0 and token.text.upper() in _STATEMENTS:
            start = position
            break
    if start is None:
        return ()
    if tokens[start].text.upper() != "SELECT":
        start = _at_top(tokens, start, frozenset({"RETURNING"}))
        if "".join(token.text for token in tokens[start + 1 : start + 3]).upper() == "WITH(":
            start = _closing(tokens, start + 2)  # aliases of OLD and NEW
        return tuple(map(_item, _split(tokens[start + 1 :]))) if start < len(tokens) else ()
    start += 1
    while start < len(tokens) and tokens[start].text.upper() in {"ALL", "DISTINCT"}:
        start += 1
        if start + 1 < len(tokens) and tokens[start].text.upper() == "ON":
            start = _closing(tokens, start + 1) + 1
    end = _at_top(tokens, start, _ENDS)
    return tuple(map(_item, _split(tokens[start:end])))


@lru_cache(maxsize=64)
def places_of(sql: str) -> dict[int, str]:
    """Return the syntactic position of each parameter at its first occurrence.

    The position is cast, limit, offset, call, alone (the other operand has no column) or ''.
    """
    tokens = code_tokens(sql)
    found: dict[int, str] = {}
    open_at: list[int] = []
    for position, token in enumerate(tokens):
        if token.text == "(":
            open_at.append(position)
        elif token.text == ")" and open_at:
            open_at.pop()
        elif token.kind is Kind.PARAM and token.text[1:].isdigit():
            number = int(token.text[1:])
            if found.setdefault(number, place := _place(tokens, position, open_at)) == "alone":
                found[number] = place if _is_assigned(tokens, position) else "alone"
    return found


def _is_assigned(tokens: Sequence[Token], position: int) -> bool:
    """Return whether UPDATE assigns a parameter to a column; sqlc numbers such parameters first."""
    before = [token.text.upper() for token in tokens[max(position - 3, 0) : position]]
    after = tokens[position + 1].text.upper() if position + 1 < len(tokens) else ""
    return before[:1] in (["SET"], [","]) and before[-1:] == ["="] and after in {",", "", *_ENDS}


def pages_of(sql: str) -> tuple[str, ...]:
    """Return the clause of each `?` in a MySQL text: limit, offset, or '' for any other clause.

    The first `?` in `LIMIT ?, ?` has the clause `skipped`.
    """
    tokens = code_tokens(sql, Dialect.MYSQL)
    found: list[str] = []
    for position, token in enumerate(tokens):
        if token.kind is not Kind.PARAM:
            continue
        before = [t.text.upper() for t in tokens[max(position - 3, 0) : position]]
        word = before[-1] if before else ""
        found.append(word.lower() if word in {"LIMIT", "OFFSET"} else "")
        if word == "," and before[0] == "LIMIT":  # LIMIT offset, count
            found[-2:] = ["skipped", "limit"]
    return tuple(found)


def _place(tokens: Sequence[Token], position: int, open_at: Sequence[int]) -> str:
    before = tokens[position - 1].text.upper() if position else ""
    after = tokens[position + 1].text if position + 1 < len(tokens) else ""
    if after == "::":
        return "cast"
    outer = tokens[open_at[-1] - 1] if open_at and open_at[-1] else None
    if outer is not None and outer.text.upper() == "CAST" and before == "(":
        return "cast"
    if before in {"LIMIT", "OFFSET"}:
        return before.lower()
    alone = before in {"(", ","} and after in {")", ","}
    if alone and outer is not None and outer.kind is Kind.NAME:
        second = open_at[-1] - 2
        inserted = second >= 0 and tokens[second].text.upper() in {"INTO", "JOIN", "FROM", "AS"}
        if outer.text.upper() not in _NO_CALLS and not inserted:
            return "call"
    within = outer.text.upper() if outer is not None and alone else ""
    start = end = position
    if within in {"COALESCE", "NULLIF"}:
        start, end = open_at[-1] - 1, _closing(tokens, open_at[-1])
        if _has_column(tokens, start + 1, end):
            return ""
        if within == "NULLIF":
            return "alone"
    beside = _beside(tokens, start, end)
    if beside is None:
        return "alone" if within == "COALESCE" or before in {"NOT", "WHEN"} else ""
    return "" if _has_column(tokens, *beside) else "alone"


# The precedence of operators; all others have the precedence of `||`.
_STRENGTHS = {"^": 4, "*": 3, "/": 3, "%": 3, "+": 2, "-": 2} | dict.fromkeys(
    ("=", "<", ">", "<=", ">=", "<>", "!="), 0
)


def _beside(tokens: Sequence[Token], start: int, end: int) -> tuple[int, int] | None:
    """Return the other operand's span if the tokens `start` to `end` are an operand, or None."""
    left, right = _strength(tokens, start - 1), _strength(tokens, end + 1)
    if left is not None and (right is None or left >= right):
        return _operand(tokens, start - 2, -1, left), start
    return None if right is None else (end + 2, _operand(tokens, end + 2, 1, right) + 1)


def _strength(tokens: Sequence[Token], position: int) -> int | None:
    """Return the precedence of the operator at a position, or None if there is no operator."""
    if not 0 <= position < len(tokens) or tokens[position].kind is not Kind.OPERATOR:
        return None
    return None if tokens[position].text == "::" else _STRENGTHS.get(tokens[position].text, 1)


def _operand(tokens: Sequence[Token], position: int, step: int, strength: int) -> int:
    """Return the position of the last token of the operand that begins at `position`.

    If `step` is negative, the operand ends at `position`; return the position of its first token.
    """
    depth = 0
    while 0 <= position < len(tokens):
        token = tokens[position]
        inside = depth + step * _step(token)
        binds = _strength(tokens, position)
        weak = binds is not None and (binds < strength or (step > 0 and binds == strength))
        if inside < 0 or (depth == 0 and (weak or _ends_an_operand(token))):
            break
        depth = inside
        position += step
    return position - step


def _ends_an_operand(token: Token) -> bool:
    return token.text in {",", ";"} or token.text.upper() in _BOUNDS


def _has_column(tokens: Sequence[Token], start: int, end: int) -> bool:
    """Return whether a token of the range can be the name of a column."""
    following = [token.text for token in tokens[start + 1 : end + 1]] + [""]
    return any(
        token.kind is Kind.QUOTED
        or (token.kind is Kind.NAME and after != "(" and token.text.upper() not in _CONSTANT)
        for token, after in zip(tokens[start:end], following, strict=False)
    )


_STEPS = {"(": 1, "[": 1, ")": -1, "]": -1}


def _step(token: Token) -> int:
    return _STEPS.get(token.text, 0)


def _at_top(tokens: Sequence[Token], start: int, words: frozenset[str]) -> int:
    """Return the position of the first of the given words outside brackets, or the end."""
    depth = 0
    before = tokens[start - 1].text.upper() if start else ""
    for position in range(start, len(tokens)):
        word = tokens[position].text.upper()
        depth += _STEPS.get(word, 0)
        if depth == 0 and word in words and before not in {"DISTINCT", "WITHIN", "."}:
            return position
        before = word
    return len(tokens)


def _closing(tokens: Sequence[Token], start: int) -> int:
    """Return the position of the bracket that closes the bracket at `start`."""
    depth = 0
    for position in range(start, len(tokens)):
        depth += _step(tokens[position])
        if depth == 0:
            return position
    return len(tokens) - 1


def _split(tokens: Sequence[Token]) -> list[list[Token]]:
    items: list[list[Token]] = [[]]
    depth = 0
    for token in tokens:
        depth += _step(token)
        if depth == 0 and token.text == ",":
            items.append([])
        elif token.text != ";":
            items[-1].append(token)
    return items


def _item(tokens: list[Token]) -> Item:
    alias: str | None = None
    if len(tokens) > 2 and tokens[-2].text.upper() == "AS":
        alias, tokens = _folded(tokens[-1]), tokens[:-2]
    elif len(tokens) > 1 and _is_alias(tokens[-2], tokens[-1]):
        alias, tokens = _folded(tokens[-1]), tokens[:-1]
    if not tokens:
        return Item("other", alias)
    if _is_column(tokens):
        return Item("column", alias, _folded(tokens[-1]))
    words = _words_at_top(tokens)
    operators = [w for w in words if w in _TOP]
    casts = "::" in words
    first = tokens[0].text.upper()
    operators += [
        t.text for t in _at_top_level(tokens) if t.kind is Kind.OPERATOR and t.text != "::"
    ]
    whole = len(tokens) > 1 and tokens[1].text == "(" and _closing(tokens, 1) == len(tokens) - 1
    if (casts and not operators) or (first == "CAST" and whole):
        return Item("cast", alias if alias is not None else _cast_name(tokens))
    if operators:
        return Item("other", alias or "")
    if first == "COALESCE" and whole:
        return Item("coalesce", alias)
    if _is_call(tokens):
        return Item("call", alias)
    if tokens[0].text == "(" and _closing(tokens, 0) == len(tokens) - 1:
        inner = _items(tokens[1:-1])
        if len(inner) == 1 and inner[0].kind == "call":
            return Item("call", alias)
    # With the server's name. A field, `(a).b`, has no name.
    named = first == "EXISTS" or (tokens[0].text == "(" and tokens[-1].text == ")")
    return Item("other", alias if alias is not None or named else "")


def _folded(token: Token) -> str:
    return token.text.lower() if token.kind is Kind.NAME else unquote(token)


def _is_alias(before: Token, last: Token) -> bool:
    if last.kind is Kind.QUOTED:
        return before.text not in {".", "::"}
    if last.kind is not Kind.NAME or last.text.upper() in _NO_ALIAS:
        return False
    plain = before.kind in {Kind.NAME, Kind.QUOTED, Kind.NUMBER, Kind.STRING, Kind.PARAM}
    words = before.text.upper()
    return before.text in {")", "]"} or (plain and words not in _NO_CALLS and words not in _TOP)


def _at_top_level(tokens: Sequence[Token]) -> list[Token]:
    found, depth = [], 0
    for token in tokens:
        depth += _step(token)
        if depth == 0:
            found.append(token)
    return found


def _words_at_top(tokens: Sequence[Token]) -> list[str]:
    return [token.text.upper() for token in _at_top_level(tokens)]


def _is_column(tokens: Sequence[Token]) -> bool:
    names = tokens[::2]
    return (
        len(tokens) % 2 == 1
        and all(token.kind in {Kind.NAME, Kind.QUOTED} for token in names)
        and all(token.text == "." for token in tokens[1::2])
    )


def _is_call(tokens: Sequence[Token]) -> bool:
    bracket = next((n for n, token in enumerate(tokens) if token.text == "("), 0)
    return (
        bracket > 0
        and _is_column(tokens[:bracket])
        and tokens[bracket - 1].text.upper() not in _NO_CALLS
    )


def _cast_name(tokens: Sequence[Token]) -> str:
    """Return sqlc's name for a cast without an alias: the column's name with its qualifier."""
    end = next((n for n, token in enumerate(tokens) if token.text == "::"), 0)
    inner = tokens[:end]
    return "_".join(_folded(t) for t in inner[::2]) if inner and _is_column(inner) else ""
