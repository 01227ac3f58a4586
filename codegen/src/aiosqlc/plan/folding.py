"""Wrap long lines of an SQL text at white space outside of strings and quoted names."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from textwrap import wrap

from msgspec import Struct
from msgspec.structs import replace

from aiosqlc.ir import TypedQuery
from aiosqlc.parse.scanner import Kind, Token, scan
from aiosqlc.source import Dialect

WIDTH = 120
_INDENT = "    "
_LEAST = 40  # fewest characters of a line beside the name of its constant
_CLAUSES = frozenset(
    {
        "FROM", "WHERE", "GROUP", "HAVING", "WINDOW", "UNION", "INTERSECT", "EXCEPT", "ORDER",
        "LIMIT", "OFFSET", "FOR", "SET", "VALUES", "RETURNING", "JOIN", "LEFT", "INNER", "SELECT",
        "AND",
    }
)  # fmt: skip
_ASSIGNED = ': Final = ""'


def folded(query: TypedQuery, constant: str, engine: Dialect) -> TypedQuery:
    """Return a query whose SQL text is wrapped to fit beside the name of its constant."""
    if any(part.independent for part in query.parsed.dynamic):
        return query  # the lines of an optional part must be the same in every text
    if query.variants:
        variants = [
            replace(variant, sql=fold(variant.sql, engine, WIDTH - 3 * len(_INDENT)))
            for variant in query.variants
        ]
        return replace(query, variants=tuple(variants))
    width = WIDTH if "\n" in query.sql else max(_LEAST, WIDTH - len(constant) - len(_ASSIGNED))
    return replace(query, sql=fold(query.sql, engine, width))


def fold(sql: str, engine: Dialect, width: int) -> str:
    """Wrap each long line before a clause, or else after a comma, or else at a space."""
    if all(len(line) <= width for line in sql.split("\n")):
        return sql
    parts: list[str] = []
    line: list[_Word] = []
    end = 0
    for word in _words(sql, engine):
        if line and "\n" in sql[end : word.start]:
            parts += [_folded(sql, line, width), sql[end : word.start]]
            line = []
        elif not line:
            parts.append(sql[end : word.start])
        line.append(word)
        end = word.end
    return "".join([*parts, _folded(sql, line, width), sql[end:]])


def _folded(sql: str, line: Sequence[_Word], width: int) -> str:
    """Split the words of a line into as many lines as needed."""
    if not line:
        return ""
    start = line[0].start
    column = start - sql.rfind("\n", 0, start) - 1
    clauses, margin = " " * column, " " * column + _INDENT
    lines: list[str] = []
    while True:
        room = width - column
        at = max(1, bisect_right(line, line[0].start + room, key=lambda word: word.end))
        if at >= len(line):
            break
        places = [n for n in range(1, at + 1) if not line[n].continues(line[n - 1])]
        best = max(places, key=lambda n: (_worth(line, n, at), n), default=0)
        if not best:
            break
        lines.append(sql[line[0].start : line[best - 1].end])
        line = line[best:]
        head = clauses if line[0].opens else margin
        lines.append(f"\n{head}")
        column = len(head)
    rest = sql[line[0].start : line[-1].end]
    if rest.startswith("--") and column + len(rest) > width:
        rest = _comment(rest, " " * column, width)
    return "".join([*lines, rest])


def _worth(line: Sequence[_Word], place: int, most: int) -> int:
    """Return the priority of a line break before a word; near the line's start it is lowest."""
    if 2 * place < most:
        return 0
    return 2 if line[place].opens else int(line[place - 1].tokens[-1].text == ",")


class _Word(Struct, frozen=True):
    """A word: adjacent tokens without a space between them."""

    tokens: tuple[Token, ...]

    @property
    def start(self) -> int:
        return self.tokens[0].start

    @property
    def end(self) -> int:
        return self.tokens[-1].end

    @property
    def opens(self) -> bool:
        """Return whether the word starts a clause."""
        return self.tokens[0].kind is Kind.NAME and self.tokens[0].text.upper() in _CLAUSES

    def continues(self, before: _Word) -> bool:
        """Return whether a line break before this string would make the server join two strings."""
        return before.tokens[-1].kind is Kind.STRING and self.tokens[0].kind is Kind.STRING


def _words(sql: str, engine: Dialect) -> Iterator[_Word]:
    tokens: list[Token] = []
    for token in scan(sql, engine):
        if tokens and tokens[-1].end < token.start:
            yield _Word(tuple(tokens))
            tokens = []
        tokens.append(token)
    if tokens:
        yield _Word(tuple(tokens))


def _comment(text: str, margin: str, width: int) -> str:
    lines = wrap(
        text[2:].strip(),
        max(_LEAST, width - len(margin) - 3),
        break_long_words=False,
        break_on_hyphens=False,
    )
    return f"\n{margin}".join(f"-- {line}" for line in lines) or "--"
