"""Tools on MySQL and MariaDB: the same limits with the features of these servers."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from urllib.parse import urlsplit

import pymysql
import pytest
from aiosqlc.mcp.mysql import excess_of
from mcp import Client, StdioServerParameters

from tests.mcp.test_attacks import code_of
from tests.projects import write_project
from tests.servers.mysql import TestMysql

SCHEMA = """\
CREATE TABLE users (id int PRIMARY KEY, tenant_id int NOT NULL, email varchar(99) NOT NULL,
    mood enum('happy', 'sad') NOT NULL, born datetime, size double);
CREATE TABLE orders (id int PRIMARY KEY, tenant_id int NOT NULL, paid tinyint(1) NOT NULL);
CREATE TABLE ticks (id int PRIMARY KEY);
"""
QUERIES = """\
-- name: GetUser :one :batchget(id)
SELECT id, email, mood, born, size FROM users
WHERE id = sqlc.arg(id) AND tenant_id = sqlc.arg(tenant_id);
-- name: ListUsers :many
SELECT id FROM users WHERE tenant_id = sqlc.arg(tenant_id) AND id IN (sqlc.slice(ids))
ORDER BY id;
-- name: WalkUsers :page
SELECT id FROM users WHERE tenant_id = sqlc.arg(tenant_id) ORDER BY email DESC, id;
-- name: Search :many
SELECT id FROM users WHERE tenant_id = sqlc.arg(tenant_id) AND email LIKE sqlc.arg(pattern)
ORDER BY id;
-- name: Slow :many
SELECT count(*) FROM ticks a, ticks b, ticks c, ticks d, ticks e, ticks f
WHERE a.id = sqlc.arg(tenant_id) AND a.id + b.id + c.id + d.id + e.id + f.id < 0;
-- name: PayOrder :execrows
UPDATE orders SET paid = true WHERE id = sqlc.arg(id) AND tenant_id = sqlc.arg(tenant_id);
-- name: DropOrders :exec
DELETE FROM orders WHERE tenant_id = sqlc.arg(tenant_id);
"""
POLICY = """\
version: "2"
mcp: {database: "${SHOP_URL}", queries: ["*"], writes: [PayOrder], mask: [users.email], timeout: 1,
  max_rows: 3, bind: {tenant_id: SHOP_TENANT}}
sql:
  - {engine: mysql, schema: schema.sql, queries: queries.sql, gen: {python: {out: out}}}
"""
FILL = """\
INSERT INTO users SELECT n, 1 + (n % 2), concat('u', n), 'happy', '2020-02-03', 1.5
FROM (WITH RECURSIVE s (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 99)
    SELECT n FROM s) numbers
"""
COMMAND = (sys.executable, "-m", "aiosqlc", "mcp")


@pytest.fixture(scope="module")
def started(
    mysql_server: TestMysql, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[StdioServerParameters]:
    """Return how a client starts the tools with a role that has the needed privileges."""
    owner = mysql_server.create_empty()
    parts = urlsplit(owner)
    folder = tmp_path_factory.mktemp("mysql-shop")
    write_project(folder, {"schema.sql": SCHEMA, "queries.sql": QUERIES, "sqlc.yaml": POLICY})
    role = f"tools_{secrets.token_hex(4)}"
    grants = subprocess.run(
        [*COMMAND, "--grants", role], cwd=folder, capture_output=True, text=True, check=True
    ).stdout
    connection = pymysql.connect(
        host=parts.hostname, port=parts.port or 3306, user=parts.username,
        password=parts.password or "", database=parts.path[1:], autocommit=True,
    )  # fmt: skip
    statements = [
        *SCHEMA.split(";"),
        f"CREATE USER {role}@'%' IDENTIFIED BY 'pw'",
        *(line.replace(f"`{role}`", f"{role}@'%'") for line in grants.split(";")),
        FILL,
        "INSERT INTO ticks SELECT id FROM users",
        "INSERT INTO orders VALUES (1, 1, 0), (2, 2, 0)",
        "SET sql_mode = ''",
        "UPDATE users SET born = '0000-00-00' WHERE id = 98",
    ]
    with connection.cursor() as cursor:
        for statement in statements:
            if statement.strip():
                cursor.execute(statement)
    url = f"mysql://{role}:pw@{parts.hostname}:{parts.port}{parts.path}"
    yield StdioServerParameters(
        command=COMMAND[0], args=list(COMMAND[1:]), cwd=folder,
        env={**os.environ, "SHOP_URL": url, "SHOP_TENANT": "1"},
    )  # fmt: skip
    connection.close()
    mysql_server.drop(owner)


async def test_tools_answer_within_their_tenant_and_their_limits(
    started: StdioServerParameters,
) -> None:
    async with Client(started) as client:
        names = [tool.name for tool in (await client.list_tools()).tools]
        assert names == [
            "get_user", "list_users", "walk_users", "search", "slow", "pay_order", "get_user_many"
        ]  # fmt: skip
        user = (await client.call_tool("get_user", {"id": 2})).structured_content
        assert user == {
            "row": {
                "id": 2, "email": "[masked]", "mood": "happy",
                "born": "2020-02-03T00:00:00", "size": 1.5,
            }
        }  # fmt: skip
        other = (await client.call_tool("get_user", {"id": 1})).structured_content
        assert other == {"row": None}
        assert code_of(await client.call_tool("get_user", {"id": 98})) == "internal_error"
        listed = (await client.call_tool("list_users", {"ids": [1, 2, 3, 4]})).structured_content
        assert listed == {"rows": [2, 4], "truncated": False}
        cut = (await client.call_tool("search", {"pattern": "%"})).structured_content
        assert cut == {"rows": [2, 4, 6], "truncated": True}
        quoted = await client.call_tool("search", {"pattern": "' OR 1=1 -- \\"})
        assert quoted.structured_content == {"rows": [], "truncated": False}
        assert code_of(await client.call_tool("slow", {})) == "timeout"
        assert code_of(await client.call_tool("drop_orders", {})) == "unknown_tool"
        paid = [(await client.call_tool("pay_order", {"id": n})).structured_content for n in (1, 2)]
        assert paid == [{"affected": 1}, {"affected": 0}]


def test_a_role_that_can_do_more_is_refused(
    started: StdioServerParameters, mysql_server: TestMysql
) -> None:
    environ = {**(started.env or {}), "SHOP_URL": mysql_server.url}
    ended = subprocess.run(
        [started.command, *started.args], cwd=started.cwd, env=environ, check=False,
        capture_output=True, text=True, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert ended.returncode == 2
    assert (
        "the role of `mcp.database` has more privileges than the tools need: it has ALL"
        in ended.stderr
    )


@pytest.mark.parametrize(
    ("line", "written", "excess"),
    [
        ("GRANT SELECT (`created`, `updated_at`, `a ON b`) ON `s`.`users` TO `r`@`%`", "", []),
        ("GRANT SELECT (`a), DROP (b`) ON `s`.`users` TO `r`@`%`", "", []),
        ("GRANT SELECT, UPDATE (`paid`) ON `s`.`orders` TO `r`@`%`", "orders", []),
        ('GRANT SELECT, UPDATE ("paid") ON "s"."orders" TO "r"@"%"', "orders", []),
        ("GRANT SELECT, UPDATE (`paid`) ON `s`.`orders` TO `r`@`%`", "", ["UPDATE"]),
        ("GRANT UPDATE (`name`) ON `s`.`users` TO `r`@`%`", "orders", ["UPDATE"]),
        ("GRANT SELECT, DELETE ON `s`.* TO `r`@`%`", "orders", ["DELETE"]),
        ("GRANT SELECT, INSERT ON *.* TO `r`@`%`", "orders", ["INSERT"]),
        ('GRANT SELECT, UPDATE ON "s"."users" TO "r"@"%"', "orders", ["UPDATE"]),
        ("GRANT TRIGGER ON `s`.`orders` TO `r`@`%`", "orders", ["TRIGGER"]),
        ("GRANT USAGE ON *.* TO `r`@`%` WITH GRANT OPTION", "orders", ["GRANT OPTION"]),
    ],
)
def test_a_grant_exceeds_the_tools_where_it_changes_more_than_they_write(
    line: str, written: str, excess: list[str]
) -> None:
    assert excess_of(line, frozenset({written} - {""})) == excess


async def test_pages_and_many_keys_are_those_of_the_tenant(started: StdioServerParameters) -> None:
    async with Client(started) as client:
        found, cursor = [], None
        while True:
            page = await client.call_tool("walk_users", {"page_size": 3, "cursor": cursor})
            content = page.structured_content or {}
            found += content["rows"]
            if (cursor := content["next"]) is None:
                break
        assert sorted(found) == [number for number in range(1, 100) if number % 2 == 0]
        assert found == sorted(found, key=lambda number: f"u{number}", reverse=True)
        many = await client.call_tool("get_user_many", {"ids": [2, 3, 4]})
        entries = (many.structured_content or {})["entries"]
        assert {entry["key"]: entry["row"]["id"] for entry in entries} == {2: 2, 4: 4}
        wide = await client.call_tool("get_user_many", {"ids": [2, 4, 6, 8]})
        assert code_of(wide) == "invalid_argument"
