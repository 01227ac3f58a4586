"""A view has exactly the unique keys of the rows of its own text."""

from __future__ import annotations

import pytest
from aiosqlc.ir import Cardinality

from tests.mysql.conftest import Compile, is_mysql, only

SCHEMA = """
CREATE TABLE a (id int PRIMARY KEY, name varchar(20) NOT NULL, grp int NOT NULL, mail varchar(20),
    UNIQUE (mail), UNIQUE (name, grp));
CREATE TABLE b (id int PRIMARY KEY, aid int NOT NULL, title varchar(20) NOT NULL);
CREATE VIEW plain AS SELECT id, name, grp, mail FROM a;
CREATE VIEW renamed (n, k) AS SELECT name, id FROM a WHERE grp > 1;
CREATE VIEW pairs AS SELECT grp, title, name FROM a JOIN b ON b.id = a.id;
CREATE VIEW one_side AS SELECT b.id, b.aid, a.name FROM b JOIN a ON a.id = b.aid;
CREATE VIEW many_side AS SELECT a.id, b.title FROM a JOIN b ON b.aid = a.id;
CREATE VIEW maybe AS SELECT a.id, b.title FROM a LEFT JOIN b ON b.id = a.grp;
CREATE VIEW sums AS SELECT aid, count(*) AS n FROM b GROUP BY aid;
CREATE VIEW totals AS SELECT aid, count(*) AS n FROM b GROUP BY aid WITH ROLLUP;
CREATE VIEW titles AS SELECT DISTINCT title, aid FROM b;
CREATE VIEW both_ids AS SELECT id FROM a UNION ALL SELECT id FROM b;
CREATE VIEW changed AS SELECT id + 0 AS id, cast(id AS char) AS t FROM a;
CREATE VIEW chance AS SELECT id, rand() AS r FROM a;
CREATE VIEW latest AS SELECT id, name FROM a LIMIT 1;
CREATE VIEW deep AS SELECT k, n FROM renamed;
CREATE VIEW collated AS SELECT mail COLLATE utf8mb4_bin AS mail FROM a;
"""
AT_MOST, MANY = Cardinality.ZERO_OR_ONE, Cardinality.MANY
CASES = {
    "SELECT * FROM plain WHERE id = ?": AT_MOST,
    "SELECT * FROM plain WHERE mail = ?": AT_MOST,
    "SELECT * FROM plain WHERE mail IS NULL": MANY,
    "SELECT * FROM plain WHERE name = ?": MANY,
    "SELECT * FROM plain WHERE id = '1'": MANY,
    "SELECT * FROM plain WHERE mail = 5": MANY,
    "SELECT * FROM plain WHERE mail = ? COLLATE utf8mb4_bin": MANY,
    "SELECT * FROM renamed WHERE k = ?": AT_MOST,
    "SELECT * FROM renamed WHERE n = ?": MANY,
    "SELECT * FROM deep WHERE k = ?": AT_MOST,
    "SELECT * FROM one_side WHERE id = ?": AT_MOST,
    "SELECT * FROM one_side WHERE aid = ?": MANY,
    "SELECT * FROM many_side WHERE id = ?": MANY,
    "SELECT * FROM maybe WHERE id = ?": AT_MOST,
    "SELECT * FROM pairs WHERE name = ? AND grp = ?": AT_MOST,
    "SELECT * FROM pairs WHERE name = ? AND title = ?": MANY,
    "SELECT * FROM sums WHERE aid = ?": AT_MOST,
    "SELECT * FROM sums WHERE n = ?": MANY,
    "SELECT * FROM totals WHERE aid = ?": MANY,
    "SELECT * FROM titles WHERE title = ? AND aid = ?": AT_MOST,
    "SELECT * FROM titles WHERE title = ?": MANY,
    "SELECT * FROM both_ids WHERE id = ?": MANY,
    "SELECT * FROM changed WHERE id = ?": MANY,
    "SELECT * FROM changed WHERE t = ?": MANY,
    "SELECT * FROM chance WHERE id = ?": MANY,
    "SELECT * FROM latest WHERE id = ?": AT_MOST,
    "SELECT * FROM latest WHERE name = ?": MANY,
    "SELECT * FROM collated WHERE mail = ?": MANY,
    "SELECT p.id FROM plain p JOIN one_side s ON s.id = p.grp WHERE p.id = ?": AT_MOST,
    "SELECT p.id FROM plain p LEFT JOIN many_side s ON s.id = p.id WHERE p.id = ?": MANY,
}


@pytest.mark.parametrize("sql", CASES)
def test_a_view_has_the_keys_of_its_rows(sql: str, compile_: Compile) -> None:
    query = only(compile_(SCHEMA, f"-- name: Q :many\n{sql};\n"))
    assert query.cardinality == CASES[sql]


def test_a_view_of_old_row_versions_has_no_key(compile_: Compile) -> None:
    if is_mysql():
        pytest.skip("MySQL has no system-versioned tables; unset TEST_MYSQL_URL")
    schema = """
CREATE TABLE past (id int PRIMARY KEY, x int NOT NULL) WITH SYSTEM VERSIONING;
CREATE VIEW now AS SELECT id, x FROM past;
CREATE VIEW ever AS SELECT id, x FROM past FOR SYSTEM_TIME ALL;
"""
    for text, rows in {
        "SELECT * FROM now WHERE id = ?": AT_MOST,
        "SELECT * FROM now FOR SYSTEM_TIME ALL WHERE id = ?": MANY,
        "SELECT * FROM ever WHERE id = ?": MANY,
    }.items():
        assert only(compile_(schema, f"-- name: Q :many\n{text};\n")).cardinality == rows


def test_rows_of_a_view_without_a_key_are_no_list(compile_: Compile) -> None:
    text = "SELECT a.id, sqlc.nest(m) AS m FROM a LEFT JOIN many_side m ON m.id = a.id"
    _, problems = compile_(SCHEMA, f"-- name: Q :many\n{text};\n")
    assert [problem.code for problem in problems] == ["E345"]
