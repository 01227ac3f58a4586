"""Says what is most often meant where the server only says near which word it gave up."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from aiosqlc.ir import ParsedQuery
from aiosqlc.messages.suggest import nearest
from aiosqlc.parse.scanner import Kind, Token, scan
from aiosqlc.source import Span

TYPOGRAPHIC: Final = "‘’‚‛“”„‟"
QUOTES: Final = "typographic quotes: a text stands in `'…'`, a name in `\"…\"`"

_KEYWORDS: Final = frozenset(
    (
        *("select", "from", "where", "group", "order", "having", "limit", "offset", "returning"),
        *("insert", "into", "values", "update", "delete", "with", "distinct", "between", "exists"),
        *("join", "left", "right", "inner", "outer", "full", "cross"),
        *("union", "intersect", "except"),
    )
)
_SHORTEST = 4  # of two or three letters too much is like something
_BEFORE_A_NAME = frozenset({"from", "join", "into", "update", "as", ",", ".", "table"})


def syntax_hint(query: ParsedQuery, span: Span) -> str:
    """Return what to write where a query is refused for its syntax; empty where that is not known.

    `span` is the word that the server names, or the query's last character.
    """
    text = query.file.text
    before, word = text[: span.start].rstrip(), text[span.start : span.end]
    if word in {":", "?"} and not text.startswith("::", span.start):
        return "parameters are written `@name` or `$1`"
    if before.endswith("@") or word == "@":
        return "write the parameter's name behind the `@`, without a space"
    if any("`" in token.text for token in _tokens(query) if token.kind is Kind.OPERATOR):
        return 'a name stands in `"…"`, and needs no quotes where it is in lower case'
    if word.startswith(("@", "$", "sqlc")) and before.upper().endswith(" IN"):
        return "a list is compared with `= ANY(@name)`"
    for verb, needed in (("DELETE", "FROM"), ("INSERT", "INTO")):
        if re.search(rf"\b{verb}$", before, re.IGNORECASE):
            return f"write `{verb} {needed} {word}`"
    if before.endswith(","):
        return f"remove the comma before `{word}`, or write what is missing between them"
    return _misspelt(query, span) or _open_bracket(query)


def _tokens(query: ParsedQuery) -> Iterator[Token]:
    whole = query.file.text[: query.span.end]
    return (token for token in scan(whole, start=query.span.start) if token.kind != Kind.COMMENT)


def _misspelt(query: ParsedQuery, span: Span) -> str:
    """Look for a keyword that was meant: the word itself, or the one before, taken for an alias."""
    above = [token for token in _tokens(query) if token.start <= span.start]
    candidates = above[-1:] + [
        token for ahead, token in pairwise(above[-3:-1]) if ahead.text.lower() not in _BEFORE_A_NAME
    ]
    for token in candidates:
        word = token.text.lower()
        if token.kind is not Kind.NAME or len(word) < _SHORTEST or word in _KEYWORDS:
            continue
        if found := nearest(word, _KEYWORDS):
            return f"did you mean `{found.upper()}` by `{token.text}`?"
    return ""


def _open_bracket(query: ParsedQuery) -> str:
    """Say which bracket has no partner."""
    waiting: list[Token] = []
    for token in _tokens(query):
        if token.text == "(":
            waiting.append(token)
        elif token.text == ")" and not waiting:
            return "there is no `(` for this `)`"
        elif token.text == ")":
            waiting.pop()
    if not waiting:
        return ""
    line, column = query.file.line_col(waiting[-1].start)
    return f"the `(` in line {line}, column {column}, is never closed"
