"""Tools with unproved facts: declared JSON, unreadable values, many rows of a key."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from mcp import Client
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp_types import CallToolResult

from tests.mcp.shop import Shop, over_http
from tests.mcp.test_attacks import code_of
from tests.projects import write_project
from tests.servers.ports import free_port
from tests.servers.postgres import TestPostgres

SCHEMA = """\
CREATE TABLE "User" (
    id int PRIMARY KEY, born date NOT NULL, "E Mail" text NOT NULL, prefs jsonb NOT NULL,
    secret text
);
CREATE TABLE part (id int PRIMARY KEY, owner_id int NOT NULL REFERENCES "User", name text NOT NULL);
"""
# A division by zero shows that a row was read.
QUERIES = """\
-- name: GetUser :one
SELECT born, "E Mail" AS mail FROM "User" WHERE id = @id;
-- name: GetPrefs :one
SELECT id, prefs, prefs ->> 'theme' AS theme FROM "User" WHERE id = @id;
-- name: PageUsers :page
SELECT id FROM "User" ORDER BY id LIMIT sqlc.narg(size) OFFSET @skip;
-- name: Secrets :many
SELECT secret FROM "User";
-- name: GetParts :many :batchget(owner_id)
SELECT id, 1 / (id - 5000) AS share FROM part WHERE owner_id = @owner_id;
-- name: UsersWithParts :many
SELECT u.id, sqlc.nest(p) AS parts
FROM (SELECT id, owner_id, 1 / (id - 5000) AS share FROM part) p JOIN "User" u ON u.id = p.owner_id;
-- name: Shares :many
SELECT 1 / (id - 5000) AS share FROM part WHERE id = 5000;
-- name: AddPart :one
INSERT INTO part VALUES (@id, 2, 'new') RETURNING id;
-- name: UserWithParts :one
SELECT u.id, sqlc.nest(p) AS parts
FROM (SELECT id, owner_id, 1 / (id - 5000) AS share FROM part) p JOIN "User" u ON u.id = p.owner_id
WHERE u.id = @id;
"""
CONFIG = """\
version: "2"
mcp: {database: "${SHOP_URL}", queries: ["*"], writes: [AddPart], mask: ["User.E Mail"],
  forbid: [public.User.secret], max_rows: 7, max_bytes: 1000}
sql:
  - engine: postgresql
    schema: schema.sql
    queries: queries.sql
    gen: {python: {out: out, package: out, models: pydantic, json: {User.prefs: app.models.Prefs}}}
"""
MODELS = """\
from pathlib import Path

from pydantic import BaseModel

Path(__file__).with_name("imported").touch()


class Prefs(BaseModel):
    theme: str
"""
ROWS = """\
INSERT INTO "User" VALUES (1, '2000-01-01', 'a@b', '{"theme": "dark"}'),
    (2, '20000-01-01', 'c@d', '[7]');
INSERT INTO part SELECT n, 1, 'p' FROM generate_series(1, 9999) n;
INSERT INTO part VALUES (20000, 2, 'p');
"""


@pytest.fixture(scope="module")
def shop(postgres_server: TestPostgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """The project, its database and its role."""
    folder, owner = tmp_path_factory.mktemp("unproved"), postgres_server.create_empty("unproved")
    files = {"schema.sql": SCHEMA, "queries.sql": QUERIES, "sqlc.yaml": CONFIG}
    write_project(folder, {**files, "app/__init__.py": "", "app/models.py": MODELS})
    role = f"unproved_{secrets.token_hex(4)}"
    parts = urlsplit(owner)
    found = Shop(folder, owner, f"postgresql://{role}:pw@{parts.hostname}:{parts.port}{parts.path}")
    grants = found.command("--grants", role)
    assert grants.returncode == 0, grants.stderr
    with psycopg.connect(owner, autocommit=True) as connection:
        for text in (SCHEMA, ROWS, f"CREATE ROLE {role} LOGIN PASSWORD 'pw'"):
            connection.execute(text.encode())
        connection.execute(grants.stdout.encode())
    yield found
    postgres_server.drop(owner)


@pytest.fixture(scope="module")
def url(shop: Shop) -> Iterator[str]:
    """The URL of the tools."""
    with over_http(shop, free_port()) as found:
        yield found


async def called(url: str, tool: str, **given: Any) -> CallToolResult:
    """Call a tool over HTTP."""
    async with Client(streamable_http_client(url)) as client:
        return await client.call_tool(tool, given)


def test_a_column_with_blanks_and_capitals_is_protected(shop: Shop) -> None:
    assert shop.command("--list").stderr.splitlines() == [
        (
            "not a tool: queries.sql:Secrets: the query needs `public.User.secret`, which `forbid`"
            " lists"
        )
    ]


def test_a_misspelled_column_is_reported_with_a_similar_one(shop: Shop, tmp_path: Path) -> None:
    written = {
        "User.E Mial": "User.E Mail",
        "user.e mail": "User.E Mail",
        "public.User.EMail": "public.User.E Mail",
    }
    edited = CONFIG.replace("User.E Mail", '", "'.join(written))
    write_project(tmp_path, {"schema.sql": SCHEMA, "queries.sql": QUERIES, "sqlc.yaml": edited})
    write_project(tmp_path, {"app/__init__.py": "", "app/models.py": MODELS})
    ended = Shop(tmp_path, shop.owner, shop.url).command("--list")
    assert ended.returncode == 2
    found = re.findall(r"`mask` contains `(.*?)`.*?did you mean `(.*?)`", ended.stderr, re.DOTALL)
    assert dict(found) == written


async def test_declared_json_is_text_and_imports_no_code_of_the_application(
    url: str, shop: Shop
) -> None:
    found = [(await called(url, "get_prefs", id=n)).structured_content for n in (1, 2)]
    assert found == [
        {"row": {"id": 1, "prefs": '{"theme": "dark"}', "theme": "dark"}},
        {"row": {"id": 2, "prefs": "[7]", "theme": None}},
    ]
    assert not (shop.folder / "app" / "imported").exists()


async def test_a_value_that_the_tools_cannot_read_is_no_fault_of_the_arguments(
    shop: Shop, tmp_path: Path
) -> None:
    with (tmp_path / "log").open("w") as log:
        async with Client(stdio_client(shop.on_stdio(), errlog=log)) as client:
            failed = await client.call_tool("get_user", {"id": 2})
            found = await client.call_tool("get_user", {"id": 1})
    assert code_of(failed) == "internal_error"
    assert "20000" not in failed.model_dump_json()
    assert found.structured_content == {"row": {"born": "2000-01-01", "mail": "[masked]"}}
    assert "a tool failed: get_user" in (tmp_path / "log").read_text()


async def test_a_call_without_arguments_has_no_invalid_argument(url: str) -> None:
    assert code_of(await called(url, "shares")) == "query_failed"


async def test_a_page_always_has_a_size(url: str) -> None:
    async with Client(streamable_http_client(url)) as client:
        (tool,) = [one for one in (await client.list_tools()).tools if one.name == "page_users"]
    for given in ({"skip": 0}, {"skip": 0, "size": None}, {"skip": 0, "size": 8}):
        assert code_of(await called(url, "page_users", **given)) == "invalid_argument"
    page = await called(url, "page_users", skip=0, size=1)
    assert tool.input_schema["required"] == ["size", "skip"]
    assert tool.input_schema["properties"]["size"] == {
        "type": "integer", "minimum": 1, "maximum": 7,
    }  # fmt: skip
    assert page.structured_content == {"rows": [1], "total": 2, "truncated": False}


@pytest.mark.parametrize(
    ("tool", "given"),
    [
        ("get_parts_many", {"owner_ids": [2, 1]}),
        ("users_with_parts", {}),
        ("user_with_parts", {"id": 1}),
    ],
)
async def test_rows_are_not_read_far_beyond_the_limit(
    tool: str, given: dict[str, Any], url: str
) -> None:
    assert code_of(await called(url, tool, **given)) == "result_too_large"


async def test_few_rows_are_read_to_the_end(url: str) -> None:
    many = await called(url, "get_parts_many", owner_ids=[2, 3])
    one = await called(url, "user_with_parts", id=2)
    part = {"id": 20000, "share": 0}
    assert many.structured_content == {
        "entries": [{"key": 2, "rows": [part]}], "truncated": False
    }  # fmt: skip
    assert one.structured_content == {"row": {"id": 2, "parts": [{**part, "owner_id": 2}]}}


async def test_a_write_that_returns_a_row_is_committed(url: str, shop: Shop) -> None:
    added = await called(url, "add_part", id=30000)
    assert added.structured_content == {"row": 30000}
    with psycopg.connect(shop.owner) as connection:
        deleted = connection.execute("DELETE FROM part WHERE id = 30000 RETURNING name").fetchall()
    assert deleted == [("new",)]
