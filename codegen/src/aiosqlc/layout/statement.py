"""Lays out a statement: blanks, line breaks and the case of keywords change, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from aiosqlc.parse.scanner import MARKS, Dialect, Kind, Token, scan

WIDTH = 100


class LayoutStyle(StrEnum):
    """`house` keeps on a line what fits on one, `sqlc` gives each clause a line of its own."""

    HOUSE = "house"
    SQLC = "sqlc"


# Words that no column can be called, so that their case never means anything.
_KEYWORDS = frozenset(
    {
        "ALL", "AND", "AS", "ASC", "BETWEEN", "BY", "CASE", "CONFLICT", "CROSS", "DEFAULT",
        "DELETE", "DESC",
        "DISTINCT", "ELSE", "END", "EXCEPT", "EXISTS", "FETCH", "FOR", "FROM", "FULL", "GROUP",
        "HAVING", "ILIKE", "IN", "INNER", "INSERT", "INTERSECT", "INTO", "IS", "JOIN", "LATERAL",
        "LEFT", "LIKE", "LIMIT", "NATURAL", "NOT", "NULL", "OFFSET", "ON", "OR", "ORDER", "OUTER",
        "RETURNING", "RIGHT", "SELECT", "SET", "THEN", "UNION", "UPDATE", "USING", "VALUES", "WHEN",
        "WHERE", "WINDOW", "WITH",
    }
)  # fmt: skip
# A column may bear these names on MySQL, or anywhere: left as they are written there.
_SOFT = {
    Dialect.MYSQL: frozenset({"CONFLICT", "END", "FULL", "ILIKE", "OFFSET", "RETURNING", "WINDOW"}),
    Dialect.POSTGRESQL: frozenset[str](),
}
_CLAUSES = frozenset(
    {
        "CROSS", "EXCEPT", "FETCH", "FOR", "FROM", "FULL", "GROUP", "HAVING", "INNER", "INTERSECT",
        "JOIN", "LEFT", "LIMIT", "NATURAL", "OFFSET", "ON", "ORDER", "RETURNING", "RIGHT", "SELECT",
        "SET", "UNION", "VALUES", "WHERE", "WINDOW", "INSERT", "UPDATE", "DELETE",
    }
)  # fmt: skip
# What such a word goes on with, instead of opening a clause: `LEFT JOIN`, `FOR UPDATE`.
_TOGETHER = {
    "JOIN": {"LEFT", "RIGHT", "FULL", "INNER", "CROSS", "NATURAL", "OUTER"},
    "FROM": {"DISTINCT", "DELETE"},
    "UPDATE": {"FOR", "DO", "KEY", "ON"},
    "SELECT": {"ALL", "DISTINCT"},
    "LEFT": {"NATURAL"},
    "RIGHT": {"NATURAL"},
    "FULL": {"NATURAL"},
    "INNER": {"NATURAL"},
    "ON": {"DISTINCT"},
    "ORDER": {"WITHIN"},
    "DELETE": {"THEN", "ON", "DO"},
    "INSERT": {"THEN"},
}
_STATEMENTS = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE", "WITH", "VALUES"})
# Each bracket in brackets is gone through once more; beyond this nobody reads them.
_DEEPEST = 50
_SPACED = frozenset({"=", "<", ">", "<=", ">=", "<>", "!="})


@dataclass(frozen=True, slots=True)
class _Atom:
    """A token as it will be printed; `spaced` is whether a blank stands before it."""

    text: str
    word: str
    spaced: bool


def lay_out(
    sql: str,
    dialect: Dialect,
    style: LayoutStyle,
    *,
    width: int = WIDTH,
    keep_lines: bool = False,
) -> str:
    """Return a statement in a layout: the same tokens, but for blanks and keywords' case.

    With a comment inside, which may belong to its line, the lines stay as they are; or where asked.
    """
    tokens = list(scan(sql, dialect))
    if not tokens or any(t.kind is Kind.UNTERMINATED or t.kind in MARKS for t in tokens):
        return sql
    first = tokens[0].text.upper()
    plain = first in _STATEMENTS and not any(
        token.kind is Kind.COMMENT or "\n" in token.text for token in tokens
    )
    strings = any(a.kind is b.kind is Kind.STRING for a, b in pairwise(tokens))
    if (
        keep_lines or not plain or strings
    ):  # text in two pieces is one only where a line ends between them
        return _line_by_line(sql, tokens, dialect)
    atoms = _atoms(tokens, dialect)
    if max(_depths(atoms)) > _DEEPEST:
        return _line_by_line(sql, tokens, dialect)
    return "\n".join(_lines(atoms, style, width))


def same_tokens(before: str, after: str, dialect: Dialect) -> bool:
    """Whether two texts differ in blanks and in the case of keywords alone."""
    return _told(before, dialect) == _told(after, dialect)


def _told(sql: str, dialect: Dialect) -> list[tuple[Kind, str]]:
    return [
        (token.kind, token.text.rstrip() if token.kind is Kind.COMMENT else _folded(token))
        for token in scan(sql, dialect)
    ]


def _folded(token: Token) -> str:
    upper = token.text.upper()
    return upper if token.kind is Kind.NAME and upper in _KEYWORDS else token.text


def _cased(tokens: Sequence[Token], at: int, dialect: Dialect) -> str:
    """Return a token's text; a keyword's in capitals, unless it names something here."""
    token = tokens[at]
    upper = token.text.upper()
    if token.kind is not Kind.NAME or upper not in _KEYWORDS or upper in _SOFT[dialect]:
        return token.text
    before = tokens[at - 1] if at else None
    after = tokens[at + 1] if at + 1 < len(tokens) else None
    if after and (after.text == "." or (after.text == "(" and upper in {"LEFT", "RIGHT"})):
        return token.text
    if before is None:
        return upper
    joined = before.end == token.start and before.text[-1] in "@:.$"
    macro = before.text == "(" and at > 3 and tokens[at - 3].text == "."  # sqlc.arg(limit)
    if joined or macro or before.text == "." or before.text.upper() == "AS":
        return token.text
    return upper


def _spaced(before: Token, token: Token) -> bool:
    """Whether a blank stands between two tokens: as written, but for what everybody writes."""
    if before.text in {"(", "["} or token.text in {")", "]", ",", ";"}:
        return False
    if before.text == "," or (before.text == ")" and token.kind is Kind.NAME):
        return True
    if Kind.OPERATOR in {before.kind, token.kind} and {before.text, token.text} & _SPACED:
        return True
    return before.end < token.start


def _line_by_line(sql: str, tokens: Sequence[Token], dialect: Dialect) -> str:
    pieces = []
    for at, token in enumerate(tokens):
        if at:
            pieces.append(_gap(sql, tokens[at - 1], token))
        text = _cased(tokens, at, dialect)
        pieces.append(text.rstrip() if token.kind is Kind.COMMENT else text)
    return "".join(pieces)


def _gap(sql: str, before: Token, token: Token) -> str:
    written = sql[before.end : token.start]
    if "\n" in written:
        lines = written.replace("\r", "").split("\n")
        return "\n" * min(len(lines) - 1, 2) + lines[-1].expandtabs(4)
    if Kind.COMMENT in {before.kind, token.kind} or before.kind is token.kind is Kind.STRING:
        return written.expandtabs(4)
    return " " if _spaced(before, token) else ""


def _atoms(tokens: Sequence[Token], dialect: Dialect) -> list[_Atom]:
    return [
        _Atom(
            _cased(tokens, at, dialect),
            token.text.upper() if token.kind is not Kind.QUOTED else "",
            at > 0 and _spaced(tokens[at - 1], token),
        )
        for at, token in enumerate(tokens)
    ]


def _flat(atoms: Sequence[_Atom]) -> str:
    text = "".join(f" {atom.text}" if atom.spaced else atom.text for atom in atoms)
    return text.lstrip(" ")


def _lines(atoms: Sequence[_Atom], style: LayoutStyle, width: int) -> list[str]:
    """Return the lines of a statement, or of what stands in a pair of brackets."""
    flat = _flat(atoms)
    query = atoms[0].word in _STATEMENTS
    clauses = _split_clauses(atoms) if query else [list(atoms)]
    whole = style is LayoutStyle.HOUSE or len(clauses) == 1
    if whole and len(flat) <= width:
        return [flat]
    return [line for clause in clauses for line in _clause(clause, style, width)]


def _depths(atoms: Sequence[_Atom]) -> list[int]:
    """Return how deep in brackets each atom stands; a bracket stands where its content does not."""
    found, depth = [], 0
    for atom in atoms:
        depth -= atom.text in {")", "]"}
        found.append(depth)
        depth += atom.text in {"(", "["}
    return found


def _split_clauses(atoms: Sequence[_Atom]) -> list[list[_Atom]]:
    found: list[list[_Atom]] = [[]]
    for at, (depth, atom) in enumerate(zip(_depths(atoms), atoms, strict=True)):
        called = atom.word in {"LEFT", "RIGHT"} and _flat(atoms[at + 1 : at + 2]) == "("
        opens = depth == 0 and at > 0 and atom.spaced and atom.word in _CLAUSES and not called
        if opens and atoms[at - 1].word not in _TOGETHER.get(atom.word, ()):
            found.append([])
        found[-1].append(atom)
    return found


def _clause(atoms: list[_Atom], style: LayoutStyle, width: int) -> list[str]:
    flat = _flat(atoms)
    if len(flat) <= width:
        return [flat]
    depths = _depths(atoms)
    joined = _at_words(atoms, depths)
    if len(joined) > 1:
        return _indented(joined, style, width)
    listed = _after_commas(atoms, depths)
    if len(listed) > 1:
        return _indented(listed, style, width)
    return _opened(atoms, depths, style, width)


def _indented(parts: list[list[_Atom]], style: LayoutStyle, width: int) -> list[str]:
    head = _clause(parts[0], style, width)
    rest = [line for part in parts[1:] for line in _clause(part, style, width - 4)]
    return [*head, *(f"    {line}" for line in rest)]


def _at_words(atoms: list[_Atom], depths: list[int]) -> list[list[_Atom]]:
    """Cut before each AND and OR that stands outside brackets, and joins conditions."""
    found: list[list[_Atom]] = [[]]
    between = cases = 0
    for atom, depth in zip(atoms, depths, strict=True):
        if depth == 0:
            cases += (atom.word == "CASE") - (atom.word == "END")
            between += atom.word == "BETWEEN"
            if atom.word in {"AND", "OR"} and atom.spaced and cases <= 0:
                if between and atom.word == "AND":
                    between -= 1
                elif found[-1]:
                    found.append([])
        found[-1].append(atom)
    return found


def _after_commas(atoms: list[_Atom], depths: list[int]) -> list[list[_Atom]]:
    """Cut after each comma outside brackets, the clause's word from the first item, too."""
    if not any(a.text == "," and d == 0 for a, d in zip(atoms[:-1], depths, strict=False)):
        return [atoms]
    head = 1
    while head < len(atoms) - 1 and atoms[head].word in {"BY", "DISTINCT", "ALL"}:
        head += 1
    if atoms[0].word == "UPDATE" or not atoms[head].spaced or atoms[0].word not in _KEYWORDS:
        head = 0
    found: list[list[_Atom]] = [list(atoms[:head])] if head else []
    found.append([])
    for atom, depth in list(zip(atoms, depths, strict=True))[head:]:
        found[-1].append(atom)
        if atom.text == "," and depth == 0:
            found.append([])
    return [part for part in found if part]


def _opened(atoms: list[_Atom], depths: list[int], style: LayoutStyle, width: int) -> list[str]:
    """Open the longest pair of brackets; without one the line stays too long."""
    pairs: list[tuple[int, int]] = []
    starts: list[int] = []
    for at, (atom, depth) in enumerate(zip(atoms, depths, strict=True)):
        if depth == 0 and atom.text == "(":
            starts.append(at)
        elif depth == 0 and atom.text == ")" and starts:
            pairs.append((starts.pop(), at))
    pairs = [(start, end) for start, end in pairs if end - start > 1]
    if not pairs:
        return [_flat(atoms)]
    start, end = max(pairs, key=lambda pair: len(_flat(atoms[pair[0] : pair[1]])))
    inner = _lines(atoms[start + 1 : end], style, width - 4)
    tail = _flat(atoms[end:])
    return [_flat(atoms[: start + 1]), *(f"    {line}" for line in inner), tail]
