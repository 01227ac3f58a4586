"""The text of an expanded query, and the places to which its positions map."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from aiosqlc.analysis.checks import concerns
from aiosqlc.diagnostics import Diagnostic, Label
from aiosqlc.ir import ParsedQuery
from aiosqlc.messages.render import render
from aiosqlc.parse.queries import parse_files
from aiosqlc.parse.scanner import Kind, scan
from aiosqlc.source import Dialect, ExpandedFile, SourceFile, Span

FRAGMENTS = """\
-- Rows that a reader may see.
-- fragment: visible(t)
t.gone IS NULL -- not deleted
AND (t.open OR t.owner = @reader);

-- fragment: newer(t, moment)
t.made > moment;

-- fragment: both(t)
sqlc.include(visible, t) AND sqlc.include(newer, t, @since);

-- fragment: columns(t)
t.id, t.name;
-- fragment: holds(t, value)
t.tags@>value;
-- fragment: filters(t)
t.a = @a -- :if a
AND t.b = @b -- :if b
AND t.c;
"""

TEXTS = [
    ("SELECT 1 FROM x WHERE sqlc.include(newer, x, 'a')", "SELECT 1 FROM x WHERE (x.made > 'a')"),
    ("SELECT 1 FROM x WHERE (SQLC.INCLUDE(newer, x, 1))", "SELECT 1 FROM x WHERE (x.made > 1)"),
    ("SELECT sqlc.include(columns, a.b) FROM a", "SELECT a.b.id, a.b.name FROM a"),
    ('SELECT sqlc.include(columns, "A b")', 'SELECT "A b".id, "A b".name'),
    (
        "SELECT 'sqlc.include(columns, a)' -- sqlc.include(columns)",
        "SELECT 'sqlc.include(columns, a)'",
    ),
    (
        "SELECT 1 WHERE sqlc.include(both, x) AND y = @y",
        "SELECT 1 WHERE ((x.gone IS NULL\nAND (x.open OR x.owner = $1)) AND (x.made > $2)) AND y = $3",  # noqa: E501
    ),
    (
        "SELECT 1 FROM x WHERE sqlc.include(newer, x, -5) AND sqlc.include(newer, x, @reader)",
        "SELECT 1 FROM x WHERE (x.made > (-5)) AND (x.made > $1)",
    ),
    ("SELECT sqlc.include(holds, x, @tag)", "SELECT (x.tags@> $1)"),
    ("SELECT f(sqlc.include(columns, a), 1)", "SELECT f(a.id, a.name, 1)"),
]


def parse(
    text: str, fragments: str = FRAGMENTS, dialect: Dialect = Dialect.POSTGRESQL
) -> tuple[tuple[ParsedQuery, ...], list[Diagnostic]]:
    files = [SourceFile(Path("q.sql"), text), SourceFile(Path("fragments.sql"), fragments)]
    queries, problems = parse_files(files, dialect)
    return queries, [item for item in problems if item.code != "E147"]


def query_of(body: str) -> ParsedQuery:
    (query,), problems = parse(f"-- name: Q :many\n{body};\n")
    assert problems == []
    return query


@pytest.mark.parametrize(("body", "sql"), TEXTS)
def test_an_include_becomes_the_text_of_its_fragment(body: str, sql: str) -> None:
    assert query_of(body).sql == sql


def test_a_query_stays_at_its_place_and_its_tokens_lead_into_the_fragments() -> None:
    query = query_of("SELECT x.id FROM x WHERE sqlc.include(both, x) AND x.z = @zero")
    file = query.file
    assert isinstance(file, ExpandedFile)
    assert file.text[query.span.start : query.span.end].startswith("SELECT x.id")
    assert file.text[query.span.start : query.span.end].endswith("x.z = @zero")
    assert file.text[query.name_span.start : query.name_span.end] == "Q"
    assert [query.spelled(param.number) for param in query.params] == ["@reader", "@since", "@zero"]
    for token in scan(query.sql):
        if token.kind is Kind.NAME:
            place, span, _ = file.place(query.source_map.over(token.span))
            stands = place.text[span.start : place.text.find(".", span.start)]
            assert place.text[span.start : span.end] == token.text or stands == "t"
    calls = {
        word: [
            f"{where.path}:{where.line_col(at.start)[0]}"
            for where, at, _ in (file.place(call) for call in file.place(span)[2])
        ]
        for word in ("gone", "made", "z")
        for span in [query.source_map.over(Span(query.sql.index(word), query.sql.index(word) + 1))]
    }
    assert calls == {
        "gone": ["q.sql:2", "fragments.sql:10"],
        "made": ["q.sql:2", "fragments.sql:10"],
        "z": [],
    }


def test_the_sort_keys_of_a_page_stay_at_their_places() -> None:
    text = """-- name: P :page
SELECT x.id FROM x WHERE sqlc.include(newer, x, @since) AND sqlc.include(visible, x)
ORDER BY sqlc.include(columns, x), x.made;
"""
    (query,), problems = parse(text)
    assert problems == []
    assert query.paging is not None
    places = [placed(query, key.span) for key in query.paging.keys]
    last = text.index("x.made")
    assert places == [
        ("fragments.sql", FRAGMENTS.index("t.id, t.name")),
        ("fragments.sql", FRAGMENTS.index("t.name")),
        ("q.sql", last),
    ]
    (probe,) = query.paging.probes
    assert placed(query, Span(probe.source_map.to_source(0), 1)) == places[0]


def placed(query: ParsedQuery, span: Span) -> tuple[str, int]:
    """Return the name of the file that shows a span of a query, and the offset there."""
    assert isinstance(query.file, ExpandedFile)
    file, shown, _ = query.file.place(span)
    return file.path.name, shown.start


def test_a_label_in_a_fragment_is_shown_there_and_concerns_the_query() -> None:
    text = "-- name: P :many\nSELECT 1;\n-- name: Q :many\nSELECT 1 FROM x\n"
    (other, query), _ = parse(f"{text}WHERE sqlc.include(both, x);")
    at = query.source_map.to_source(query.sql.index("owner"))
    item = Diagnostic("E310", "no column", (Label(query.file, Span(at, at + 5)),))
    assert concerns(item, query)
    assert not concerns(item, other)
    assert render(item) == (
        "error[E310]: no column\n"
        "  ┌─ fragments.sql:4:18\n"
        "4 │ AND (t.open OR t.owner = @reader);\n"
        "  │                  ^^^^^\n"
        "  │ note: included from fragments.sql:10\n"
        "  └─ note: included from q.sql:5\n"
    )
    alias = query.source_map.to_source(query.sql.index("x.open"))
    assert query.file.text[alias:].startswith("t.open")


def test_a_value_leads_to_the_argument() -> None:
    query = query_of("SELECT 1 FROM x WHERE sqlc.include(newer, x, 'then')")
    value = query.source_map.to_source(query.sql.index("'then'"))
    assert query.file.text[value:].startswith("'then')")


def test_directives_of_a_fragment_are_directives_of_the_query() -> None:
    query = query_of("SELECT 1 FROM x\nWHERE y = @y -- :if y\nAND sqlc.include(filters, x)")
    assert [part.name for part in query.dynamic] == ["y", "a", "b"]
    assert len(query.variants) == 8
    assert " ".join(query.variants[-1].sql.split()) == "SELECT 1 FROM x WHERE ( x.c )"
    file = query.file
    assert isinstance(file, ExpandedFile)
    assert all(part.span.end <= file.length for part in query.dynamic)


def test_a_directive_behind_an_include_removes_all_of_it() -> None:
    query = query_of("SELECT 1 FROM x WHERE z\nAND sqlc.include(visible, x) -- :if reader\n")
    assert query.variants[-1].sql == "SELECT 1 FROM x WHERE z"
    assert len(query.variants) == 2


@pytest.mark.parametrize("dialect", Dialect)
def test_only_queries_that_include_a_changed_fragment_change(dialect: Dialect) -> None:
    text = "".join(
        f"-- name: {name} :many\nSELECT * FROM x WHERE sqlc.include({fragment}, x);\n"
        for name, fragment in (("A", "first"), ("B", "second"), ("C", "first"))
    )
    fragments = "-- fragment: first(t)\nt.a = 1;\n-- fragment: second(t)\nt.b = 1;\n"
    before, _ = parse(text, fragments, dialect)
    after, _ = parse(text, fragments.replace("t.a = 1", "t.a = 222"), dialect)
    changed = [
        new.name for old, new in zip(before, after, strict=True) if old.question != new.question
    ]
    assert changed == ["A", "C"]
    assert [query.span for query in before] == [query.span for query in after]


def test_positions_in_a_file_are_those_of_the_user_for_every_query() -> None:
    text = "".join(
        f"-- name: Q{number} :many\nSELECT {number}, sqlc.include(columns, x) FROM x;\n\n"
        for number in range(5)
    )
    queries, _ = parse(text)
    assert [text[query.name_span.start : query.name_span.end] for query in queries] == [
        f"Q{number}" for number in range(5)
    ]
    assert all(one.span.end < other.name_span.start for one, other in pairwise(queries))
    assert {text[query.span.start : query.span.end][:8] for query in queries} == {
        f"SELECT {number}" for number in range(5)
    }


def test_includes_that_multiply_are_refused() -> None:
    doubled = "".join(
        f"-- fragment: f{number}\nsqlc.include(f{number + 1}) OR sqlc.include(f{number + 1});\n"
        for number in range(30)
    )
    queries, problems = parse(
        "-- name: Q :many\nSELECT 1 WHERE sqlc.include(f0);\n-- name: R :many\nSELECT 1;\n",
        f"{doubled}-- fragment: f30\ntrue;\n",
    )
    assert [query.name for query in queries] == ["R"]
    assert [item.code for item in problems] == ["E144"]


def test_a_file_may_include_fragments_any_number_of_times() -> None:
    text = "".join(
        f"-- name: Q{number} :many\nSELECT 1 FROM x WHERE sqlc.include(newer, x, {number});\n"
        for number in range(1001)
    )
    queries, problems = parse(text)
    assert problems == []
    assert len(queries) == 1001
