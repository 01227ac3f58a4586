"""Read `notify` lines. Each line declares a channel, and the type of the channel's payload.

`notify: order_changed orders` declares that the payload is a row of the table or view `orders`, as
JSON. `notify: jobs text` declares a text. Above a SELECT without a name, `notify: order_changed
OrderChanged` declares that the payload is a row of the SELECT, and names the class of the row. A
channel becomes a query whose column is the payload. This query is analysed, but never runs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from aiosqlc.diagnostics import Diagnostic, Label
from aiosqlc.ir import Command, ParsedQuery
from aiosqlc.parse.annotations import Annotations, Declared
from aiosqlc.parse.macros import find_uses
from aiosqlc.parse.scanner import LEXES, Token
from aiosqlc.source import Dialect, SourceFile, SourceMap, Span

TEXT = "text"
"""The word that declares a payload of plain text, not JSON."""
_SELECTS = frozenset({"SELECT", "WITH", "TABLE", "VALUES"})
_CLASS = re.compile(r"[A-Z]\w*", re.ASCII)
_ROW = "SELECT row_to_json(notified_row) AS payload FROM "
_END = " AS notified_row"


def channels_of(
    file: SourceFile, notes: Annotations, body: Sequence[Token], dialect: Dialect
) -> tuple[tuple[ParsedQuery, ...], list[Diagnostic]]:
    """Return the channels that the comments above a statement declare.

    `body` is the statement below the comments, or empty if this is a named query or a fragment. It
    defines the payload of the last channel.
    """
    if not LEXES[dialect].notifies:
        return (), [_another_engine(file, line) for line in notes.channels[:1]]
    found: list[ParsedQuery] = []
    problems: list[Diagnostic] = []
    for line in notes.channels:
        if body and line is notes.channels[-1]:
            wrong = list(_mistakes(file, line, body, dialect))
            problems += wrong
            found += [] if wrong else [_of_select(file, line, notes, body)]
        else:
            found.append(_of_relation(file, line, notes))
    return tuple(found), problems


def _another_engine(file: SourceFile, line: Declared) -> Diagnostic:
    return Diagnostic(
        "E150",
        "MySQL and MariaDB have no notifications",
        (Label(file, line.span, "only PostgreSQL has LISTEN and NOTIFY"),),
        hint="remove the line: to tell other programs of a change, write a row that they poll",
    )


def _mistakes(
    file: SourceFile, line: Declared, body: Sequence[Token], dialect: Dialect
) -> Iterator[Diagnostic]:
    if body[0].text.upper() not in _SELECTS:
        yield Diagnostic(
            "E150",
            f"the payload of the channel `{line.channel}` must be a SELECT",
            (Label(file, body[0].span, "the statement below the `notify` line"),),
            hint="add `-- name: QueryName :command` if this is a query",
        )
    elif not _CLASS.fullmatch(line.payload):
        yield Diagnostic(
            "E150",
            f"`{line.payload}` cannot be the name of a class",
            (Label(file, line.payload_span, "the class of the rows of the SELECT below"),),
            hint="write a name such as `OrderChanged`; if the payload is a table, remove the "
            "SELECT, or name it by a `-- name:` line",
        )
    uses, found = find_uses(file, list(body), dialect)
    yield from found
    for use in uses[:1]:
        yield Diagnostic(
            "E150",
            "the payload of a channel cannot have parameters",
            (Label(file, use.span),),
            hint="select columns only: the SELECT declares their types and never runs",
        )


def _of_select(
    file: SourceFile, line: Declared, notes: Annotations, body: Sequence[Token]
) -> ParsedQuery:
    span = Span(body[0].start, body[-1].end)
    head = f"{_ROW}(\n"
    text = file.text[span.start : span.end]
    pieces = (
        (0, span.start, False),
        (len(head), span.start, True),
        (len(head) + len(text), span.end - 1, False),
    )
    sql = f"{head}{text}\n){_END}"
    return _query(file, line, sql, SourceMap(pieces), span, line.payload, notes)


def _of_relation(file: SourceFile, line: Declared, notes: Annotations) -> ParsedQuery:
    notes = replace(notes, doc=[])  # the text may describe another line, or the query below
    if line.payload == TEXT:
        where = SourceMap(((0, line.span.start, False),))
        return _query(
            file, line, "SELECT ''::text AS payload", where, line.payload_span, TEXT, notes
        )
    start = line.payload_span.start
    pieces = (
        (0, start, False),
        (len(_ROW), start, True),
        (len(_ROW) + len(line.payload), start, False),
    )
    sql = f"{_ROW}{line.payload}{_END}"
    name = "".join(word[:1].upper() + word[1:] for word in _words(line.channel))
    return _query(file, line, sql, SourceMap(pieces), line.payload_span, f"{name}Payload", notes)


def _query(
    file: SourceFile,
    line: Declared,
    sql: str,
    source_map: SourceMap,
    span: Span,
    payload: str,
    notes: Annotations,
) -> ParsedQuery:
    return ParsedQuery(
        file=file,
        name="_".join(("Notify", *_words(line.channel))),
        command=Command.MANY,
        sql=sql,
        source_map=source_map,
        name_span=line.span,
        span=span,
        doc=tuple(text.strip() for text in notes.doc if text.strip()),
        options=(("notify", line.channel), ("payload", payload)),
        ignores=tuple(notes.ignores),
    )


def _words(channel: str) -> list[str]:
    return re.findall(r"[^\W_]+", channel)
