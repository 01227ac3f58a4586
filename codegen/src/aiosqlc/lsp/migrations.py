"""Find the positions in migrations where tables and columns are created."""

from __future__ import annotations

from collections.abc import Iterator

from aiosqlc.ir import SchemaFile
from aiosqlc.parse.scanner import Kind, Token, scan, unquote
from aiosqlc.source import SourceFile, Span
from aiosqlc.store.memo import memo

Made = tuple[str, str, Span]
"""A table, a column ('' for the table itself), and the position of the definition."""
_NO_COLUMN = frozenset(
    {"CONSTRAINT", "PRIMARY", "UNIQUE", "FOREIGN", "CHECK", "EXCLUDE", "LIKE", "KEY", "INDEX"}
)


def place_of(
    schema: tuple[SchemaFile, ...], table: str, column: str = ""
) -> tuple[SourceFile, Span] | None:
    """Return the position of the last statement that creates a table or column."""
    for part in reversed(schema):
        for made_table, made_column, span in reversed(_made(part)):
            if (made_table, made_column) == (table.lower(), column.lower()):
                return part.file, span
    return None


@memo
def _made(part: SchemaFile) -> tuple[Made, ...]:
    found: list[Made] = []
    for statement in part.statements:
        text = part.sql[: statement.end]
        tokens = [t for t in scan(text, start=statement.start) if t.kind is not Kind.COMMENT]
        found += _of_statement(tokens)
    return tuple(found)


def _of_statement(tokens: list[Token]) -> Iterator[Made]:
    words = [token.text.upper() for token in tokens]
    kinds = {"TABLE", "VIEW"} & set(words[:6])
    if not words or not kinds or words[0] not in {"CREATE", "ALTER"}:
        return
    at = min(words.index(kind) for kind in kinds) + 1
    while at < len(words) and words[at] in {"IF", "NOT", "EXISTS", "ONLY"}:
        at += 1
    if at + 2 < len(words) and words[at + 1] == ".":
        at += 2
    if at >= len(tokens):
        return
    table = unquote(tokens[at]).lower()
    if words[0] == "CREATE":
        yield table, "", tokens[at].span
        if words[at + 1 : at + 2] == ["("]:
            yield from _columns(table, tokens[at + 1 :])
        return
    for position, word in enumerate(words):
        after = position + 1
        if word == "ADD":
            after += words[after : after + 1] == ["COLUMN"]
            after += 3 if words[after : after + 3] == ["IF", "NOT", "EXISTS"] else 0
            if after < len(tokens) and words[after] not in _NO_COLUMN:
                yield table, unquote(tokens[after]).lower(), tokens[after].span
        elif word == "TO" and position > 1 and after < len(tokens):
            renamed = "RENAME" in words[max(0, position - 3) : position]
            is_table = words[position - 1] == "RENAME"
            if renamed and is_table:
                yield unquote(tokens[after]).lower(), "", tokens[after].span
            elif renamed and "CONSTRAINT" not in words:
                yield table, unquote(tokens[after]).lower(), tokens[after].span


def _columns(table: str, tokens: list[Token]) -> Iterator[Made]:
    depth, first = 0, False
    for token in tokens:
        if token.text == ")":
            depth -= 1
            if not depth:
                return
        elif first and token.text.upper() not in _NO_COLUMN:
            yield table, unquote(token).lower(), token.span
        first = (token.text == "(" and depth == 0) or (token.text == "," and depth == 1)
        depth += token.text == "("
