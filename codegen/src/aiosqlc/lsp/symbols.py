"""Find the names that a query defines, and the positions at which its text uses them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum
from itertools import pairwise

from msgspec import Struct

from aiosqlc.lsp.known import Entry
from aiosqlc.lsp.scope import TABLES_FOLLOW, sources
from aiosqlc.lsp.text import Block, block_at
from aiosqlc.parse.macros import ROWS, find_uses
from aiosqlc.parse.scanner import Kind, Token, unquote
from aiosqlc.source import SourceFile, Span


class Sort(StrEnum):
    """The kind of a symbol."""

    QUERY = "query"
    PARAMETER = "parameter"
    ALIAS = "alias"
    WITH = "WITH query"


class Symbol(Struct, frozen=True):
    """A name and the positions of all its uses in a query; `here` is the use at the cursor."""

    sort: Sort
    name: str
    here: Span
    places: tuple[Span, ...]
    block: Block


_PARAM_COMMENT = re.compile(r"--\s*(?::(?:if|set)\b|param:)(?P<rest>[^\n]*)")
_HINT = re.compile(r"--\s*param:\s*(?P<rest>\S+)")
_SORTED = re.compile(r"--\s*:sort\b(?P<rest>[^\n]*)")
_NO_CALL = frozenset({"AS", "MATERIALIZED", "NOT"})


def symbol_at(file: SourceFile, entry: Entry, at: int) -> Symbol | None:
    """Return the symbol at an offset, or None if its name is not defined by the query."""
    block = block_at(file, entry.dialect, at)
    if block.name and block.name_span.start <= at <= block.name_span.end:
        return Symbol(Sort.QUERY, block.name, block.name_span, (block.name_span,), block)
    for sort, names in (
        (Sort.PARAMETER, _parameters(file, entry, block)),
        (Sort.WITH, _with_queries(block)),
        (Sort.ALIAS, _aliases(entry, block)),
    ):
        for name, places in names.items():
            for span in places:
                sign = sort is Sort.PARAMETER and file.text[span.start - 1 : span.start] == "@"
                if span.start - sign <= at <= span.end:
                    return Symbol(sort, name, span, tuple(sorted(set(places))), block)
    return None


def _parameters(file: SourceFile, entry: Entry, block: Block) -> dict[str, list[Span]]:
    found: dict[str, list[Span]] = {}
    uses, _ = find_uses(file, list(block.tokens), entry.dialect)
    for use in uses:
        if use.name and use.macro not in ROWS:
            found.setdefault(use.name, []).append(use.name_span)
    for comment in block.comments:
        said = _HINT.match(comment.text) or _PARAM_COMMENT.match(comment.text)
        for word in re.finditer(r"\w+", said["rest"]) if said else ():
            if word[0] in found:
                first = comment.start + said.start("rest") + word.start() if said else 0
                found[word[0]].append(Span(first, first + len(word[0])))
    return found


def _with_queries(block: Block) -> dict[str, list[Span]]:
    names = {unquote(token).lower(): unquote(token) for token in _made_by_with(block)}
    return {
        name: [token.span for token in _named(block, lowered) if _is_reference(block, token)]
        + list(_in_sorts(block, name))
        for lowered, name in names.items()
    }


def _made_by_with(block: Block) -> Iterator[Token]:
    tokens = block.tokens
    texts = [token.text.upper() for token in tokens]
    if "WITH" not in texts:
        return
    for at, token in enumerate(tokens[:-2]):
        after = at + 1
        if texts[after] == "(":  # the names of the subquery's columns
            while after < len(texts) and texts[after] != ")":
                after += 1
            after += 1
        begins = at > 0 and texts[at - 1] in {"WITH", "RECURSIVE", ","}
        body = [*texts[after : after + 4], ""]
        opened = body[0] == "AS" and "(" in body[1:4] and set(body[1 : body.index("(")]) <= _NO_CALL
        if begins and opened and token.kind in {Kind.NAME, Kind.QUOTED}:
            yield token


def _aliases(entry: Entry, block: Block) -> dict[str, list[Span]]:
    """Return the aliases of tables and subqueries, but not the names of WITH queries."""
    made = {unquote(token).lower() for token in _made_by_with(block)}
    declared = {
        source.alias: source.alias.lower()
        for source in sources(block.tokens, entry.catalog)
        if source.alias != source.name or _declares(block, source.alias)
    }
    declared |= {unquote(token): unquote(token).lower() for token in _behind_brackets(block)}
    return {
        name: [token.span for token in _named(block, lowered) if _is_reference(block, token)]
        + list(_in_sorts(block, name))
        for name, lowered in declared.items()
        if lowered not in made
    }


def _declares(block: Block, name: str) -> bool:
    """Return whether a block gives the table `name` this name as its alias: `name AS name`."""
    texts = [unquote(token).lower() for token in block.tokens]
    wanted = name.lower()
    return any(
        texts[at : at + 3] == [wanted, "as", wanted] or texts[at : at + 2] == [wanted, wanted]
        for at in range(len(texts))
    )


def _behind_brackets(block: Block) -> Iterator[Token]:
    """Yield the aliases after the brackets of subqueries and functions in FROM, as in `) AS t`."""
    tokens = block.tokens
    qualifying = {unquote(a).lower() for a, b in pairwise(tokens) if b.text == "."}
    for at, token in enumerate(tokens):
        before = tokens[at - 1].text.upper() if at else ""
        beyond = tokens[at - 2].text if at > 1 else ""
        behind = before == ")" or (before == "AS" and beyond == ")")
        if (
            behind
            and token.kind in {Kind.NAME, Kind.QUOTED}
            and unquote(token).lower() in qualifying
        ):
            yield token


def _named(block: Block, lowered: str) -> Iterator[Token]:
    for token in block.tokens:
        if token.kind in {Kind.NAME, Kind.QUOTED} and unquote(token).lower() == lowered:
            yield token


def _is_reference(block: Block, token: Token) -> bool:
    """Return whether a word is at a position where SQL allows a table alias, but no column name.

    If this guess is wrong, the renamed query fails or changes its meaning, and the compiler reports
    this.
    """
    tokens = block.tokens
    at = tokens.index(token)
    before = tokens[at - 1].text.upper() if at else ""
    after = tokens[at + 1].text.upper() if at + 1 < len(tokens) else ""
    if before == ".":
        return False
    if after == "." or before in TABLES_FOLLOW or before in {"OF", "WITH", "RECURSIVE"}:
        return True
    words = [item.text.lower() for item in tokens[max(0, at - 4) : at]]
    if words in [["sqlc", ".", macro, "("] for macro in ROWS]:
        return True
    return _in_table_list(tokens, at)


def _in_table_list(tokens: tuple[Token, ...], at: int) -> bool:
    """Return whether a word is in a clause that lists tables: `FROM a, b AS c JOIN d`."""
    depth = 0
    for token in reversed(tokens[:at]):
        depth += {")": 1, "(": -1}.get(token.text, 0)
        word = token.text.upper()
        if depth < 0:
            return False
        if not depth and word in TABLES_FOLLOW | {"WITH", "RECURSIVE"}:
            return True
        if not depth and word in {
            "SELECT",
            "WHERE",
            "ON",
            "SET",
            "BY",
            "HAVING",
            "VALUES",
            "RETURNING",
        }:
            return False
    return False


def _in_sorts(block: Block, name: str) -> Iterator[Span]:
    for comment in block.comments:
        said = _SORTED.match(comment.text)
        for word in (
            re.finditer(rf"(?<![\w.\"]){re.escape(name)}(?=\.)", said["rest"]) if said else ()
        ):
            first = comment.start + said.start("rest") + word.start() if said else 0
            yield Span(first, first + len(name))
