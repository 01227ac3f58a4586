"""Join SQL literals to one query file, and map diagnostics back to the Python files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from aiosqlc.diagnostics import Diagnostic, Label
from aiosqlc.inline.find import Literal
from aiosqlc.inline.written import is_plain, offset_in_value
from aiosqlc.parse.annotations import names_query
from aiosqlc.parse.queries import unterminated
from aiosqlc.parse.scanner import Kind, Token, scan
from aiosqlc.plan.naming import camel
from aiosqlc.source import Dialect, ExpandedFile, SourceFile, Span
from aiosqlc.store.memo import memo

_NAMED = re.compile(r"\s*--\s*name:\s*(\w+)\s*(:.*)?")
_COMMAND = re.compile(r"\s*--\s*(:\w+.*)")
_ROWS = frozenset({"SELECT", "VALUES", "TABLE", "SHOW"})


class Part(Struct, frozen=True):
    """A literal, and the name of its query in the joined text.

    In the joined text, the annotation of the query starts at `first`, and the literal at `start`.
    Offsets of at least `exact` correspond to offsets in the literal.
    """

    literal: Literal
    name: str
    first: int
    start: int
    exact: int

    def inner(self, span: Span) -> Span | None:
        """Return a span of the joined text as a span of the literal's text, or None outside."""
        first, length = span.start - self.start, len(self.literal.text)
        if not self.exact <= first <= length:
            return None
        return Span(first, max(first, min(span.end - self.start, length)))


class Gathered(Struct, frozen=True):
    """The joined text of all literals, and the literals in the order of the text.

    `problems` are the errors of the literals that are left out, with labels in the Python files.
    """

    source: SourceFile
    parts: tuple[Part, ...]
    problems: tuple[Diagnostic, ...] = ()

    def located(self, problem: Diagnostic) -> Diagnostic:
        """Return a diagnostic whose labels point into the Python files."""
        return replace(problem, labels=tuple(map(self._label, problem.labels)))

    def _label(self, label: Label) -> Label:
        if label.file.path != self.source.path:
            return label
        at, span = label.span.start, label.span
        if isinstance(label.file, ExpandedFile):
            while inclusion := label.file.inclusion(at):  # a label in a fragment
                at, span = inclusion.call.start, inclusion.call
        part = self._part(at)
        if part is None:
            return label
        literal = part.literal
        found = self.code(span) or (literal, literal.span)
        return replace(label, file=literal.file, span=found[1])

    def code(self, span: Span) -> tuple[Literal, Span] | None:
        """Return the literal and the Python span for a span of the joined text, or None."""
        part = self._part(span.start)
        inner = part.inner(span) if part else None
        return (part.literal, part.literal.place(inner)) if part and inner else None

    def plain_code(self, span: Span) -> Span | None:
        """Return the Python span for a span of the joined text, if both have the same characters.

        Return None if the code has an escape there, or several adjacent strings.
        """
        part = self._part(span.start)
        inner = part.inner(span) if part else None
        if part is None or inner is None or not is_plain(part.literal.places, inner):
            return None
        return part.literal.place(inner)

    def offset(self, at: int) -> int | None:
        """Return the joined text's offset for an offset in the Python file, or None outside SQL."""
        for part in self.parts:
            literal = part.literal
            if literal.span.start < at < literal.span.end:
                inner = offset_in_value(literal.places, len(literal.text), at)
                return None if inner is None or inner < part.exact else part.start + inner
        return None

    def _part(self, at: int) -> Part | None:
        return next((p for p in reversed(self.parts) if p.first <= at), None)


def different(found: Iterable[Literal]) -> list[Literal]:
    """Return the literals, but only the first of several literals with equal texts."""
    first: dict[str, Literal] = {}
    for item in found:
        first.setdefault(item.text, item)
    return list(first.values())


def gathered(found: Iterable[Literal], path: SourceFile, dialect: Dialect) -> Gathered:
    """Join literals to one query file, which gets the path of the file `path`.

    A literal with an unclosed string or comment is left out, because the string or comment would
    include the next literal.
    """
    text, parts, names = "", list[Part](), set[str]()
    problems: list[Diagnostic] = []
    for literal in found:
        name, head, dropped, exact = _head(literal, names, dialect)
        names.add(name)
        if wrong := _open(literal, dialect) or _second(literal, dialect):
            problems.append(wrong)
            continue
        parts.append(Part(literal, name, len(text), len(text) + len(head) - dropped, exact))
        text += head
        text += _without_end(literal.text[dropped:]) + "\n;\n"
    return Gathered(replace(path, text=text), tuple(parts), tuple(problems))


def _open(literal: Literal, dialect: Dialect) -> Diagnostic | None:
    """Return the error of a literal with a string or comment that is not closed, or None."""
    unclosed = _unclosed(literal.text, dialect)
    if unclosed is None:
        return None
    said = unterminated(replace(literal.file, text=literal.text), unclosed)
    return replace(
        said,
        labels=tuple(
            replace(label, file=literal.file, span=literal.place(label.span))
            for label in said.labels
        ),
    )


def _second(literal: Literal, dialect: Dialect) -> Diagnostic | None:
    """Return the error of a literal that names another query after its statement, or None."""
    at = _second_name(literal.text, dialect)
    if at is None:
        return None
    return Diagnostic(
        "E009",
        "the literal has more than one query",
        (Label(literal.file, literal.place(at), "the second query"),),
        "write each query in a literal of its own",
    )


def _without_end(text: str) -> str:
    """Replace the semicolons at the end of a statement by blanks, so that no offset changes."""
    bare = text.rstrip("; \t\r\n\f\v")
    return bare + text[len(bare) :].replace(";", " ")


def _head(literal: Literal, taken: set[str], dialect: Dialect) -> tuple[str, str, int, int]:
    """Return the name and new annotation of a literal's query, and two offsets in the literal.

    The first offset is the end of the literal's own annotation, which the new line replaces. The
    second offset is the start of the command in the literal's own annotation; from there on, both
    annotations are the same.
    """
    first = literal.text.lstrip().partition("\n")[0]
    named, command = _NAMED.match(first), _COMMAND.match(first)
    if named and named[2]:
        return named[1], "", 0, 0  # an annotation as in a query file
    wanted = named[1] if named else camel(literal.owner) if literal.owner else "Query"
    name, number = wanted, 1
    while name in taken:
        number += 1
        name = f"{wanted}{number}"
    how = command[1] if command else _command(literal.text, dialect)
    blank = len(literal.text) - len(literal.text.lstrip())
    dropped = blank + len(first) + 1 if named or command else 0
    exact = blank + command.start(1) if command else dropped
    return name, f"-- name: {name} {how}\n", dropped, exact


@memo  # while watching, most literals are unchanged
def _unclosed(text: str, dialect: Dialect) -> Token | None:
    """Return the first token of a text that is not closed, or None."""
    return next((one for one in scan(text, dialect) if one.kind is Kind.UNTERMINATED), None)


@memo
def _second_name(text: str, dialect: Dialect) -> Span | None:
    """Return the span of the first comment after the SQL's start that names a query, or None."""
    after = False
    for token in scan(text, dialect):
        if token.kind is not Kind.COMMENT:
            after = True
        elif after and names_query(token):
            return Span(token.start, token.end)
    return None


@memo
def _command(text: str, dialect: Dialect) -> str:
    """Return `:many` for a statement that returns rows, and `:execrows` for others."""
    words: Sequence[str] = [
        token.text.upper() for token in scan(text, dialect) if token.kind is Kind.NAME
    ]
    first = next(iter(words), "")
    if "RETURNING" in words:
        return ":many"
    changes = {"INSERT", "UPDATE", "DELETE", "MERGE"} & set(words)
    returns = first in _ROWS or (first == "WITH" and not changes)
    return ":many" if returns else ":execrows"
