"""Rewrite the parts of a query that depend on the types that the server infers.

`sqlc.narg(name) IS NULL OR name = sqlc.narg(name)` fails, because the server decides the type of a
parameter at its first occurrence, and the NULL test allows any type. The comparison shows the right
type, so the parameter in the test gets a cast to this type. A list of rows, `(a, b) IN
(sqlc.slice(pairs))`, is first sent to the server as one row of parameters. Arrays of the inferred
types then replace this row. A date in a cursor is read and sent as a text, because the drivers use
one value for `infinity` and for the last date of Python.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct, field
from msgspec.structs import replace

from aiosqlc.diagnostics import Diagnostic, Label
from aiosqlc.ir import ParsedQuery, SortKey, Variant
from aiosqlc.parse.keyset import KEY
from aiosqlc.parse.scanner import Kind, Token, scan
from aiosqlc.postgres.describe import Described, describe
from aiosqlc.servers.postgres.connection import Connection, ServerError
from aiosqlc.source import SourceMap

_AMBIGUOUS = "42P08"
_MOMENTS = {1082: "date", 1114: "timestamp", 1184: "timestamptz"}
_TYPE_NAMES = """
select t.oid, format_type(t.oid, null), t.typelem <> 0 and t.typlen = -1 or t.typtype = 'p'
from pg_type t where t.oid = any ($1::oid[])
"""


class Settled(Struct, frozen=True):
    """The rewritten queries, in the order in which they are sent to the server.

    `drafts` has, for each query with a list of rows, the server's description of the text with one
    row. `problems` are the errors of the queries that are left out.
    """

    queries: tuple[ParsedQuery, ...]
    drafts: dict[str, Described] = field(default_factory=dict)
    problems: tuple[Diagnostic, ...] = ()


class _Edit(Struct, frozen=True):
    start: int
    end: int
    text: str


class _Text(Struct, frozen=True):
    """The SQL text of a query or variant; `numbers` maps its parameters to those of the query."""

    query: ParsedQuery
    sql: str
    numbers: tuple[int, ...]

    def own(self, number: int) -> int:
        """Return the number that a parameter of this text has in the query."""
        return self.numbers[number - 1] if self.numbers else number


def settle(connection: Connection, queries: Sequence[ParsedQuery]) -> Settled:
    """Rewrite the parts of queries that depend on types; `prepare_session` must have run."""
    concerned = [
        query for query in queries if _rows(query) or _keys(query) or _may_be_tested(query)
    ]
    texts = [text for query in concerned for text in _texts(query)]
    if not texts:
        return Settled(tuple(queries))
    answers = list(describe(connection, [text.sql for text in texts]))
    tested = [
        _tests(text.sql) if _is_ambiguous(said) else []
        for text, said in zip(texts, answers, strict=True)
    ]
    again = [number for number, places in enumerate(tested) if places]
    drafts = [_edited(texts[n].sql, [replace(p, text="NULL") for p in tested[n]]) for n in again]
    for number, said in zip(again, list(describe(connection, drafts)), strict=True):
        answers[number] = said
    names = _type_names(connection, answers)
    written: dict[str, ParsedQuery] = {}
    refused: dict[str, Diagnostic] = {}
    first: dict[str, Described] = {}
    edits: dict[str, list[list[_Edit]]] = {}
    for text, said, places in zip(texts, answers, tested, strict=True):
        found: list[_Edit] = []
        if isinstance(said, Described):
            first.setdefault(text.query.name, said)
            found = [*_casts(places, said, names), *_lists(text, said, names)]
            found += _moments(text, said)
            if problem := _impossible(text, said, names):
                refused.setdefault(text.query.name, problem)
        edits.setdefault(text.query.name, []).append(found)
    for query in concerned:
        written[query.name] = _with_edits(query, edits[query.name])
    kept = tuple(written.get(q.name, q) for q in queries if q.name not in refused)
    rows = {
        query.name: first[query.name] for query in concerned if _rows(query) and query.name in first
    }
    return Settled(kept, rows, tuple(refused.values()))


def _texts(query: ParsedQuery) -> Iterator[_Text]:
    yield _Text(query, query.sql, ())
    for variant in query.variants:
        yield _Text(query, variant.sql, variant.numbers)


def _rows(query: ParsedQuery) -> dict[str, list[int]]:
    """Return a query's lists of rows by name, each with the parameter numbers of its columns."""
    found: dict[str, list[int]] = {}
    for param in query.params:
        if param.row:
            found.setdefault(param.row, []).append(param.number)
    return found


def _is_ambiguous(said: Described | ServerError) -> bool:
    return isinstance(said, ServerError) and said.state == _AMBIGUOUS


# --- tests for NULL -------------------------------------------------------------------------------


def _may_be_tested(query: ParsedQuery) -> bool:
    return any(len(param.spans) > 1 for param in query.params) and "NULL" in query.sql.upper()


def _tests(sql: str) -> list[_Edit]:
    """Find the places where a parameter without a cast is tested for NULL: `$1 IS NULL`."""
    tokens = [token for token in scan(sql) if token.kind is not Kind.COMMENT]
    return [
        _Edit(token.start, token.end, token.text)
        for position, token in enumerate(tokens)
        if token.kind is Kind.PARAM and _is_tested(tokens, position)
    ]


def _is_tested(tokens: Sequence[Token], position: int) -> bool:
    at = position + 1
    while at < len(tokens) and tokens[at].text == ")":
        at += 1
    words = [token.text.upper() for token in tokens[at : at + 3]]
    tested = words[:2] == ["IS", "NULL"] or words == ["IS", "NOT", "NULL"]
    return tested or words[:1] in (["ISNULL"], ["NOTNULL"])


def _casts(
    places: Iterable[_Edit], said: Described, names: dict[int, tuple[str, bool]]
) -> list[_Edit]:
    """Return the edits that add a cast to each parameter in a NULL test.

    The cast is to the type that the server infers from the parameter's other uses.
    """
    return [
        replace(place, text=f"{place.text}::{names[oid][0]}")
        for place in places
        if (oid := _oid(said, int(place.text[1:]))) in names
    ]


def _oid(said: Described, number: int) -> int:
    return said.param_oids[number - 1] if number <= len(said.param_oids) else 0


def _type_names(
    connection: Connection, answers: Iterable[Described | ServerError]
) -> dict[int, tuple[str, bool]]:
    """Return, by OID, the name of each parameter type, and whether the type has no array type."""
    oids = {oid for said in answers if isinstance(said, Described) for oid in said.param_oids}
    listed = "{" + ",".join(map(str, sorted(oids))) + "}"
    rows = connection.rows(_TYPE_NAMES, (listed,))
    return {int(str(oid)): (str(name), str(odd) == "t") for oid, name, odd in rows}


# --- lists of rows --------------------------------------------------------------------------------


def _lists(text: _Text, said: Described, names: dict[int, tuple[str, bool]]) -> Iterator[_Edit]:
    """Yield the edits that turn each list of rows into `SELECT * FROM unnest(…)`.

    Its arguments are array parameters, one for each column.
    """
    for columns in _rows(text.query).values():
        mine = [
            number for number in range(1, len(said.param_oids) + 1) if text.own(number) in columns
        ]
        if len(mine) < len(columns) or any(_oid(said, number) not in names for number in mine):
            continue
        mine.sort(key=text.own)
        drafted = f"({', '.join(f'${number}' for number in mine)})"
        arrays = ", ".join(f"${number}::{names[_oid(said, number)][0]}[]" for number in mine)
        at = text.sql.find(drafted)
        while at >= 0:
            yield _Edit(at, at + len(drafted), f"SELECT * FROM unnest({arrays})")  # noqa: S608 - numbers and the names of types
            at = text.sql.find(drafted, at + 1)


def _impossible(
    text: _Text, said: Described, names: dict[int, tuple[str, bool]]
) -> Diagnostic | None:
    """Return the error for a list of rows if a column's type has no array type."""
    for number, oid in enumerate(said.param_oids, 1):
        param = next((p for p in text.query.params if p.number == text.own(number) and p.row), None)
        if param and names.get(oid, ("", True))[1]:
            return Diagnostic(
                "E313",
                f"`{param.row}` cannot be a list of rows: a column has the type {names[oid][0]}",
                (Label(text.query.file, param.spans[0]),),
                "compare that column separately, or pass arrays to `unnest` in a join",
            )
    return None


# --- dates in cursors -----------------------------------------------------------------------------


def _keys(query: ParsedQuery) -> tuple[SortKey, ...]:
    return query.paging.keys if query.paging else ()


def _moments(text: _Text, said: Described) -> Iterator[_Edit]:
    """Yield the edits that read and send the sort keys that are dates or timestamps as texts."""
    keys = _keys(text.query)
    heads = (said.columns or ())[-len(keys) :] if keys else ()
    hidden = {
        f"{KEY}{place}": (key, _MOMENTS[head.type_oid])
        for place, (key, head) in enumerate(zip(keys, heads, strict=False), 1)
        if head.type_oid in _MOMENTS
    }
    if not hidden:
        return
    sent = {key.number: kind for key, kind in hidden.values()}
    tokens = [token for token in scan(text.sql) if token.kind is not Kind.COMMENT]
    ordered = max(at for at, token in enumerate(tokens) if token.text == "ORDER")
    for at, token in enumerate(tokens):
        before = tokens[at - 1]
        if token.kind is Kind.PARAM and (kind := sent.get(text.own(int(token.text[1:])))):
            yield _Edit(token.start, token.end, f"{token.text}::text::{kind}")
        elif token.text in hidden and at > ordered:
            key, kind = hidden[token.text]  # with the cast it is not the name of an output column
            yield _Edit(token.start, token.end, f"{key.sql}::{kind}")
        elif token.text in hidden and before.text == "AS":
            yield _Edit(tokens[at - 2].end, before.end, "::text AS")


# --- texts ----------------------------------------------------------------------------------------


def _edited(sql: str, edits: Sequence[_Edit]) -> str:
    for edit in sorted(edits, key=lambda edit: -edit.start):
        sql = sql[: edit.start] + edit.text + sql[edit.end :]
    return sql


def _with_edits(query: ParsedQuery, edits: Sequence[Sequence[_Edit]]) -> ParsedQuery:
    """Return a query with edits applied to its text and to each variant."""
    if not any(edits):
        return query
    own, *others = edits
    variants = tuple(
        _variant(variant, mine) for variant, mine in zip(query.variants, others, strict=True)
    )
    embeds = tuple(
        replace(embed, sql_offset=_moved(embed.sql_offset, own)) for embed in query.embeds
    )
    return replace(
        query,
        sql=_edited(query.sql, own),
        source_map=_mapped(query.source_map, own),
        embeds=embeds,
        variants=variants,
    )


def _variant(variant: Variant, edits: Sequence[_Edit]) -> Variant:
    sql, source_map = _edited(variant.sql, edits), _mapped(variant.source_map, edits)
    return replace(variant, sql=sql, source_map=source_map)


def _moved(offset: int, edits: Sequence[_Edit]) -> int:
    """Return the offset in the edited text for an offset in the original text."""
    return offset + sum(
        len(edit.text) - (edit.end - edit.start) for edit in edits if edit.end <= offset
    )


def _mapped(source_map: SourceMap, edits: Sequence[_Edit]) -> SourceMap:
    """Return the offset map of an edited text.

    Inserted text maps to the first replaced character.
    """
    starts = {_moved(out, edits): (src, copied) for out, src, copied in source_map.pieces}
    for edit in edits:
        start = _moved(edit.start, edits)
        starts[start] = (source_map.to_source(edit.start), False)
        end = _moved(edit.end, edits)
        starts.setdefault(end, (source_map.to_source(edit.end), True))
    return SourceMap(tuple((out, *starts[out]) for out in sorted(starts)))
