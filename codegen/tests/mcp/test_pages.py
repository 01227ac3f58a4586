"""Pages and many keys as tools: every row once, within the policy, for the session's tenant."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from jsonschema import Draft202012Validator
from mcp import Client

from tests.mcp.conftest import Connect
from tests.mcp.shop import TOKENS, Shop, over_http
from tests.mcp.test_attacks import code_of
from tests.projects import write_project
from tests.servers.ports import free_port
from tests.servers.postgres import TestPostgres

SCHEMA = """\
CREATE TYPE kind AS ENUM ('big', 'small');
CREATE TABLE item (
    tenant_id int, id int, name text NOT NULL, rank int, email text NOT NULL, kind kind NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
"""
QUERIES = """\
-- name: WalkItems :page
SELECT id, rank FROM item WHERE tenant_id = @tenant_id
  AND name = @name -- :if name
ORDER BY rank DESC NULLS LAST, id;
-- name: PageItems :page
SELECT id, email FROM item WHERE tenant_id = @tenant_id ORDER BY id LIMIT @size OFFSET @skip;
-- name: WalkMails :page
SELECT id, email FROM item WHERE tenant_id = @tenant_id ORDER BY email DESC, id;
-- name: GetItem :one :batchget(id)
SELECT id, name, email FROM item WHERE tenant_id = @tenant_id AND id = @id;
-- name: ItemsNamed :many :batchget(name, kind)
SELECT id FROM item WHERE tenant_id = @tenant_id AND name = @name AND kind = @kind ORDER BY id;
-- name: AnyTenant :one :batchget(tenant_id, id)
SELECT name FROM item WHERE tenant_id = @tenant_id AND id = @id;
-- name: NamedOneOf :many
SELECT id FROM item WHERE tenant_id = @tenant_id AND name IN (sqlc.slice(names)) ORDER BY id;
"""
CONFIG = """\
version: "2"
mcp: {database: "${SHOP_URL}", queries: ["*"], bind: {tenant_id: SHOP_TENANT}, mask: [item.email],
  max_rows: 7, max_bytes: 2000, calls_per_minute: 10000}
sql:
  - {engine: postgresql, schema: schema.sql, queries: queries.sql, gen: {python: {out: out}}}
"""
ROWS = """\
INSERT INTO item SELECT t, n, 'n' || n % 3, nullif(n % 5, 0), 'mail' || n || '@x',
    CASE WHEN n % 2 = 0 THEN 'big'::kind ELSE 'small' END
FROM generate_series(1, 2) AS t, generate_series(1, 40) AS n
"""


@pytest.fixture(scope="module")
def shop(postgres_server: TestPostgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """The project, its database and its role."""
    folder, owner = tmp_path_factory.mktemp("pages"), postgres_server.create_empty("pages")
    write_project(folder, {"schema.sql": SCHEMA, "queries.sql": QUERIES, "sqlc.yaml": CONFIG})
    tokens = [
        {"name": name, "sha256": sha256(token.encode()).hexdigest(), "bind": {"tenant_id": "1"}}
        for name, token in TOKENS.items()
    ]
    (folder / "tokens.json").write_text(json.dumps(tokens))
    role = f"pages_{secrets.token_hex(4)}"
    parts = urlsplit(owner)
    found = Shop(folder, owner, f"postgresql://{role}:pw@{parts.hostname}:{parts.port}{parts.path}")
    for sql in (SCHEMA, ROWS, f"CREATE ROLE {role} LOGIN PASSWORD 'pw'"):
        execute(found, sql)
    execute(found, found.command("--grants", role).stdout)
    yield found
    postgres_server.drop(owner)


@pytest.fixture(scope="module")
def served(shop: Shop) -> Iterator[str]:
    """The URL of the tools, for two callers of one tenant."""
    with over_http(shop, free_port(), "--tokens", "tokens.json") as url:
        yield url


def execute(shop: Shop, sql: str) -> None:
    """Run statements as the owner."""
    with psycopg.connect(shop.owner, autocommit=True) as connection:
        connection.execute(sql.encode())


async def content(client: Client, tool: str, **arguments: Any) -> dict[str, Any]:
    found = await client.call_tool(tool, arguments)
    assert not found.is_error, found.content
    schemas = {item.name: item.output_schema for item in (await client.list_tools()).tools}
    Draft202012Validator(schemas[tool] or {}).validate(found.structured_content)
    return dict(found.structured_content or {})


def test_a_query_whose_keys_have_the_tenant_is_no_tool(shop: Shop) -> None:
    listed = shop.command("--list")
    assert listed.stderr.splitlines() == [
        (
            "not a tool: queries.sql:AnyTenantMany: the query has no parameter `tenant_id` for "
            "`bind`, and `unbound` does not list the query"
        )
    ]
    names = [line.split("(")[0] for line in listed.stdout.splitlines() if line[0] != " "]
    assert {"walk_items", "page_items", "get_item_many", "items_named_many"} < set(names)


async def test_cursors_lead_through_every_row_of_the_tenant_and_back(
    connected: Connect, shop: Shop
) -> None:
    async with connected("one") as client:
        found: list[int] = []
        page = await content(client, "walk_items", page_size=7)
        pages = [page]
        while page["next"]:
            execute(shop, "INSERT INTO item VALUES (1, -1, 'x', 9, 'm', 'big')")
            page = await content(client, "walk_items", page_size=7, cursor=page["next"])
            execute(shop, "DELETE FROM item WHERE id = -1")
            pages.append(page)
        found = [row["id"] for page in pages for row in page["rows"]]
        expected = sorted(range(1, 41), key=lambda n: (-(n % 5) if n % 5 else 1, n))
        assert found == expected
        back = await content(client, "walk_items", page_size=7, cursor=pages[-1]["previous"])
        assert [row["id"] for row in back["rows"]] == expected[-12:-5]
        named = await content(client, "walk_items", page_size=5, name="n1")
        wrong = {"page_size": 5, "name": "n2", "cursor": named["next"]}
        assert code_of(await client.call_tool("walk_items", wrong)) == "invalid_argument"
        wrong = {"page_size": 5, "cursor": named["next"]}
        assert code_of(await client.call_tool("walk_mails", wrong)) == "invalid_argument"


async def test_a_cursor_reveals_nothing_and_belongs_to_one_session(
    connected: Connect, shop: Shop
) -> None:
    async with connected("one") as client, connected("two") as other:
        page = await content(client, "walk_mails", page_size=3)
        assert {row["email"] for row in page["rows"]} == {"[masked]"}
        assert len(page["next"]) == 16
        given = {"page_size": 3, "cursor": page["next"]}
        assert code_of(await other.call_tool("walk_mails", given)) == "invalid_argument"
        assert not (await client.call_tool("walk_mails", given)).is_error
        for cursor in ("", "x" * 999, "é", page["next"][:-1]):
            given = {"page_size": 3, "cursor": cursor}
            assert code_of(await client.call_tool("walk_mails", given)) == "invalid_argument"


REFUSED: list[tuple[str, dict[str, Any]]] = [
    ("walk_items", {"page_size": 8}),
    ("walk_items", {"page_size": 0}),
    ("walk_items", {"page_size": -1}),
    ("walk_items", {"page_size": 3, "cursor": 7}),
    ("walk_items", {"page_size": 3, "tenant_id": 2}),
    ("walk_items", {"cursor": None}),
    ("page_items", {"size": 8, "skip": 0}),
    ("page_items", {"size": 3, "skip": -1}),
    ("get_item_many", {"ids": list(range(8))}),
    ("get_item_many", {"ids": ["1; DROP TABLE item"]}),
    ("get_item_many", {"ids": [1], "tenant_id": 2}),
    ("items_named_many", {"keys": [["n1"]]}),
    ("items_named_many", {"keys": [["n1", "huge"]]}),
    ("items_named_many", {"keys": "n1"}),
    ("named_one_of", {"names": "n1"}),
]


async def test_sizes_and_keys_beyond_the_policy_are_refused(connected: Connect) -> None:
    async with connected("one") as client:
        codes = [code_of(await client.call_tool(*call)) for call in REFUSED]
        many = await client.call_tool("get_item_many", {"ids": list(range(8))})
    assert codes == ["invalid_argument"] * len(REFUSED)
    assert "`ids` must have 0 to 7 elements" in many.model_dump_json()


async def test_a_page_by_numbers_has_the_total(connected: Connect, shop: Shop) -> None:
    async with connected("one") as client:
        page = await content(client, "page_items", size=7, skip=35)
        assert [row["id"] for row in page["rows"]] == [36, 37, 38, 39, 40]
        assert (page["total"], page["truncated"]) == (40, False)
        behind = await content(client, "page_items", size=7, skip=99)
        assert (behind["rows"], behind["total"]) == ([], 40)


async def test_many_keys_return_entries_of_the_tenant(connected: Connect, shop: Shop) -> None:
    async with connected("one") as client:
        found = await content(client, "get_item_many", ids=[3, 99, 1, 3])
        assert sorted(found["entries"], key=lambda entry: entry["key"]) == [
            {"key": 1, "row": {"id": 1, "name": "n1", "email": "[masked]"}},
            {"key": 3, "row": {"id": 3, "name": "n0", "email": "[masked]"}},
        ]
        assert not found["truncated"]
        keys = [["n1", "big"], ["n2", "small"]]
        cut = await content(client, "items_named_many", keys=keys)
        assert cut["truncated"]
        (entry,) = cut["entries"]
        assert entry["key"] in keys
        assert len(entry["rows"]) in {6, 7}
        named = await content(client, "named_one_of", names=["n0"])
        assert named["truncated"]


async def test_a_key_with_too_many_rows_is_refused(connected: Connect, shop: Shop) -> None:
    execute(
        shop, "INSERT INTO item SELECT 1, 1000 + n, 'w', 1, 'm', 'big' FROM generate_series(1, 8) n"
    )
    async with connected("one") as client:
        found = await client.call_tool("items_named_many", {"keys": [["w", "big"]]})
    execute(shop, "DELETE FROM item WHERE id > 1000")
    assert code_of(found) == "result_too_large"


async def test_a_page_that_is_too_large_is_refused_and_a_smaller_one_is_not(
    connected: Connect, shop: Shop
) -> None:
    execute(shop, "UPDATE item SET name = repeat('x', 900) WHERE tenant_id = 1 AND id < 8")
    async with connected("one") as client:
        large = await client.call_tool("get_item_many", {"ids": [1, 2, 3]})
        assert len((large.structured_content or {})["entries"]) == 2
        assert (large.structured_content or {})["truncated"]
    execute(shop, "UPDATE item SET name = 'n' || id % 3 WHERE tenant_id = 1 AND id < 8")
