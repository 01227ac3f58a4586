"""The proved columns: every rule once, and every case in which the server itself is wrong."""

from __future__ import annotations

import pytest
from aiosqlc.ir import AnalyzeOptions

from tests.mysql.conftest import SCHEMA, analysed, is_mysql, only

# expression or query → one letter per column: N may be NULL, P is proved not to be.
BOTH = [
    ("SELECT id, name, bio FROM a", "PPN"),
    ("SELECT a.id, b.id, b.note FROM a LEFT JOIN b ON b.aid = a.id", "PNN"),
    ("SELECT a.id, b.id FROM a RIGHT JOIN b ON b.aid = a.id", "NP"),
    ("SELECT b.id, c.k FROM a LEFT JOIN (b JOIN c ON c.k = b.code) ON b.aid = a.id", "NN"),
    ("SELECT b.id, b.note FROM a LEFT JOIN b ON b.aid = a.id WHERE b.title LIKE 'x%'", "PN"),
    ("SELECT b.id FROM a LEFT JOIN b ON b.aid = a.id WHERE b.title IS NULL", "N"),
    ("SELECT b.id FROM a LEFT JOIN b ON b.aid = a.id WHERE NOT (b.title <=> 'x')", "N"),
    ("SELECT b.code, c.k2 FROM b LEFT JOIN c ON c.k = b.code WHERE c.k2 = 'x'", "PP"),
    ("SELECT bio FROM a WHERE bio IS NOT NULL", "P"),
    ("SELECT bio FROM a WHERE bio = 'x' OR grp = 1", "N"),
    ("SELECT bio FROM a WHERE bio = 'x' OR bio > 'y'", "P"),
    ("SELECT bio FROM a WHERE bio NOT IN ('x', 'y')", "P"),
    ("SELECT bio FROM a WHERE bio NOT IN (SELECT note FROM b)", "N"),
    ("SELECT bio FROM a WHERE bio > ALL (SELECT note FROM b)", "N"),
    ("SELECT bio FROM a WHERE upper(bio) = 'X'", "P"),
    ("SELECT bio FROM a WHERE (bio, grp) <> ('x', 1)", "N"),
    ("SELECT coalesce(bio, 'x'), coalesce(bio, bio), ifnull(bio, name) FROM a", "PNP"),
    ("SELECT CASE WHEN bio IS NULL THEN 'x' ELSE bio END FROM a", "P"),
    ("SELECT CASE WHEN bio IS NOT NULL THEN bio END FROM a", "N"),
    ("SELECT if(bio IS NULL, '', bio), nullif(name, 'x') FROM a", "PN"),
    ("SELECT grp + 1, grp / 2, grp / 0, grp / grp, grp % 3, d * 2 FROM a", "PPNNPN"),
    ("SELECT at + INTERVAL 1 DAY, date(at) FROM a", "NN"),
    ("SELECT grp = 1, bio = 'x', bio <=> 'x', bio IS NULL, NOT ok FROM a", "PNPPP"),
    ("SELECT grp = d IS NULL, id <=> grp < d, id <=> grp < id FROM a", "PNP"),
    ("SELECT bio FROM a WHERE bio = name IS NULL", "N"),
    ("SELECT upper(name), length(bio), field(bio, 'x'), now() FROM a", "PNPP"),
    ("SELECT count(*), count(bio), sum(grp), max(name) FROM a", "PPNN"),
    ("SELECT sum(grp), max(bio), bit_or(d), var_samp(grp) FROM a GROUP BY st", "PNPN"),
    ("SELECT st, count(*), sum(grp) FROM a GROUP BY st WITH ROLLUP", "NPN"),
    ("SELECT t.st FROM (SELECT st FROM a GROUP BY st WITH ROLLUP) t", "N"),
    ("SELECT row_number() OVER (ORDER BY id), lag(id) OVER (ORDER BY id) FROM a", "PN"),
    ("SELECT sum(grp) OVER (ORDER BY id ROWS BETWEEN 1 FOLLOWING AND 2 FOLLOWING) FROM a", "N"),
    ("SELECT (SELECT count(*) FROM b), (SELECT id FROM b LIMIT 1) FROM a", "PN"),
    ("SELECT (SELECT count(*) FROM b), coalesce((SELECT 1), 2), count(*) FROM a", "NPP"),
    ("SELECT EXISTS (SELECT 1 FROM b), grp IN (SELECT id FROM b) FROM a", "PP"),
    ("SELECT name FROM a UNION SELECT note FROM b", "N"),
    ("SELECT bio FROM a INTERSECT SELECT title FROM b", "P"),
    ("SELECT bio FROM a EXCEPT SELECT title FROM b", "N"),
    ("WITH RECURSIVE t (n) AS (SELECT 1 UNION ALL SELECT NULL FROM t) SELECT n FROM t", "N"),
    ("WITH t AS (SELECT id FROM a) SELECT t.id FROM b LEFT JOIN t ON t.id = b.aid", "N"),
    ("SELECT id, title FROM va", "PN"),
    ("SELECT grp, n FROM vr", "NP"),
    ("DELETE FROM b WHERE note IS NOT NULL RETURNING note, code", "PN"),
    ("INSERT INTO b (id, aid, title) VALUES (1, 2, 'x') RETURNING id, note", "PN"),
]
# Each name refers to another column on a server that distinguishes `q` from `Q`.
OUTER_NAMES = [
    "SELECT (SELECT Q.x FROM (SELECT 1 AS x) q) FROM (SELECT bio AS x FROM a) Q",
    "SELECT (SELECT count(Q.id) FROM b q WHERE q.id = -1) FROM a Q",
    "SELECT title NOT IN (SELECT z.note FROM c JOIN c d ON note = 'x' JOIN b z) FROM b",
    "SELECT title NOT IN (SELECT b.note FROM c JOIN c d ON b.note = 'x', b) FROM b",
    "WITH B AS (SELECT 1 AS note) SELECT note FROM b",  # a table on MySQL, not on MariaDB
    "SELECT title NOT IN (SELECT z.note FROM (c JOIN c d ON note = 'x') JOIN b z) FROM b",
]
# The server calls each of these NOT NULL, and returns NULL.
SERVER_IS_WRONG = [
    "SELECT grp FROM a GROUP BY grp WITH ROLLUP",
    "SELECT va.id FROM b LEFT JOIN (a JOIN va ON va.id = a.id) ON a.id = b.id",
    "SELECT va.name, count(*) FROM va WHERE id = 0",
    "SELECT name FROM vv",
    "SELECT t.x FROM (SELECT 7 AS x, id FROM a LIMIT 9) t RIGHT JOIN b ON b.id = t.id",
]


@pytest.mark.parametrize(("sql", "expected"), BOTH)
def test_a_column_is_not_null_exactly_where_it_is_proved(either, sql, expected) -> None:
    query = only(either(SCHEMA, f"-- name: Q :many\n{sql};"))
    shown = "".join("P" if column.not_null else "N" for column in query.columns)
    vouched = not (is_mysql() and " vr" in sql)  # MySQL is silent about such a view's columns
    assert shown == expected if vouched else shown in {expected, "NN"}


@pytest.mark.parametrize("sql", OUTER_NAMES)
def test_a_name_is_not_taken_for_a_column_of_a_table_that_it_cannot_see(either, sql) -> None:
    assert not only(either(SCHEMA, f"-- name: Q :many\n{sql};")).columns[0].not_null


def test_the_database_of_a_name_counts(compile_) -> None:
    sql = """SELECT (SELECT information_schema.tables.engine FROM (SELECT 1 AS engine) tables)
        FROM information_schema.tables"""
    assert not only(compile_(SCHEMA, f"-- name: Q :many\n{sql};")).columns[0].not_null


@pytest.mark.parametrize("sql", SERVER_IS_WRONG)
def test_where_the_server_is_wrong_its_word_does_not_count(compile_, sql) -> None:
    query = only(compile_(SCHEMA, f"-- name: Q :many\n{sql};"))
    assert not query.columns[0].not_null


@pytest.mark.parametrize(("macro", "not_null"), [("arg", True), ("narg", False)])
def test_a_parameter_proves_as_much_as_it_may_be_none(either, macro, not_null) -> None:
    sql = f"-- name: Q :many\nSELECT grp + sqlc.{macro}(x) FROM a;"
    assert only(either(SCHEMA, sql)).columns[0].not_null is not_null


def test_a_function_the_user_vouches_for_is_not_null(mysql_cache) -> None:
    declared = "CREATE FUNCTION f(x int) RETURNS int DETERMINISTIC RETURN x;"
    sql = "-- name: Q :many\nSELECT f(grp), f(1) FROM a;"
    for names, expected in ((), False), (("public.f",), True):
        options = AnalyzeOptions(cache_dir=mysql_cache, not_null_functions=names)
        analysis, _ = analysed(SCHEMA + declared, sql, options)
        assert [column.not_null for column in analysis.queries[0].columns] == [expected] * 2


def test_an_empty_list_keeps_rows_with_null(either) -> None:
    sql = "-- name: Q :many\nSELECT bio FROM a WHERE bio NOT IN (sqlc.slice(xs));"
    assert not only(either(SCHEMA, sql)).columns[0].not_null


@pytest.mark.parametrize("deep", ["(" * 300 + "grp" + ")" * 300, " OR ".join(["grp = 1"] * 1500)])
def test_what_is_too_deep_to_be_read_is_typed_by_the_server_alone(compile_, deep) -> None:
    (query,), problems = compile_(SCHEMA, f"-- name: Q :many\nSELECT {deep} AS x FROM a;")
    assert [column.name for column in query.columns] == ["x"]
    assert [(problem.code, "nested too deeply" in problem.message) for problem in problems] == [
        ("E215", True)
    ]
