"""Types of parameters, checked by calls: a sample of all positions, or all of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from aiosqlc.ir import SqlType
from aiosqlc.mysql import types
from msgspec.structs import replace

from tests.conftest import Full
from tests.inputs_mysql.oracle import Oracle
from tests.inputs_mysql.positions import Position, of_clauses, of_operators
from tests.inputs_mysql.server import Asked
from tests.inputs_mysql.sweep import sweep
from tests.servers.programs import program

_UPSERT = (
    "INSERT INTO t (id, s, i, st, ok) VALUES (1, 'a', 1, 'a', 1) ON DUPLICATE KEY"
    " UPDATE i = IF(VALUES(st) > ?, 1, 2)"
)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    program("mariadbd", "mysqld")
    return tmp_path_factory.mktemp("mysql")


@pytest.fixture(scope="module")
def asked(cache: Path) -> Iterator[Asked]:
    with closing(Asked(cache)) as session:
        yield session


def test_every_parameter_takes_the_type_that_is_claimed(cache: Path, full: Full) -> None:
    count = full(5_200, sample=250)
    tally = sweep(cache, 1, count)
    assert tally.of("false") == [], "\n".join(map(str, [tally, *tally.of("false")[:20]]))
    assert len(tally.verdicts) >= 0.9 * count
    assert len(tally.of("right")) > 0.5 * len(tally.verdicts)


@pytest.mark.parametrize(
    ("sql", "claim", "why"),
    [
        ("SELECT (CASE s WHEN ? THEN 1 END) AS c0 FROM t", types.BOOL, "converted"),
        ("SELECT (born LIKE ?) AS c0 FROM t", types.DATE, "narrow"),
        ("SELECT (id REGEXP ?) AS c0 FROM t", types.INT, "narrow"),
        ("SELECT id FROM t WHERE at >= FROM_UNIXTIME(?)", types.DATETIME, "converted"),
        ("SELECT MAKEDATE(?, 2) AS c0 FROM t", types.VARBINARY, "converted"),
        ("SELECT POINT(?, 2) AS c0 FROM t", types.VARCHAR, "converted"),
        ("SELECT ST_ASTEXT(ST_POINTFROMTEXT(?, 4326)) AS c0 FROM t", types.INT, "refused"),
        ("SELECT UNCOMPRESS(?) AS c0 FROM t", types.DOUBLE, "unread"),
        ("SELECT CRC32(?) AS c0 FROM t", types.INT, "narrow"),
        ("SELECT INET_ATON(?) AS c0 FROM t", types.DATE, "unread"),
        ("SELECT id FROM t WHERE w = NULLIF(?, 0)", types.INT, "narrow"),
        ("SELECT (? + 1) AS c0 FROM t", types.INT, "narrow"),
        ("SELECT (born > ?) AS c0 FROM t", types.VARCHAR, "converted"),
        ("SELECT HEX(?) AS c0 FROM t", types.DATE, "narrow"),
    ],
)  # fmt: skip
def test_a_wrong_claim_is_refuted(
    asked: Asked, monkeypatch: pytest.MonkeyPatch, sql: str, claim: SqlType, why: str
) -> None:
    """The check can fail: each wrong type that was once claimed is found."""
    query, _ = asked.typed(sql.replace("?", "CAST(? AS CHAR)"))
    assert query is not None
    wrong = replace(
        query, sql=sql.replace("?", "$1"), params=(replace(query.params[0], type=claim),)
    )
    monkeypatch.setattr(asked, "typed", lambda _sql: (wrong, []))
    verdict = Oracle(asked).verdict(Position(sql, sql, is_value=sql.endswith("AS c0 FROM t")))
    assert verdict.why.partition(":")[0] == why, verdict
    assert verdict.said == "false"


def test_a_type_of_the_target_is_refuted(asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    base = "SELECT CRC32(?) AS c0 FROM t WHERE id < 3"
    typed = asked.typed
    query, _ = typed("SELECT id FROM t WHERE i = ?")
    monkeypatch.setattr(asked, "typed", lambda sql: typed(sql) if sql == base else (query, []))
    sql = "SELECT id FROM t WHERE i = CRC32(?)"
    assert Oracle(asked).verdict(Position(sql, sql, base)).why.startswith("taken from its target")


@pytest.mark.parametrize(
    ("sql", "claim"),
    [
        ("SELECT id FROM t WHERE at = (? | 0)", "bigint"),
        ("SELECT id FROM t WHERE born = (? << 1)", "bigint"),
        ("UPDATE t SET st = NULLIF(?, st) WHERE id = 1", "t_st"),
        (_UPSERT, "t_st"),
    ],
)
def test_what_becomes_of_the_result_refutes_no_type(asked: Asked, sql: str, claim: str) -> None:
    """Such results are numbers compared with a time, a NULL row, or a column with another name."""
    (position,) = (p for p in [*of_operators(), *of_clauses()] if p.sql == sql)
    verdict = Oracle(asked).verdict(position)
    assert (verdict.said, verdict.claim) == ("right", claim), verdict.why


def test_a_value_that_is_not_stored_as_null_is_of_a_right_type(asked: Asked) -> None:
    sql = "UPDATE t SET ok = NULLIF(?, ok)"
    verdict = Oracle(asked).verdict(Position(sql, sql))
    assert (verdict.said, verdict.claim) == ("right", "tinyint"), verdict.why


def test_bits_of_a_type_of_the_target_are_refuted(
    asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed = asked.typed
    query, _ = typed("SELECT id FROM t WHERE at = ?")
    sql, base = "SELECT id FROM t WHERE at = (? | 0)", "SELECT (? | 0) AS c0 FROM t"
    monkeypatch.setattr(asked, "typed", lambda sql: typed(sql) if sql == base else (query, []))
    assert Oracle(asked).verdict(Position(sql, sql, base)).why.startswith("taken from its target")
