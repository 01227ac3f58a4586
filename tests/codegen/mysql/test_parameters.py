"""Parameters: their types and names from where they stand, and whether None means something."""

from __future__ import annotations

import pytest

from tests.codegen.mysql.conftest import SCHEMA, only


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT id FROM a WHERE name = ?", "name varchar"),
        ("SELECT id FROM a WHERE ? = st", "st a_st"),
        ("SELECT id FROM a WHERE bio = ?", "bio text"),
        ("SELECT grp, max(d) AS m FROM a GROUP BY grp HAVING m > ?", "p1 decimal"),
        ("SELECT id FROM a WHERE grp BETWEEN ? AND ?", "from_grp int, to_grp int"),
        ("SELECT id FROM a WHERE (name, grp) = (?, ?)", "name varchar, grp int"),
        ("SELECT id FROM a WHERE id IN (sqlc.slice(ids))", "ids bigint[]"),
        ("SELECT id FROM a WHERE (name, grp) IN (sqlc.slice(x))", "x varchar[], x[1] int[]"),
        ("SELECT id FROM a WHERE name LIKE concat(?, '%')", "p1 varchar"),
        ("SELECT id FROM a WHERE at > now() - INTERVAL ? DAY", "p1 bigint"),
        ("SELECT id FROM a WHERE mod(id, ?) = 1", "id bigint"),
        ("SELECT id FROM a WHERE sqlc.arg(all) OR grp = ?", "all tinyint(1), grp int"),
        ("SELECT id FROM a LIMIT ? OFFSET ?", "limit bigint, offset bigint"),
        ("SELECT id FROM a LIMIT ?, ?", "offset bigint, limit bigint"),
        ("SELECT CAST(? AS DATE), CAST(? AS DECIMAL(5, 2))", "p1 date, p2 decimal"),
        ("SELECT max(id) FROM a GROUP BY st HAVING max(grp) < ?", "grp int"),
        ("SELECT id FROM a WHERE EXISTS (SELECT 1 FROM b WHERE b.code = ?)", "code varchar"),
        ("SELECT id FROM a WHERE id = (SELECT aid FROM b WHERE b.id = ?)", "id int"),
        (
            "INSERT INTO a (name, bio, at, grp) VALUES (?, ?, ?, 1)",
            "name varchar, bio text?, at datetime",
        ),
        ("INSERT INTO b VALUES (?, 1, ?, ?, ?)", "id int, title text, note text?, code varchar?"),
        ("INSERT INTO b (id, aid, title) SELECT ?, id, '' FROM a LIMIT ?", "id int, limit bigint"),
        (
            "INSERT INTO b (id, aid, title) VALUES (?, 1, 'x') ON DUPLICATE KEY UPDATE note = ?",
            "id int, note text?",
        ),
        ("REPLACE INTO b SET id = ?, title = ?, aid = 1", "id int, title text"),
        ("UPDATE a SET bio = ?, d = d + ? WHERE id = ?", "bio text?, d decimal, id bigint"),
        ("UPDATE a SET bio = coalesce(?, bio)", "bio text?"),
        ("UPDATE a JOIN b ON b.aid = a.id SET a.bio = ? WHERE b.id = ?", "bio text?, id int"),
        ("DELETE a FROM a JOIN b ON b.aid = a.id WHERE b.note = ?", "note text"),
        ("UPDATE a SET bio = sqlc.arg(x) WHERE name = sqlc.arg(x)", "x text?"),
        ("SELECT name FROM a UNION SELECT ?", "name varchar"),
        ("SELECT id FROM a WHERE ? IS NULL OR name = ?", "p1 any?, name varchar"),
        ("SELECT id FROM a WHERE isnull(?) OR name = ?", "p1 any?, name varchar"),
        ("SELECT id FROM a WHERE sqlc.arg(x) IS NULL OR name = sqlc.arg(x)", "x varchar?"),
        ("SELECT id FROM a WHERE ? <=> NULL AND (? IS NOT TRUE)", "p1 any?, p2 tinyint(1)?"),
        (
            "UPDATE a SET name = CASE WHEN ? IS NOT NULL THEN ? ELSE name END",
            "p1 any?, name varchar?",
        ),
        ("SELECT if(? IS NULL, 'a', 'b') AS x FROM a", "p1 any?"),
        ("SELECT id FROM a WHERE ? IN (SELECT aid FROM b)", "aid bigint"),
        ("SELECT id FROM a WHERE ? = ANY (SELECT b.note FROM b)", "note text"),
        ("SELECT id FROM a WHERE (?, ?) IN (SELECT id, title FROM b)", "id int, title text"),
        (
            "SELECT id FROM a WHERE (SELECT coalesce(sum(b.aid), 0) FROM b WHERE b.id = a.id) <= ?",
            "p1 decimal",
        ),
        ("SELECT id FROM a WHERE coalesce(d, 0) > ?", "d decimal"),
        ("SELECT id FROM a WHERE if(id, grp, 1e0) < ?", "p1 double"),
    ],
)  # fmt: skip
def test_a_parameter_is_typed_by_its_place(either, sql, expected) -> None:
    query = only(either(SCHEMA, f"-- name: Q :{'many' if sql[0] == 'S' else 'exec'}\n{sql};"))
    shown = [
        f"{p.name} {p.type.name}{'(1)' if p.type.length == 1 else ''}"
        f"{'[]' if p.type.array_dims else ''}{'' if p.not_null else '?'}"
        for p in query.params
    ]
    assert ", ".join(shown) == expected


def test_how_well_a_text_matches_is_a_number(either) -> None:
    schema = "CREATE TABLE a (id int PRIMARY KEY, bio text NOT NULL, FULLTEXT (bio));"
    sql = "-- name: Q :many\nSELECT id FROM a WHERE MATCH (bio) AGAINST (?) > sqlc.arg(least);"
    query = only(either(schema, sql))
    assert [(p.name, p.type.name) for p in query.params] == [("bio", "text"), ("least", "double")]


def test_a_parameter_that_nothing_types_is_answered_with_the_cast(either) -> None:
    _, problems = either(SCHEMA, "-- name: Q :many\nSELECT ? FROM a;")
    (problem,) = [p for p in problems if p.code == "E313"]
    assert "CAST(? AS CHAR)" in problem.hint


@pytest.mark.parametrize(
    "sql",
    ["SELECT sqlc.arg(x) FROM a WHERE sqlc.arg(x) IS NULL", "SELECT id FROM a WHERE ? = ?"],
)
def test_that_it_may_be_null_does_not_type_what_something_else_takes(either, sql) -> None:
    _, problems = either(SCHEMA, f"-- name: Q :many\n{sql};")
    assert {problem.code for problem in problems} >= {"E313"}


def test_two_types_for_one_parameter_are_shown_both(either) -> None:
    sql = "-- name: Q :many\nSELECT id FROM a WHERE name = sqlc.arg(x) AND grp = sqlc.arg(x);"
    _, problems = either(SCHEMA, sql)
    (problem,) = [p for p in problems if p.code == "E314"]
    assert [label.text for label in problem.labels] == ["varchar here", "int here"]


def test_a_dynamic_query_is_typed_in_every_text(compile_) -> None:
    sql = """-- name: Q :many
SELECT id, bio FROM a
WHERE grp > 0
  AND bio = sqlc.arg(bio) -- :if bio
;"""
    query = only(compile_(SCHEMA, sql))
    assert [variant.key for variant in query.variants] == [(1,), (0,)]
    assert [column.not_null for column in query.columns] == [True, False]
