"""Functions of the schema with names of built-in functions: the backticks distinguish them."""

from __future__ import annotations

import pytest
from aiosqlc.ir import Cardinality

from tests.mysql.conftest import Compile, is_mysql, only
from tests.mysql.generated import Generate, Store, generate, judged

__all__ = ["generate"]
pytestmark = pytest.mark.skipif(is_mysql(), reason="about MariaDB; unset TEST_MYSQL_URL")
# Words of the grammar: a name in backticks, before a parenthesis, is never the server's function.
NAMES = (
    "any", "case", "cast", "char", "convert", "count", "current_date", "date", "exists",
    "group_concat", "if", "insert", "interval", "left", "match", "max", "mod name", "position",
    "replace", "row", "row_number", "sum", "user", "values", "year",
)  # fmt: skip
SCHEMA = "CREATE TABLE t (id int PRIMARY KEY);\n" + "".join(
    f"CREATE FUNCTION `{name}`(x int) RETURNS int DETERMINISTIC RETURN NULLIF(x, x);\n"
    for name in NAMES
)
QUERIES = "\n".join(
    f"-- name: Of{number} :many\nSELECT `{name}`(id) AS x FROM t;\n"
    f"-- name: With{number} :many\nSELECT id FROM t WHERE `{name}`(?) IS NULL;"
    for number, name in enumerate(NAMES)
)


@pytest.fixture(scope="module")
def store(generate: Generate) -> Store:
    return generate(SCHEMA, QUERIES, rows="INSERT INTO t VALUES (1), (2);")


@pytest.mark.parametrize("name", NAMES)
def test_a_function_named_like_a_built_in_is_the_schema_s_own(compile_: Compile, name: str) -> None:
    sql = f"-- name: Q :many\nSELECT `{name}`(?) AS x, `{name}`(id) AS y FROM t;"
    query = only(compile_(SCHEMA, sql))
    assert query.cardinality == Cardinality.MANY
    assert [(p.name, p.type.name) for p in query.params] == [("x", "int")]
    assert [(c.type.name, c.not_null) for c in query.columns] == [("int", False)] * 2


@pytest.mark.parametrize("number", range(len(NAMES)), ids=NAMES)
async def test_what_it_returns_is_as_its_signature_says(store: Store, number: int) -> None:
    of, given = (getattr(store.module(), f"{kind}{number}") for kind in ("of", "with"))
    async with store.connected() as db:
        rows = await of(db)
        assert (rows, judged(of, rows)) == ([None, None], "")
        assert await given(db, x=1) == [1, 2]
