"""Embedded rows are optional as a whole; a dynamic query has only facts of all its texts."""

from __future__ import annotations

from aiosqlc.ir import Cardinality, Embed, Variant
from aiosqlc.source import Span
from msgspec.structs import replace

from tests.postgres.asking import TABLES, query, run


def test_an_embedded_row_is_optional_where_an_outer_join_can_leave_it_out() -> None:
    sql = "select a.*, b.* from a left join b on b.aid = a.id"
    embeds = (Embed("a", Span(7, 10), 7), Embed("b", Span(12, 15), 12))
    analysis, _ = run(TABLES, [replace(query(sql), embeds=embeds)])
    first, second = analysis.queries[0].embeds
    assert (first.first, first.count, first.nullable, first.table.table) == (0, 6, False, "a")
    assert (second.first, second.count, second.nullable, second.presence) == (6, 5, True, 6)
    fields = [c.not_null for c in analysis.queries[0].columns[6:]]
    assert fields == [True, True, False, True, False]  # as in a row that is there


def test_an_embedded_row_is_there_where_a_condition_needs_it() -> None:
    sql = "select b.* from a left join b on b.aid = a.id where b.x > 0"
    asked = replace(query(sql), embeds=(Embed("b", Span(7, 10), 7),))
    analysis, _ = run(TABLES, [asked])
    assert analysis.queries[0].embeds[0].nullable is False


def test_a_claim_must_hold_in_every_variant() -> None:
    sql = "select id, bio from a where id = $1 and bio = $2"
    variants = (
        Variant((1, 1), sql, (1, 2)),
        Variant((1, 0), "select id, bio from a where id = $1", (1,)),
        Variant((0, 1), "select id, bio from a where bio = $1", (2,)),
    )
    analysis, problems = run(TABLES, [replace(query(sql), variants=variants)])
    assert problems == ()
    typed = analysis.queries[0]
    assert [c.not_null for c in typed.columns] == [True, False]
    assert typed.cardinality is Cardinality.MANY


def test_a_mistake_in_several_variants_is_said_once() -> None:
    sql = "select nope from a where id = $1"
    variants = (Variant((1,), sql, (1,)), Variant((0,), "select nope from a", ()))
    _, problems = run(TABLES, [replace(query(sql), variants=variants)])
    assert [p.code for p in problems] == ["E311"]
