"""Parameters: their types and names from their positions, and whether None has a meaning."""

from __future__ import annotations

import re

import pytest

from tests.mysql.conftest import SCHEMA, only


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
        ("SELECT id FROM a WHERE (?, 'x') IN ((grp, name))", "grp int"),
        ("SELECT id FROM a WHERE row(name, grp) = row(?, ?)", "name varchar, grp int"),
        ("SELECT id FROM a WHERE born LIKE ? AND st LIKE ?", "born varchar, st varchar"),
        ("SELECT id FROM a WHERE id REGEXP ? OR id NOT RLIKE ?", "id varchar, id varchar"),
        ("SELECT id FROM a WHERE name SOUNDS LIKE ?", "p1 varchar"),
        ("SELECT id FROM a WHERE name LIKE ? ESCAPE ?", "name varchar, p2 varchar"),
        ("SELECT CASE st WHEN ? THEN 1 ELSE 2 END AS x FROM a", "st a_st"),
        ("SELECT CASE born WHEN ? THEN 1 END AS x FROM a", "born date"),
        ("SELECT CASE ? WHEN 'x' THEN 1 END AS x FROM a", "p1 varchar"),
        ("SELECT CASE WHEN ? THEN 1 END AS x FROM a", "p1 tinyint(1)"),
        ("SELECT id FROM a WHERE at >= FROM_UNIXTIME(?)", "p1 bigint"),
        ("SELECT id FROM a WHERE born = MAKEDATE(?, ?)", "p1 bigint, p2 bigint"),
        ("UPDATE a SET name = ST_AsText(POINT(?, ?))", "p1 double, p2 double"),
        ("SELECT id FROM a WHERE js = ST_GeomFromText(?, ?)", "p1 varchar, p2 bigint"),
        ("SELECT id FROM a WHERE grp = CRC32(?) OR id = INET_ATON(?)", "p1 varchar, p2 varchar"),
        ("SELECT id FROM a WHERE bio = HEX(AES_DECRYPT(?, ?))", "p1 varbinary, p2 varchar"),
        ("SELECT id FROM a WHERE born = LAST_DAY(?)", "p1 datetime"),
        ("SELECT id FROM a WHERE d = POW(?, 2) AND grp = SQRT(?)", "p1 double, p2 double"),
        ("SELECT id FROM a WHERE d = NULLIF(?, 0)", "d decimal"),
        ("UPDATE a SET d = GREATEST(?, 0)", "d decimal?"),
        ("UPDATE a SET d = IF(ok, ?, 0)", "d decimal?"),
        ("UPDATE a SET d = CASE WHEN ok THEN ? ELSE 0 END", "d decimal?"),
        ("UPDATE a SET grp = COALESCE(?, 1.5)", "grp decimal?"),
        ("SELECT id FROM a WHERE grp = NULLIF(?, 1e0)", "grp double"),
        ("SELECT id FROM a WHERE born = COALESCE(?, '2020-01-01')", "born date?"),
        ("SELECT COALESCE(?, 'none') AS x FROM a", "p1 varchar?"),
        ("SELECT id FROM a WHERE EXTRACT(YEAR FROM at) = ?", "at bigint"),
        ("SELECT id FROM a WHERE JSON_VALUE(js, '$.a') = ?", "js varchar"),
        ("SELECT id FROM a WHERE id & ? AND grp << ? > 1 AND ~? > 1",
         "id bigint, grp bigint, p3 bigint"),
        ("SELECT id FROM a WHERE grp = ? | FALSE", "p1 bigint"),
        ("SELECT id FROM a WHERE INTERVAL(grp, ?, 5) = 1", "grp int"),
        ("SELECT id FROM a WHERE born > ? - INTERVAL 1 DAY", "born date"),
        ("SELECT id FROM a WHERE born > ? - INTERVAL 1 HOUR", "born datetime"),
        ("SELECT id FROM a WHERE at < ? + INTERVAL ? DAY", "at datetime, p2 bigint"),
        ("SELECT id FROM a WHERE born + INTERVAL 1 DAY > ?", "born date"),
        ("SELECT id FROM a WHERE DATE_SUB(at, INTERVAL 1 DAY) > ?", "at datetime"),
        ("SELECT '12' IN ('x', ?) AS x, 1 IN (?, 2.5) AS y FROM a", "p1 varchar, p2 decimal"),
        ("SELECT NTILE(?) OVER (ORDER BY id) AS x FROM a", "p1 bigint"),
        ("SELECT id FROM a WHERE ROUND(d, 1) > ? AND ABS(grp) < ?", "d decimal, grp bigint"),
        (
            """INSERT INTO b (id, aid, title) VALUES (1, 1, '') ON DUPLICATE KEY UPDATE
            note = IF(VALUES(id) > ?, VALUES(note), NULL)""",
            "id int",
        ),
        ("SELECT x.n FROM (SELECT name AS n FROM a UNION SELECT code FROM b) x WHERE x.n = ?",
         "n text"),
        ("SELECT x.n FROM (SELECT name AS n FROM a UNION ALL SELECT NULL) x WHERE x.n = ?",
         "n varchar"),
        ("SELECT x.n FROM (SELECT grp AS n FROM a UNION SELECT d FROM a) x WHERE x.n = ?",
         "n decimal"),
        ("SELECT x.n FROM (SELECT id AS n FROM a INTERSECT SELECT id FROM b) x WHERE x.n = ?",
         "n bigint"),
        (
            """WITH RECURSIVE n AS (SELECT id, 1 AS k FROM a UNION SELECT id + 1, k FROM n
            WHERE id < 3 UNION SELECT id + 2, k FROM n WHERE id < 3)
            SELECT id FROM n WHERE id = ?""",
            "id bigint",
        ),
        (
            """WITH RECURSIVE n AS (WITH z AS (SELECT grp FROM a) SELECT grp FROM z
            UNION SELECT grp + 1 FROM n WHERE grp < 3) SELECT grp FROM n WHERE grp = ?""",
            "grp int",
        ),
    ],
)  # fmt: skip
def test_a_parameter_is_typed_by_its_place(either, sql, expected) -> None:
    query = only(either(SCHEMA, f"-- name: Q :{'many' if sql[0] in 'SW' else 'exec'}\n{sql};"))
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
    [
        "SELECT id FROM a WHERE grp = ABS(?)",
        "UPDATE a SET d = ROUND(?, 2)",
        "SELECT id FROM a WHERE d = ? * 2",
        "SELECT id FROM a WHERE grp = 1 + ?",
        "SELECT COALESCE(?, 0) AS x FROM a",
        "SELECT NULLIF(?, 0) AS x FROM a",
        "SELECT GREATEST(?, 1) AS x FROM a",
        "SELECT id FROM a WHERE born = IF(ok, ?, 0)",
        "SELECT id FROM a WHERE name = JSON_ARRAY(?)",
        "SELECT 1 AS x UNION SELECT ?",
        "SELECT '12ab' IN ('x', 1, 2, ?) AS x FROM a",
        "SELECT 5 IN (?, 'abc') AS x FROM a",
        "SELECT ? IN (1, 'abc') AS x FROM a",
        "SELECT id FROM a WHERE name BETWEEN 1 AND ?",
        "SELECT id FROM a WHERE ? BETWEEN name AND 1",
    ],
)
def test_a_target_or_a_narrower_literal_does_not_type_a_parameter(either, sql) -> None:
    """A cast of each kind in the hint is enough."""
    command = "many" if sql[0] == "S" else "exec"
    _, problems = either(SCHEMA, f"-- name: Q :{command}\n{sql};")
    (problem,) = [p for p in problems if p.code == "E313"]
    casts = re.findall(r"CAST\(.*? AS (.*?)\)`", problem.hint)
    assert {"CHAR", "SIGNED", "DECIMAL(20, 6)", "DOUBLE", "DATE", "DATETIME"} < set(casts)
    for cast in casts:
        text = sql.replace("?", f"CAST(? AS {cast})")
        (query,), problems = either(SCHEMA, f"-- name: Q :{command}\n{text};")
        assert not [p for p in problems if p.code in {"E313", "E370"}]
        assert query.params[0].type.name != "any"


def test_timediff_of_a_date_is_answered_with_a_datetime(either) -> None:
    sql = "SELECT TIMEDIFF(born, ?) AS x, TIMEDIFF(?, DATE '2024-05-06') AS y FROM a"
    _, problems = either(SCHEMA, f"-- name: Q :many\n{sql};")
    hints = [p.hint for p in problems if p.code == "E313"]
    assert ["CAST(… AS DATETIME)" in hint and "DATEDIFF" in hint for hint in hints] == [True, True]
    followed = "SELECT TIMEDIFF(CAST(born AS DATETIME), ?) AS x, DATEDIFF(born, ?) AS y FROM a"
    query = only(either(SCHEMA, f"-- name: Q :many\n{followed};"))
    assert [param.type.name for param in query.params] == ["datetime", "datetime"]


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
