"""Number named parameters as sqlc does: in the order of sqlc's syntax tree, not of the text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from aiosqlc.ir import TypedQuery
from aiosqlc.parse.scanner import Kind, Token, code_tokens

_VERBS = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "VALUES"})
_ORDERED = frozenset({"(", "WITH", "SELECT", "VALUES", "UPDATE", "INSERT"})
_SETS = frozenset({"UNION", "INTERSECT", "EXCEPT"})
_TAIL = ("ORDER", "LIMIT", "OFFSET", "FETCH", "FOR")
_RANK = {"ORDER": 0, "OFFSET": 1, "LIMIT": 2, "FETCH": 2, "FOR": 3}


def renumbered(query: TypedQuery) -> TypedQuery:
    """Return a query whose parameters have sqlc's numbers.

    A query with unnamed parameters is unchanged.
    """
    if len(query.params) < 2 or not all(param.is_named for param in query.params) or query.variants:
        return query
    tokens = code_tokens(query.sql)
    order = dict.fromkeys(int(token.text[1:]) for token in _walk(tokens) if _is_number(token))
    numbers = {old: new for new, old in enumerate(order, 1)}
    if len(numbers) != len(query.params) or all(old == new for old, new in numbers.items()):
        return query
    parts, at = [], 0
    for token in tokens:
        if _is_number(token):
            parts += [query.sql[at : token.start], f"${numbers[int(token.text[1:])]}"]
            at = token.end
    params = [replace(param, number=numbers[param.number]) for param in query.params]
    written = tuple(
        replace(param, number=numbers.get(param.number, param.number))
        for param in query.parsed.params
    )
    return replace(
        query,
        sql="".join([*parts, query.sql[at:]]),
        params=tuple(sorted(params, key=lambda param: param.number)),
        parsed=replace(query.parsed, params=written),
    )


def _is_number(token: Token) -> bool:
    return token.kind is Kind.PARAM and token.text[1:].isdigit()


def _walk(tokens: Sequence[Token], before: Sequence[Token] = ()) -> Iterator[Token]:
    """Yield a statement's tokens in sqlc's order; the tokens of WITH (`before`) come last.

    OFFSET comes before LIMIT, the WHERE of an UPDATE before its FROM, and the ORDER BY and LIMIT of
    a set operation before its operands.
    """
    words = _words(tokens)
    first = words[0] if words else ""
    if first == "WITH":
        start = next((n for n, word in enumerate(words) if word in _VERBS), len(tokens))
        yield from _walk(tokens[start:], tokens[1:start])
    elif first in {"SELECT", "VALUES", "("}:
        yield from _of_select(tokens, words, before)
    else:
        for part in _parts(tokens, words, first):
            select = _words(part)[:1] in (["SELECT"], ["WITH"])
            yield from _walk(part) if select else _inside(part)
        yield from _inside(before)


def _parts(tokens: Sequence[Token], words: Sequence[str], first: str) -> list[Sequence[Token]]:
    """Split an UPDATE or INSERT into its clauses, in sqlc's order."""
    if first == "UPDATE":
        rank = {"": 0, "WHERE": 1, "FROM": 2, "RETURNING": 3}
        parts = _cut(tokens, words, ("FROM", "WHERE", "RETURNING"))
        return [part for _, part in sorted(parts, key=lambda item: rank[item[0]])]
    if first == "INSERT":
        return [part for _, part in _cut(tokens, words, ("SELECT", "WITH", "ON", "RETURNING"))]
    return [tokens]


def _of_select(
    tokens: Sequence[Token], words: Sequence[str], before: Sequence[Token]
) -> Iterator[Token]:
    head, *tails = _cut(tokens, words, _TAIL)
    ordered = [part for _, part in sorted(tails, key=lambda item: _RANK[item[0]])]
    places = [n for n, word in enumerate(_words(head[1])) if word in _SETS]
    if not places:
        yield from _inside(head[1])
    for part in (*ordered, before):
        yield from _inside(part)
    if places:
        starts = [0, *(n + 1 for n in places)]
        for start, end in zip(starts, [*places, len(head[1])], strict=True):
            yield from _walk(head[1][start:end])


def _inside(tokens: Sequence[Token]) -> Iterator[Token]:
    """Yield tokens in text order; inside a parenthesized SELECT, in the order of `_walk`."""
    position = 0
    while position < len(tokens):
        token = tokens[position]
        yield token
        position += 1
        if token.text == "(" and _is_ordered(tokens, position):
            depth, end = 1, position
            while end < len(tokens) and depth:
                depth += {"(": 1, ")": -1}.get(tokens[end].text, 0)
                end += 1
            yield from _walk(tokens[position : end - 1])
            position = end


def _is_ordered(tokens: Sequence[Token], start: int) -> bool:
    """Return whether `_walk` may reorder the tokens inside a parenthesis."""
    return start < len(tokens) and tokens[start].text.upper() in _ORDERED


def _words(tokens: Sequence[Token]) -> list[str]:
    """Return each token in upper case, or '' for tokens inside brackets or after a dot.

    Tokens inside brackets or after a dot are not keywords.
    """
    words, depth, before = [], 0, ""
    for token in tokens:
        opened = {"(": 1, "[": 1}.get(token.text, 0)
        depth -= token.text in {")", "]"}
        words.append(token.text.upper() if not depth and before != "." else "")
        depth += opened
        before = token.text
    return words


def _cut(
    tokens: Sequence[Token], words: Sequence[str], at: Sequence[str]
) -> list[tuple[str, Sequence[Token]]]:
    """Split tokens before each of the given keywords."""
    cuts = [
        n for n, word in enumerate(words) if word in at and not (n and words[n - 1] == "DISTINCT")
    ]
    starts, ends = [0, *cuts], [*cuts, len(tokens)]
    return [
        ("" if not n else words[start], tokens[start:end])
        for n, (start, end) in enumerate(zip(starts, ends, strict=True))
    ]
