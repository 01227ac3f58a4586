"""An assistant that writes queries can check drafts, and cannot run them."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from mcp import Client, StdioServerParameters

from tests.mcp.shop import QUERIES, SCHEMA
from tests.mcp.test_attacks import code_of
from tests.projects import write_project

CONFIG = """\
version: "2"
sql:
  - {engine: postgresql, schema: schema.sql, queries: queries.sql, gen: {python: {out: out}}}
"""
FRAGMENT = "-- fragment: of_tenant(u)\nu.tenant_id = @tenant;\n"


async def test_drafts_are_checked_and_only_the_projects_queries_run(tmp_path: Path) -> None:
    write_project(
        tmp_path, {"schema.sql": SCHEMA, "queries.sql": FRAGMENT + QUERIES, "sqlc.yaml": CONFIG}
    )
    secret = tmp_path / "secret.txt"
    secret.write_text("a-secret-of-this-machine")
    made = tmp_path / "made-by-a-draft"
    started = StdioServerParameters(
        command=sys.executable, args=["-m", "aiosqlc", "mcp", "--author"], cwd=tmp_path,
        env=dict(os.environ),
    )  # fmt: skip
    async with Client(started) as client:

        async def call(tool: str, **arguments: str) -> dict[str, Any]:
            result = await client.call_tool(tool, arguments)
            assert result.structured_content is not None, result
            return result.structured_content

        async def drafted(sql: str) -> dict[str, Any]:
            return await call("check_draft", sql=f"-- name: Draft :many\n{sql}")

        tables = [table["name"] for table in (await call("list_tables"))["tables"]]
        assert {"users", "orders", "mails"} <= set(tables)
        (users,) = (await call("describe_table", table="users"))["tables"]
        assert users["columns"][0] == {
            "name": "id", "type": "int4", "not_null": True, "has_default": False, "comment": "",
        }  # fmt: skip
        assert len((await call("list_queries"))["queries"]) == QUERIES.count("-- name:")
        assert "at most one row" in (await call("explain_query", name="GetUser"))["text"]
        assert "Scan" in (await call("query_plan", name="ListOrders"))["text"]
        assert (await call("sample_rows", name="ListOrders"))["text"]

        good = await drafted("SELECT email FROM users WHERE id = @id;")
        assert good["ok"]
        assert "email: text NOT NULL" in good["queries"][0]
        bad = await drafted("SELECT nope FROM users;")
        assert not bad["ok"]
        assert "draft.sql:2" in bad["diagnostics"]
        page = "-- name: Draft :page\nSELECT id FROM users ORDER BY tenant_id"
        assert "E391" in (await call("check_draft", sql=f"{page};"))["diagnostics"]
        assert (await call("check_draft", sql=f"{page}, id;"))["ok"]
        included = "-- fragment: own(u)\nu.id > 1;\n-- name: Draft :many\nSELECT u.id FROM users u "
        own = await call("check_draft", sql=f"{included}WHERE sqlc.include(own, u);")
        assert own["ok"], own
        shared = await drafted("SELECT u.id FROM users u WHERE sqlc.include(of_tenant, u);")
        assert shared["ok"], shared
        assert "tenant: int4" in shared["queries"][0]
        advised = await drafted("SELECT id FROM users WHERE email = NULL;")
        assert "V0" in advised["diagnostics"]

        for sql in (
            f"SELECT pg_read_file('{secret}') AS x; -- column: x str!",
            f"-- column: x str!\nSELECT pg_read_file('{secret}') AS x;",
            f"SELECT pg_read_file('{secret}')::int AS x;",
            f"COPY (SELECT 1) TO PROGRAM 'touch {made}';",
            f"SELECT lo_export(lo_from_bytea(0, 'x'), '{made}');",
        ):
            assert "a-secret" not in str(await drafted(sql))
        assert not made.exists()
        refused = {
            "no such query": ("sample_rows", {"name": "Draft"}),
            "SQL for a name": ("query_plan", {"name": "GetUser; DROP TABLE users"}),
            "no such table": ("describe_table", {"table": "pg_authid"}),
            "too long": ("check_draft", {"sql": "x" * 20_001}),
            "NUL": ("check_draft", {"sql": "a\0"}),
            "another type": ("check_draft", {"sql": ["SELECT 1"]}),
            "no argument": ("check_draft", {}),
            "too many queries": ("check_draft", {"sql": "".join(
                f"-- name: Q{n} :one\nSELECT 1;\n" for n in range(21))}),
        }  # fmt: skip
        for idea, (tool, arguments) in refused.items():
            assert code_of(await client.call_tool(tool, arguments)) == "invalid_argument", idea
        assert code_of(await client.call_tool("get_user", {"id": 1})) == "unknown_tool"
