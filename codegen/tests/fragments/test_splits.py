"""If conditions of real queries move into fragments at random, the queries stay the same."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from aiosqlc.diagnostics import Severity
from aiosqlc.parse.queries import parse_files
from aiosqlc.parse.scanner import Kind, Token, scan
from aiosqlc.source import Dialect, SourceFile

ROOT = Path(__file__).parents[3]
FILES = sorted(
    path
    for folder in ("sql", "codegen/examples", "codegen/tests/cases")
    for path in (ROOT / folder).rglob("*.sql")
    if "queries" in path.parts or path.name == "queries.sql"
    if "cases" not in path.parts or (path.parent / "expected" / "__init__.py").exists()
    if "sqlc.include" not in path.read_text(encoding="utf-8", errors="replace")
)
_ENDS = {
    *("GROUP", "ORDER", "HAVING", "LIMIT", "OFFSET", "FETCH", "FOR", "RETURNING", "UNION"),
    *("WINDOW", "INTERSECT", "EXCEPT", "ON", "WHERE", "SET", ")"),
}


def conditions(tokens: list[Token]) -> Iterator[tuple[int, int]]:
    """Yield the first and last index of each condition that AND joins in a WHERE."""
    for at, token in enumerate(tokens):
        if token.text.upper() != "WHERE" or token.kind is not Kind.NAME:
            continue
        found: list[tuple[int, int]] = []
        depth, first, between = 0, at + 1, False
        position = at + 1
        for position in range(at + 1, len(tokens)):
            word = tokens[position].text.upper()
            if not depth and (word in _ENDS or word in {"OR", ";"}):
                break
            depth += {"(": 1, ")": -1, "CASE": 1, "END": -1}.get(word, 0)
            between = between or (word == "BETWEEN" and not depth)
            if word == "AND" and not depth:
                if between:
                    between = False
                    continue
                found.append((first, position - 1))
                first = position + 1
        else:
            position += 1
        if position < len(tokens) and tokens[position].text.upper() == "OR":
            continue
        found.append((first, position - 1))
        yield from ((first, last) for first, last in found if first <= last)


def statements(text: str, dialect: Dialect) -> Iterator[list[Token]]:
    statement: list[Token] = []
    for token in scan(text, dialect):
        statement.append(token)
        if token.text == ";":
            yield statement
            statement = []


def defined(tokens: list[Token]) -> Iterator[str]:
    """Yield the names of tables and their aliases that a sub-select in a condition defines."""
    words = [token.text.upper() for token in tokens]
    for at, word in enumerate(words):
        if word in {"FROM", "JOIN"}:
            yield from (token.text for token in tokens[at + 1 : at + 4] if token.kind is Kind.NAME)


def moved(text: str, dialect: Dialect, chance: random.Random) -> tuple[str, str]:
    """Return a file with some conditions as includes, and the fragments."""
    fragments: list[str] = []
    edits: list[tuple[int, int, str]] = []
    for statement in statements(text, dialect):
        tokens = [token for token in statement if token.kind is not Kind.COMMENT]
        reach = 0
        for first, last in conditions(tokens):
            start, end = tokens[first].start, tokens[last].end
            comments = any(
                token.kind is Kind.COMMENT and start < token.start < end for token in statement
            )
            numbered = any(token.kind is Kind.PARAM for token in tokens[first : last + 1])
            if start < reach or comments or numbered or chance.random() < 0.5:
                continue
            reach = end
            inside = tokens[first : last + 1]
            aliases = {
                one.text
                for one, dot in pairwise(inside)
                if dot.text == "." and one.kind is Kind.NAME and one.text.lower() != "sqlc"
            }
            aliases -= set(defined(inside))
            # Every alias is a parameter, since hygiene wants all of them.
            params = {name: f"p{number}_" for number, name in enumerate(sorted(aliases))}
            body = text[start:end]
            for one, dot in reversed(list(pairwise(inside))):
                before = text[one.start - 1]
                if dot.text == "." and one.text in params and before != ".":
                    at = one.start - start
                    body = body[:at] + params[one.text] + body[at + len(one.text) :]
            name = f"part_{len(fragments)}"
            listed = ", ".join(params.values())
            fragments.append(f"-- fragment: {name}({listed})\n{body};\n")
            call = ", ".join((name, *params))
            edits.append((start, end, f"sqlc.include({call})"))
    for start, end, put in reversed(edits):
        text = text[:start] + put + text[end:]
    return text, "".join(fragments)


def plain(sql: str, dialect: Dialect) -> list[str]:
    """Return the tokens of a text without parentheses."""
    return [token.text for token in scan(sql, dialect) if token.text not in "()"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_moved_conditions_expand_to_the_same_queries(path: Path) -> None:
    dialect = Dialect.MYSQL if "mysql" in path.as_posix() else Dialect.POSTGRESQL
    text = path.read_text(encoding="utf-8", errors="replace")
    written, problems = parse_files([SourceFile(path, text)], dialect)
    own = [item for item in problems if item.severity is Severity.ERROR]
    assert own == []
    chance = random.Random(path.as_posix())
    for _ in range(3):
        edited, fragments = moved(text, dialect, chance)
        files = [SourceFile(path, edited), SourceFile(Path("fragments.sql"), fragments)]
        queries, problems = parse_files(files if fragments else files[:1], dialect)
        assert [item for item in problems if item.severity is Severity.ERROR] == []
        for one, other in zip(written, queries, strict=True):
            assert plain(one.sql, dialect) == plain(other.sql, dialect)
            assert [plain(v.sql, dialect) for v in one.variants] == [
                plain(v.sql, dialect) for v in other.variants
            ]
            assert [(p.number, p.name, p.nullable) for p in one.params] == [
                (p.number, p.name, p.nullable) for p in other.params
            ]
