"""A text that is assembled from pieces equals the text in a list of all variants."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from aiosqlc.ir import ParsedQuery
from aiosqlc.parse import variants
from aiosqlc.parse.queries import parse_file
from aiosqlc.parse.scanner import Kind, scan
from aiosqlc.plan.choice import without_blank_lines
from aiosqlc.plan.pieces import independent_pieces_of, numbered
from aiosqlc.source import Dialect, SourceFile
from hypothesis import given
from hypothesis import strategies as st

CONDITIONS = (
    "t.c{n} = @p{n}",
    "t.c{n} BETWEEN @p{n} AND @q{n}",
    "(t.c{n} = @p{n} OR t.c{n} IS NULL)",
    "NOT t.c{n} AND t.d{n} > @p{n}",
    "t.c{n} IN (SELECT x FROM y WHERE z = @p{n} AND w)",
    "CASE WHEN t.c{n} AND t.d{n} OR t.e{n} THEN @p{n} END",
    "t.c{n}\n    = @p{n}",
    "t.c{n} || 'x' = @p{n} || t.d{n}",
    "t.c{n} = 'AND' AND t.\"or\" <> @p{n}",
)
FIRST = ("", "t.tenant = @tenant", "t.a = 1 AND t.b BETWEEN 1 AND 2")
ENDS = ("", "\nGROUP BY t.id", "\nORDER BY t.id -- :sort t.id, t.name desc", "\nLIMIT @size")


def parse(text: str) -> ParsedQuery:
    (query,), problems = parse_file(SourceFile(Path("q.sql"), text), Dialect.POSTGRESQL)
    assert problems == []
    return query


def text_of(first: str, conditions: Sequence[int], end: str) -> str:
    lines = [first] if first else []
    for number, kind in enumerate(conditions):
        joint = "AND " if lines else ""
        condition = f"{joint}{CONDITIONS[kind].format(n=number)}"
        given_ = f"p{number}, q{number}" if "@q" in condition else f"p{number}"
        block = "\n" in condition
        lines.append(
            f"-- :if {given_}\n{condition}\n-- :end" if block else f"{condition} -- :if {given_}"
        )
    body = "\n  ".join(lines)
    body = f"\n{body}" if body.startswith("--") else body  # a directive on a line of its own
    return f"-- name: Q :many\nSELECT t.id FROM t\nWHERE {body}{end}\n;\n"


def tokens(sql: str) -> list[str]:
    """Return the tokens of a text without the TRUE that stands for an absent condition."""
    sql = re.sub(r"WHERE TRUE\s+AND ", "WHERE ", sql)
    sql = re.sub(r"\s*WHERE TRUE(?=\s*$|\s+(GROUP|ORDER|LIMIT))", "", sql)
    return [token.text for token in scan(sql) if token.kind is not Kind.COMMENT]


@given(
    st.sampled_from(FIRST),
    st.lists(st.integers(0, len(CONDITIONS) - 1), min_size=9, max_size=12),
    st.sampled_from(ENDS),
    st.randoms(use_true_random=False),
)
def test_each_combination_is_assembled_as_if_it_were_listed(
    first: str, conditions: list[int], end: str, chance: random.Random
) -> None:
    text = text_of(first, conditions, end)
    query = parse(text)
    assert sum(part.independent for part in query.dynamic) == len(conditions)
    assert len(query.variants) == (len(conditions) + 2) * (2 if ":sort" in end else 1)
    names = [f"s{at}" for at in range(len(query.dynamic))]
    texts = {}
    for variant in query.variants:
        own = re.sub(r"\$(\d+)", lambda m, v=variant: f"${v.numbers[int(m[1]) - 1]}", variant.sql)
        key = tuple(
            part.choices[at] if part.kind == "sort" else bool(at)
            for part, at in zip(query.dynamic, variant.key, strict=True)
        )
        texts[key] = without_blank_lines(own, Dialect.POSTGRESQL)
    alone = [at for at, part in enumerate(query.dynamic) if part.independent]
    pieces = independent_pieces_of(texts, names, alone)
    assert pieces
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(variants, "LIMIT", 10**9)
        patch.setattr(variants, "_keys", lambda *_: iter(asked))
        asked = [tuple(chance.randrange(2) for _ in query.dynamic) for _ in range(20)]
        asked.insert(0, tuple(0 if part.kind == "sort" else 1 for part in query.dynamic))
        listed = parse(text.replace("FROM t\n", "FROM t \n"))
    for variant in listed.variants:
        scope = {f"s{at}": bool(on) for at, on in enumerate(variant.key)}
        built = "".join(
            "".join(
                query.dynamic[part].choices[variant.key[part]] if isinstance(part, int) else part
                for part in piece.parts
            )
            for piece in pieces
            if not piece.condition or eval(piece.condition, scope)
        )
        assert tokens(numbered(built)) == tokens(variant.sql)


BODY = "".join(f"\n  AND t.x{n} = @x{n} -- :if x{n}" for n in range(8))
DEPENDENT = [
    ("joined by OR", f"SELECT 1 FROM t WHERE t.a{BODY}\n  OR t.y = @y -- :if y\n"),
    ("in a group", f"SELECT 1 FROM t WHERE t.a{BODY}\n  AND (t.z OR\n t.y = @y -- :if y\n)"),
    ("in ON", f"SELECT 1 FROM t JOIN u ON t.b\n  AND u.y = @y -- :if y\nWHERE t.a{BODY}\n"),
    ("in HAVING", f"SELECT 1 FROM t WHERE t.a{BODY}\nHAVING t.y = @y -- :if y\n"),
    ("in a subquery", f"SELECT (SELECT 1 WHERE z\nAND y = @y -- :if y\n) FROM t WHERE t.a{BODY}\n"),
    ("of a union", f"SELECT 1 UNION SELECT 1 FROM t WHERE t.a{BODY}\n  AND t.y = @y -- :if y\n"),
    ("in EXCEPT", f"SELECT 1 FROM t WHERE t.a{BODY}\n  AND t.y = @y -- :if y\nEXCEPT SELECT 1"),
    ("with a shared parameter", f"SELECT @y FROM t WHERE t.a{BODY}\n  AND t.y = @y -- :if y\n"),
    (
        "with a parameter of another part",
        f"SELECT 1 FROM t WHERE t.a{BODY}\n  AND t.y = @y AND t.z = @x1 -- :if y\n",
    ),
    ("half of BETWEEN", f"SELECT 1 FROM t WHERE t.a{BODY}\n AND t.y BETWEEN 1\n AND @y -- :if y\n"),
    ("of an INSERT", f"INSERT INTO u SELECT 1 FROM t WHERE t.a{BODY}\n  AND t.y = @y -- :if y\n"),
    ("in WITH", f"WITH w AS (SELECT 1 FROM u\nWHERE u.y = @y -- :if y\n) SELECT 1 WHERE a{BODY}\n"),
]  # fmt: skip


@pytest.mark.parametrize(("dialect", "code"), [(Dialect.POSTGRESQL, []), (Dialect.MYSQL, ["E133"])])
def test_two_bars_are_a_disjunction_in_mysql_only(dialect: Dialect, code: list[str]) -> None:
    text = f"SELECT 1 FROM t WHERE t.a{BODY}\n  AND t.y || 'x' = @y -- :if y\n"
    text = re.sub(r"@(\w+)", r"sqlc.arg(\1)", text)
    text = f"-- name: Q :many\n{text};\n"
    _, problems = parse_file(SourceFile(Path("q.sql"), text), dialect)
    assert [item.code for item in problems] == code


@pytest.mark.parametrize(("why", "text"), DEPENDENT, ids=[why for why, _ in DEPENDENT])
def test_a_condition_that_is_not_independent_is_checked_in_every_combination(
    why: str, text: str
) -> None:
    file = SourceFile(Path(f"{why}.sql"), f"-- name: Q :many\n{text};\n")
    queries, problems = parse_file(file, Dialect.POSTGRESQL)
    if problems:
        assert [item.code for item in problems] == ["E133"]
        return
    [query] = queries
    (at,) = (at for at, part in enumerate(query.dynamic) if part.name == "y")
    assert not query.dynamic[at].independent
    others = {(*key[:at], *key[at + 1 :]) for key in (v.key for v in query.variants)}
    assert len(query.variants) == 2 * len(others)
    shared = why == "with a parameter of another part"  # the other part is not independent either
    assert len(others) == (18 if shared else 10)


def test_twenty_filters_need_twenty_two_texts_and_few_switches_are_listed() -> None:
    lines = "".join(f"\n  AND t.x{n} = @x{n} -- :if x{n}" for n in range(20))
    assert len(parse(f"-- name: Q :many\nSELECT 1 FROM t WHERE t.a{lines}\n;").variants) == 22
    few = "".join(f"\n  AND t.x{n} = @x{n} -- :if x{n}" for n in range(8))
    query = parse(f"-- name: Q :many\nSELECT 1 FROM t WHERE t.a{few}\n;")
    assert len(query.variants) == 256
    assert not any(part.independent for part in query.dynamic)
