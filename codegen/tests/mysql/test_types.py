"""The types of expressions: the server's own types, with the right types for parameters."""

from __future__ import annotations

import pytest

from tests.mysql.conftest import SCHEMA, only


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT grp + ? AS x FROM a LIMIT ?", "bigint"),
        ("SELECT d * ? AS x FROM a", "decimal"),
        ("SELECT coalesce(bio, ?) AS x FROM a", "text"),
        ("SELECT grp = 1, bio IS NULL, EXISTS (SELECT 1), ok AND 1 FROM a", "tinyint(1) " * 4),
        ("SELECT 1, 1.5, 1e0, 'x' FROM a", "int|bigint decimal double varchar"),
        ("SELECT x'41', NULL FROM a", "varbinary any"),
        ("SELECT count(*), sum(grp), max(st), max(js) FROM a", "bigint decimal a_st json"),
        ("SELECT st, js, ok FROM a", "a_st json tinyint(1)"),
        ("SELECT t.st, t.ok FROM (SELECT st, ok FROM a LIMIT 9) t", "a_st tinyint(1)"),
        ("SELECT date(at), at, timediff(at, at), year(at) FROM a", "date datetime time int|year"),
        ("SELECT CAST(grp AS UNSIGNED), CAST(at AS DATE) FROM a", "bigint date"),
        ("SELECT @n := @n + 1 AS n, count(@n), CAST(@n AS DATE) FROM a", "any bigint date"),
        ("SELECT t.n, t.id FROM (SELECT @n := @n + 1 AS n, id FROM a) t", "any bigint"),
        ("SELECT json_object('a', id), json_extract(js, '$.a') FROM a", "json json"),
    ],
)  # fmt: skip
def test_an_expression_has_the_server_s_type(compile_, sql, expected) -> None:
    query = only(compile_(SCHEMA, f"-- name: Q :many\n{sql};"))
    shown = [f"{c.type.name}{'(1)' if c.type.length == 1 else ''}" for c in query.columns]
    assert len(shown) == len(expected.split())
    for name, names in zip(shown, expected.split(), strict=True):
        assert name in names.split("|")  # MariaDB's or MySQL's


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT * FROM a WHERE id = 1", ["id", "name"]),
        ("SELECT count(*), max(name) AS m, coalesce(bio, '') FROM a", ["count", "m", "bio"]),
        ("SELECT grp + 1 FROM a", ["?column?"]),
    ],
)  # fmt: skip
def test_a_column_is_named_as_a_person_would(either, sql, expected) -> None:
    query = only(either(SCHEMA, f"-- name: Q :many\n{sql};"))
    assert [column.name for column in query.columns][: len(expected)] == expected


@pytest.mark.parametrize(
    ("sql", "sent"),
    [
        ("SELECT * FROM c", "SELECT k, k2, pre FROM c"),
        ("SELECT c.* FROM c", "SELECT c.k, c.k2, c.pre FROM c"),
        ("SELECT x.*, b.id FROM c x JOIN b", "SELECT x.k, x.k2, x.pre, b.id FROM c x JOIN b"),
        ("SELECT EXISTS (SELECT * FROM c)", "SELECT EXISTS (SELECT * FROM c)"),
        ("SELECT count(*) FROM c", "SELECT count(*) FROM c"),
    ],
)  # fmt: skip
def test_a_star_is_written_out(either, sql, sent) -> None:
    assert only(either(SCHEMA, f"-- name: Q :many\n{sql};")).sql == sent


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT name FROM a UNION ALL SELECT name FROM a WHERE id > 1", "a.name"),
        ("SELECT name FROM a UNION SELECT title FROM b", ""),
        ("SELECT name FROM a UNION ALL SELECT 'x'", ""),
        ("SELECT s.name FROM (SELECT name FROM a UNION SELECT x.name FROM a x) s", "a.name"),
        ("WITH w (n) AS (SELECT name FROM a UNION SELECT name FROM a) SELECT n FROM w", "a.name"),
    ],
)
def test_a_set_operation_shows_the_column_that_all_its_parts_show(either, sql, expected) -> None:
    origin = only(either(SCHEMA, f"-- name: Q :many\n{sql};")).columns[0].origin
    assert (f"{origin.table}.{origin.column}" if origin else "") == expected
