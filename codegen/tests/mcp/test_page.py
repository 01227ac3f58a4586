"""The page about tools for assistants works as written."""

from __future__ import annotations

import json
import os
import re
import secrets
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from aiosqlc.mcp import gate, mysql, postgres, server
from mcp import Client, StdioServerParameters

from tests.projects import write_project
from tests.servers.postgres import TestPostgres

PAGE = (Path(__file__).parents[2] / "docs" / "assistants.md").read_text()
SCHEMA = "CREATE TABLE users (id int PRIMARY KEY, tenant_id int NOT NULL, email text NOT NULL);\n"
QUERIES = """\
-- name: GetUser :one
SELECT id, email FROM users WHERE id = @id AND tenant_id = @tenant_id;
-- name: ListUsers :many
SELECT id FROM users WHERE tenant_id = @tenant_id;
"""


def block(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    assert found
    return found[1]


async def test_the_five_minutes_end_with_a_tool_that_answers(
    postgres_server: TestPostgres, tmp_path: Path
) -> None:
    write_project(
        tmp_path,
        {"schema.sql": SCHEMA, "queries.sql": QUERIES, "sqlc.yaml": block("yaml")},
    )
    owner = postgres_server.create_empty("page")
    role = f"page_{secrets.token_hex(4)}"
    command = f"aiosqlc mcp --grants {role}"
    assert command.replace(role, "shop_tools") in PAGE

    def run(*options: str) -> str:
        return subprocess.run(
            [sys.executable, "-m", "aiosqlc", "mcp", *options],
            cwd=tmp_path, capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip

    assert "get_user(id)" in run("--list")
    with psycopg.connect(owner, autocommit=True) as connection:
        connection.execute(SCHEMA)
        connection.execute("INSERT INTO users VALUES (1, 7, 'a@b'), (2, 8, 'c@d')")
        connection.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'pw'")
        connection.execute(run("--grants", role).encode())
    entry = json.loads(block("json"))["mcpServers"]["shop"]
    assert (entry["command"], entry["args"][:2]) == ("aiosqlc", ["mcp", "-f"])
    parts = urlsplit(owner)
    url = f"postgresql://{role}:pw@{parts.hostname}:{parts.port}{parts.path}"
    started = StdioServerParameters(
        command=sys.executable,
        args=["-m", "aiosqlc", "mcp", "-f", str(tmp_path / "sqlc.yaml")],
        env={**os.environ, **entry["env"], "MCP_DATABASE_URL": url},
    )
    async with Client(started) as client:
        mine = await client.call_tool("get_user", {"id": 1})
        others = await client.call_tool("get_user", {"id": 2})
    assert mine.structured_content == {"row": {"id": 1, "email": "a@b"}}
    assert others.structured_content == {"row": None}
    postgres_server.drop(owner)


def test_every_code_of_a_failure_is_on_the_page() -> None:
    sources = "".join(Path(str(module.__file__)).read_text() for module in (gate, server))
    codes = set(re.findall(r'Failure\(\s*"(\w+)"', sources))
    codes |= {known[0] for known in (*postgres._KNOWN.values(), *mysql._KNOWN.values())}
    codes |= {"query_failed"}
    assert set(re.findall(r"^\| `(\w+)` \| ", PAGE, re.MULTILINE)) >= codes
