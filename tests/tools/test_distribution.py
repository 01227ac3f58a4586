"""The queries and keys that would involve every shard of a distributed database."""

from __future__ import annotations

import psycopg
import pytest

from devstack.testing.postgres import TestPostgres
from tools import distribution
from tools.distribution import KEYS, find, unsaid

SPREAD = {"shop_order": "user_id", "line": "user_id", "draft": None}


@pytest.mark.parametrize(
    ("text", "tables"),
    [
        ("SELECT * FROM shop_order WHERE user_id = @user_id", []),
        ("SELECT * FROM shop_order WHERE id = @id", ["shop_order"]),
        ("SELECT * FROM shop_order AS o WHERE o.user_id = ANY (@users::uuid[])", []),
        ("SELECT * FROM shop_order WHERE user_id IN (sqlc.slice(users))", []),
        ("SELECT * FROM shop_order WHERE user_id > @user_id", ["shop_order"]),
        ("SELECT * FROM shop_order o JOIN line l ON l.user_id = o.user_id", []),
        ("SELECT FROM shop_order o JOIN line l ON l.at = o.id WHERE o.user_id = @u", ["line"]),
        ("UPDATE shop_order SET total = @total WHERE id = @id", ["shop_order"]),
        ("INSERT INTO shop_order (id, user_id) VALUES (@id, @user_id)", []),
        ("DELETE FROM draft WHERE id = @id", ["draft"]),
        ("SELECT * FROM city", []),
    ],
)  # fmt: skip
def test_a_query_says_of_each_table_where_its_rows_are(text: str, tables: list[str]) -> None:
    touches, found = unsaid(text, SPREAD)
    assert (touches, found) == ("city" not in text, tables)


@pytest.mark.parametrize("way", KEYS)
def test_what_a_database_is_spread_by_is_there(way: str, postgres_server: TestPostgres) -> None:
    url = postgres_server.create(way.partition(" ")[0])
    with psycopg.connect(url) as connection:
        there = connection.execute(
            "SELECT table_name, column_name FROM information_schema.columns"
        ).fetchall()
    assert set(KEYS[way].items()) - set(there) == {
        (table, None) for table, column in KEYS[way].items() if column is None
    }
    found = find(way, url)
    assert found.queries > len(found.everywhere) > 0


def test_a_unique_key_without_the_column_is_told(
    postgres_server: TestPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = postgres_server.create("point")
    assert find("point by user", url).unique == ("point_entry_pkey", "point_entry_source")
    monkeypatch.setitem(distribution.KEYS, "point by user", {"point_entry": "id"})
    assert find("point by user", url).unique == ("point_entry_source",)
