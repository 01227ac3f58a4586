"""Row counts of queries: proved, and never guessed."""

from __future__ import annotations

import pytest
from aiosqlc.ir import Cardinality

from tests.mysql.conftest import SCHEMA, only

ONE, AT_MOST, SOME, MANY = (
    Cardinality.ONE,
    Cardinality.ZERO_OR_ONE,
    Cardinality.SOME,
    Cardinality.MANY,
)


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT * FROM a WHERE id = ?", AT_MOST),
        ("SELECT * FROM a WHERE id IN ((?))", AT_MOST),
        ("SELECT * FROM a WHERE (id, id) IN (sqlc.slice(pairs))", MANY),
        ("SELECT * FROM a WHERE (id, name) IN (sqlc.slice(pairs))", MANY),
        ("SELECT * FROM a WHERE id IN (sqlc.slice(ids))", MANY),
        ("SELECT * FROM a WHERE id = ? OR grp = 1", MANY),
        ("SELECT * FROM a WHERE name = ? AND grp = ?", AT_MOST),
        ("SELECT * FROM a WHERE (name, grp) = (?, ?)", AT_MOST),
        ("SELECT * FROM a WHERE name = ?", MANY),
        ("SELECT * FROM b WHERE code = ?", AT_MOST),
        ("SELECT * FROM b WHERE code <=> ?", MANY),  # many rows have no code
        ("SELECT * FROM b WHERE code = 5", MANY),  # compared as numbers: '5' and '5.0'
        ("SELECT * FROM b WHERE id = '5'", MANY),
        ("SELECT * FROM c WHERE pre = ?", MANY),  # the key is on a prefix
        ("SELECT * FROM c WHERE k = ? COLLATE utf8mb4_general_ci", MANY),
        ("SELECT b.id FROM a JOIN b ON b.id = a.grp WHERE a.id = ?", AT_MOST),
        ("SELECT b.id FROM a LEFT JOIN b ON b.id = a.grp WHERE a.id = ?", AT_MOST),
        ("SELECT b.id FROM a LEFT JOIN b ON b.id = a.grp AND a.id = ?", MANY),
        ("SELECT b.id FROM a LEFT JOIN b ON b.aid = a.id WHERE a.id = ?", MANY),
        ("SELECT c.k FROM b JOIN c ON c.k = b.code WHERE b.id = ?", MANY),  # other collations
        ("SELECT count(*) FROM a", ONE),
        ("SELECT count(*) FROM a HAVING count(*) > 1", AT_MOST),
        ("SELECT count(*) FROM a GROUP BY grp", MANY),
        ("SELECT grp, count(*) FROM a WHERE id = ? GROUP BY grp WITH ROLLUP", MANY),
        ("SELECT id FROM a ORDER BY id LIMIT 1", AT_MOST),
        ("SELECT id FROM a LIMIT 2", MANY),
        ("SELECT id FROM a ORDER BY id FETCH FIRST ROW ONLY", AT_MOST),
        ("SELECT id FROM a ORDER BY id OFFSET 2 ROWS FETCH NEXT 1 ROW ONLY", AT_MOST),
        ("SELECT id FROM a ORDER BY grp FETCH FIRST ROW WITH TIES", MANY),
        ("SELECT id FROM a ORDER BY id FETCH FIRST 2 ROWS ONLY", MANY),
        ("SELECT 1", ONE),
        ("SELECT 1 LIMIT 0", AT_MOST),
        ("SELECT 1 UNION ALL SELECT 2", SOME),
        ("SELECT t.n FROM (SELECT count(*) AS n FROM a) t", ONE),
        ("INSERT INTO b (id, aid, title) VALUES (?, ?, ?) RETURNING id", ONE),
        ("INSERT IGNORE INTO b (id, aid, title) VALUES (?, ?, ?) RETURNING id", AT_MOST),
        ("INSERT INTO b (id, aid, title) VALUES (1, 1, ''), (2, 1, '') RETURNING id", SOME),
        ("INSERT INTO b (id, aid, title) SELECT COUNT(*), 1, '' FROM a RETURNING id", ONE),
        ("INSERT INTO b (id, aid, title) SELECT id, 1, '' FROM a RETURNING id", MANY),
        ("SELECT q.id FROM (SELECT id FROM a WHERE id = 9) q", AT_MOST),
        ("SELECT q.x FROM (SELECT 1 AS x) q JOIN (SELECT 2 AS x) r ON q.x = r.x", AT_MOST),
        ("SELECT COUNT(*) AS n FROM a EXCEPT SELECT COUNT(*) FROM b", AT_MOST),
        ("SELECT COUNT(*) FROM a LIMIT 1 OFFSET 0", ONE),
        ("SELECT b.id FROM (SELECT aid FROM b LIMIT 1) q JOIN b ON b.aid = q.aid", MANY),
        ("SELECT b.id FROM (SELECT id FROM b LIMIT 1) q JOIN b ON b.id = q.id", AT_MOST),
        ("SELECT b.id FROM (SELECT MAX(id) AS i FROM b) q JOIN b ON b.id = q.i", AT_MOST),
        ("DELETE FROM b WHERE aid = ? LIMIT 1 RETURNING id", AT_MOST),
        ("DELETE FROM b WHERE aid = ? LIMIT 2 RETURNING id", MANY),
        ("DELETE FROM b WHERE id = ? RETURNING title", AT_MOST),
        ("DELETE FROM b WHERE aid = ? RETURNING title", MANY),
    ],
)
def test_the_number_of_rows_is_proved(compile_, sql, expected) -> None:
    query = only(compile_(SCHEMA, f"-- name: Q :many\n{sql};"))
    assert query.cardinality is expected


def test_a_table_named_dual_is_not_the_keyword(either) -> None:
    schema = "CREATE TABLE `dual` (x int);"
    for table, expected in (("`dual`", MANY), ("dual", ONE), ("DUAL", ONE)):
        query = only(either(schema, f"-- name: Q :many\nSELECT 1 AS one FROM {table};"))
        assert query.cardinality is expected


@pytest.mark.parametrize("word", ["glob", "ilike", "notnull", "semi", "charset", "rollback"])
def test_a_word_of_another_engine_is_a_name(either, word) -> None:
    schema = f"CREATE TABLE {word} ({word} int PRIMARY KEY, v int NOT NULL);"
    sql = f"SELECT {word}.v FROM {word} WHERE {word} = ?"
    query = only(either(schema, f"-- name: Q :many\n{sql};"))
    assert query.cardinality is AT_MOST
    assert query.columns[0].not_null


def test_one_that_may_be_many_is_said_with_the_table_that_is_not_bound(compile_) -> None:
    _, (problem,) = compile_(SCHEMA, "-- name: Q :one\nSELECT * FROM a WHERE name = ?;")
    assert problem.code == "E320"
    assert "does not compare all columns of a unique key" in problem.labels[0].text


def test_a_sub_select_in_a_condition_within_parentheses_is_read(compile_text) -> None:
    found = "c.k > (SELECT MIN(q.title) FROM b q WHERE q.aid = b.aid)"
    sql = f"SELECT a.id FROM a LEFT JOIN (b JOIN c ON {found}) ON b.aid = a.id WHERE a.id = ?"
    assert only(compile_text(SCHEMA, f"-- name: Q :many\n{sql};")).cardinality is MANY
