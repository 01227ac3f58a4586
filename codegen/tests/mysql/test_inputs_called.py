"""Parameters as a caller passes them: the result equals that of the statement with literals."""

from __future__ import annotations

import warnings
from datetime import date, datetime
from decimal import Decimal
from typing import Any, get_type_hints

import aiomysql
import pytest

from tests.mysql.conftest import is_mysql
from tests.mysql.generated import Generate, Store, generate

__all__ = ["generate"]
pytestmark = pytest.mark.skipif(is_mysql(), reason="about MariaDB; unset TEST_MYSQL_URL")
SCHEMA = """
CREATE TABLE t (
    id int PRIMARY KEY, k enum('a', 'b') NOT NULL, status varchar(9) NOT NULL, w decimal(9, 2),
    born date NOT NULL, at datetime NOT NULL, js json NOT NULL
);
CREATE FUNCTION twice(n decimal(9, 2)) RETURNS decimal(9, 2) DETERMINISTIC RETURN n * 2;
"""
ROWS = """
INSERT INTO t VALUES
    (1, 'a', 'new', 1.50, '2020-01-02', '2020-01-02 03:04:05', '{"n": "x"}'),
    (2, 'b', 'old', 7.25, '2024-05-06', '2024-05-06 07:08:09', '{"n": "y"}'),
    (3, 'a', '1', NULL, '1999-12-31', '1999-12-31 23:59:59', '{"n": "z"}');
"""
# A statement, the values of its parameters, and the same values as literals.
CASES: list[tuple[str, list[object], list[str]]] = [
    ("SELECT CASE status WHEN ? THEN 'hit' END AS x FROM t", ["old"], ["'old'"]),
    ("SELECT id FROM t WHERE born LIKE ?", ["2020%"], ["'2020%'"]),
    ("SELECT id FROM t WHERE id REGEXP ?", ["^[12]"], ["'^[12]'"]),
    ("SELECT id FROM t WHERE k LIKE ?", ["%"], ["'%'"]),
    ("SELECT id FROM t WHERE at >= FROM_UNIXTIME(?)", [1600000000], ["1600000000"]),
    ("SELECT id FROM t WHERE born >= MAKEDATE(?, ?)", [2020, 1], ["2020", "1"]),
    ("SELECT ST_AsText(POINT(?, ?)) AS x FROM t", [1.5, 2.0], ["1.5", "2.0"]),
    ("SELECT ST_X(ST_GeomFromText(?)) AS x FROM t", ["POINT(7 8)"], ["'POINT(7 8)'"]),
    ("SELECT ST_Y(ST_PointFromText(?, 4326)) AS x FROM t", ["POINT(7 8)"], ["'POINT(7 8)'"]),
    ("SELECT id FROM t WHERE CRC32(status) = CRC32(?)", ["old"], ["'old'"]),
    ("SELECT INET_ATON(?) + id AS x FROM t", ["10.0.0.1"], ["'10.0.0.1'"]),
    ("SELECT id FROM t WHERE w = NULLIF(?, 0)", [Decimal("7.25")], ["7.25"]),
    ("SELECT id FROM t WHERE w > w * ?", [Decimal("0.5")], ["0.5"]),
    ("SELECT id FROM t WHERE extract(year FROM born) = ?", [2024], ["2024"]),
    ("SELECT id FROM t WHERE json_value(js, '$.n') = ?", ["y"], ["'y'"]),
    ("SELECT id FROM t WHERE id & ? AND id << ? > 1", [3, 1], ["3", "1"]),
    ("SELECT id FROM t WHERE row(k, id) = row(?, ?)", ["b", 2], ["'b'", "2"]),
    ("SELECT interval(id, ?, 5) AS x FROM t", [2], ["2"]),
    ("SELECT id FROM t WHERE born > ? - interval 1 day", [date(2020, 1, 3)], ["DATE'2020-01-03'"]),
    (
        "SELECT id FROM t WHERE at BETWEEN ? - interval 1 hour AND ?",
        [datetime(2020, 1, 2, 4), datetime(2021, 1, 1)],  # noqa: DTZ001 - DATETIME has no zone
        ["TIMESTAMP'2020-01-02 04:00:00'", "TIMESTAMP'2021-01-01 00:00:00'"],
    ),
    ("SELECT ntile(?) OVER (ORDER BY id) AS x FROM t", [2], ["2"]),
    ("SELECT twice(?) AS x, id FROM t WHERE twice(w) > ?", [Decimal("1.5")] * 2, ["1.5", "1.5"]),
    ("SELECT id FROM t WHERE id = ? | false", [2], ["2"]),
    (
        "SELECT x.v FROM (SELECT status AS v FROM t UNION SELECT NULL) x WHERE x.v = ?",
        ["old"],
        ["'old'"],
    ),
    (
        """SELECT j.n FROM t, json_table(t.js, '$' COLUMNS (n varchar(9) PATH '$.n')) j
        WHERE j.n > ?""",
        ["x"],
        ["'x'"],
    ),
    (
        """WITH RECURSIVE n AS (WITH z AS (SELECT 1 AS v) SELECT v FROM z UNION
        SELECT v + 1 FROM n WHERE v < 4 UNION SELECT v + 2 FROM n WHERE v < ?)
        SELECT v FROM n WHERE v > ?""",
        [5, 1],
        ["5", "1"],
    ),
]  # fmt: skip


@pytest.fixture(scope="module")
def store(generate: Generate) -> Store:
    queries = "".join(f"-- name: C{n} :many\n{case[0]};\n" for n, case in enumerate(CASES))
    return generate(SCHEMA, queries, rows=ROWS)


@pytest.mark.parametrize("number", range(len(CASES)), ids=[sql for sql, _, _ in CASES])
async def test_a_value_gives_the_rows_of_its_literal(store: Store, number: int) -> None:
    sql, values, literals = CASES[number]
    function = getattr(store.module(), f"c{number}")
    for literal in literals:
        sql = sql.replace("?", literal, 1)
    async with store.connected() as db:
        with warnings.catch_warnings():
            warnings.simplefilter("error", aiomysql.Warning)
            rows = await function(db, **_arguments(store, function, values))
            expected = await db.fetch(sql.replace("%", "%%"))
    assert [_cells(row) for row in rows] == [tuple(row) for row in expected]
    assert any(cell is not None for row in expected for cell in row)


def _arguments(store: Store, function: Any, values: list[object]) -> dict[str, object]:
    """Return the values for the parameters in order, each of the type in its annotation."""
    hints = {name: hint for name, hint in get_type_hints(function).items() if name != "return"}
    names = [name for name in hints if name not in {"db", "conn", "executor"}]
    given = {}
    for name, value in zip(names, values, strict=True):
        hint = hints[name]
        is_label = isinstance(hint, type) and issubclass(hint, str) and hint is not str
        given[name] = hint(value) if is_label else value
        assert isinstance(given[name], hint)
    return given


def _cells(row: object) -> tuple[object, ...]:
    fields = getattr(row, "__dataclass_fields__", None)
    return tuple(getattr(row, name) for name in fields) if fields else (row,)
