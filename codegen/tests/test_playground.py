"""The playground compiles what it is given, and what it is given can do no harm."""

from __future__ import annotations

import http.client
import http.server
import json
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from os import environ
from pathlib import Path

import pytest
from aiosqlc.playground.sandbox import Answer, Sandbox
from aiosqlc.playground.server import MOST_BYTES, PlaygroundServer
from aiosqlc.servers.postgres.connection import Connection
from playwright.sync_api import expect, sync_playwright

from tests.servers.programs import program

SCHEMA = "CREATE TABLE author (id int PRIMARY KEY, name text NOT NULL, bio text);"
QUERIES = "-- name: GetAuthor :one\nSELECT * FROM author WHERE id = @id;\n"
# Where every account may write, so that a write that succeeds is seen.
MARK = Path(tempfile.gettempdir()) / "aiosqlc-playground-escaped"
# What a schema is not asked for: it is left out, and without effect.
LEFT_OUT = [
    "ALTER SYSTEM SET archive_command = 'true'",
    "ALTER ROLE playground_writer SUPERUSER",
    "CREATE DATABASE other",
    "CREATE SUBSCRIPTION s CONNECTION 'host=127.0.0.1' PUBLICATION p",
]
# What a schema may try, and what the server says to it.
ATTACKS = {
    "SELECT pg_read_file('/etc/passwd')": "permission denied for function pg_read_file",
    "SELECT pg_ls_dir('/')": "permission denied for function pg_ls_dir",
    "SELECT lo_import('/etc/passwd')": "permission denied for function lo_import",
    f"COPY (SELECT 1) TO PROGRAM 'touch {MARK}'": "denied to COPY to or from an external",
    f"COPY (SELECT 1) TO '{MARK}'": "permission denied to COPY to a file",
    "CREATE TABLE stolen (line text); COPY stolen FROM '/etc/passwd'": "permission denied to COPY",
    "CREATE EXTENSION pgcrypto": "pgcrypto",
    "CREATE EXTENSION dblink": "dblink",
    "CREATE EXTENSION postgres_fdw": "postgres_fdw",
    "CREATE FUNCTION run(text) RETURNS int AS '/lib/libc.so.6', 'system' LANGUAGE c": "language c",
    "CREATE FUNCTION run(text) RETURNS text AS 'pg_read_file' LANGUAGE internal": "internal",
    "DO $$ BEGIN EXECUTE 'ALTER ROLE playground_writer SUPERUSER'; END $$": "denied to alter role",
    "CREATE ROLE other SUPERUSER": "permission denied to create role",
    "GRANT pg_execute_server_program TO playground_writer": "permission denied to grant role",
    "SET ROLE postgres": "permission denied to set role",
    "SET SESSION AUTHORIZATION postgres": "permission denied to set session authorization",
    "CREATE SCHEMA other": "permission denied for database",
    "SELECT pg_reload_conf()": "permission denied for function pg_reload_conf",
    "SELECT passwd FROM pg_shadow": "permission denied for view pg_shadow",
    "CREATE TABLE big AS SELECT repeat(repeat('x', 1000000), 1000) AS x": "out of memory",
}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(seconds=20) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def attacked(sandbox: Sandbox) -> str:
    """What is said to all attacks, each a statement of one schema."""
    MARK.unlink(missing_ok=True)
    return sandbox.compile(";\n".join(ATTACKS), QUERIES, "dataclass").problems


@pytest.mark.parametrize(("attack", "refusal"), ATTACKS.items())
def test_what_would_leave_the_database_is_refused(attacked: str, attack: str, refusal: str) -> None:
    assert refusal in attacked
    assert not MARK.exists()


def test_what_is_left_out_has_no_effect(sandbox: Sandbox) -> None:
    sandbox.compile(";\n".join([*LEFT_OUT, SCHEMA]), QUERIES, "dataclass")
    assert sandbox._server
    with Connection(sandbox._server.admin) as admin:
        assert admin.rows("SELECT 1 FROM pg_roles WHERE rolsuper AND rolname ~ 'playground'") == []
        assert admin.rows("SELECT datname FROM pg_database WHERE datname = 'other'") == []
        assert admin.rows("SELECT name FROM pg_file_settings WHERE name ~ 'archive'") == []
        assert admin.rows("SELECT subname FROM pg_subscription") == []


def test_a_page_gets_code_reasons_and_plans(sandbox: Sandbox) -> None:
    answer = sandbox.compile(SCHEMA, QUERIES, "msgspec")
    assert (
        "async def get_author(db: Executor, *, id: int) -> Author | None:"
        in (answer.files["queries.py"])
    )
    assert "class Author(msgspec.Struct" in answer.files["models.py"]
    assert (answer.problems, "GetAuthor" in answer.reasons) == ("", True)
    assert "author_pkey" in answer.plan


ENDLESS = [
    "SET statement_timeout = 0; SELECT pg_sleep(600)",
    "DO $$ BEGIN LOOP END LOOP; END $$",
    "CREATE TABLE n AS WITH RECURSIVE r AS (SELECT 1 UNION ALL SELECT 1 FROM r) SELECT * FROM r",
]


@pytest.mark.parametrize("schema", ENDLESS)
def test_what_never_ends_is_ended(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, schema: str
) -> None:
    started = time.monotonic()
    with monkeypatch.context() as short:
        short.setattr(sandbox, "_seconds", 0.8)
        answer = sandbox.compile(schema, QUERIES, "dataclass")
    assert answer == Answer(problems="stopped after 0.8 seconds\n")
    assert time.monotonic() - started < 30
    assert sandbox.compile(SCHEMA, QUERIES, "dataclass").problems == ""


def test_a_query_is_planned_and_never_run(sandbox: Sandbox) -> None:
    schema = """
        CREATE TABLE seen (id int);
        CREATE FUNCTION note() RETURNS int IMMUTABLE LANGUAGE plpgsql AS
            $$ BEGIN INSERT INTO seen VALUES (1); RETURN 1; END $$;
    """
    answer = sandbox.compile(schema, "-- name: Note :one\nSELECT note() AS n;\n", "dataclass")
    assert answer.plan == ""  # to plan it, the server would have to run it, and it may not write
    answer = sandbox.compile(
        schema, "-- name: Add :exec\nINSERT INTO seen VALUES (1);\n", "dataclass"
    )
    assert "ModifyTable" in answer.plan


def test_nothing_of_one_page_is_there_for_the_next(sandbox: Sandbox) -> None:
    sandbox.compile(
        f"{SCHEMA} ALTER ROLE playground_writer SET search_path = nowhere", QUERIES, "attrs"
    )
    answer = sandbox.compile("", QUERIES, "attrs")
    assert "author" in answer.problems
    assert sandbox.compile(SCHEMA, QUERIES, "attrs").problems == ""


# --- over HTTP -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def server(sandbox: Sandbox) -> Iterator[PlaygroundServer]:
    with PlaygroundServer(0, sandbox) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def ask(
    server: PlaygroundServer, method: str, path: str, body: bytes = b"", **headers: str
) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_address[1], timeout=30)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path, body or None, named)
    answer = connection.getresponse()
    found = (answer.status, answer.read())
    connection.close()
    return found


JSON = "application/json"
BODY = json.dumps({"schema": SCHEMA, "queries": QUERIES, "models": "dataclass"}).encode()


def test_the_page_and_its_question_are_answered(server: PlaygroundServer) -> None:
    assert server.server_address[0] == "127.0.0.1"
    for path in ("/", "/app.js", "/style.css"):
        assert ask(server, "GET", path)[0] == 200
    status, body = ask(server, "POST", "/compile", BODY, Content_Type=JSON)
    assert (status, json.loads(body)["problems"]) == (200, "")


@pytest.mark.parametrize(
    ("method", "path", "body", "headers", "status"),
    [
        ("GET", "/", b"", {"Host": "evil.example"}, 403),
        ("GET", "/", b"", {"Host": "127.0.0.1.evil.example:8765"}, 403),
        ("POST", "/compile", BODY, {"Content_Type": JSON, "Host": "evil.example"}, 403),
        ("POST", "/compile", BODY, {"Content_Type": JSON, "Origin": "http://evil.example"}, 403),
        ("POST", "/compile", BODY, {"Content_Type": JSON, "Origin": "null"}, 403),
        ("POST", "/compile", BODY, {"Content_Type": "text/plain"}, 403),
        ("POST", "/compile", b"x" * (MOST_BYTES + 1), {"Content_Type": JSON}, 413),
        ("POST", "/compile", b"{", {"Content_Type": JSON}, 400),
        ("POST", "/compile", BODY.replace(b"dataclass", b"../../x"), {"Content_Type": JSON}, 400),
        ("GET", "/../sandbox.py", b"", {}, 404),
    ],
)
def test_nobody_else_is_answered(
    server: PlaygroundServer,
    method: str,
    path: str,
    body: bytes,
    headers: dict[str, str],
    status: int,
) -> None:
    assert ask(server, method, path, body, **headers)[0] == status


def test_a_browser_that_leaves_out_the_default_port_is_answered(
    server: PlaygroundServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ask(server, "GET", "/", Host="127.0.0.1")[0] == 403
    monkeypatch.setattr(server, "server_port", 80)
    assert ask(server, "GET", "/", Host="127.0.0.1")[0] == 200
    assert ask(server, "GET", "/", Host="127.0.0.1", Origin="http://localhost")[0] == 200


def test_the_limits_need_no_module_that_the_servers_account_may_not_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "resource", None)  # as below a home that is closed to it
    with Sandbox() as sandbox:
        assert sandbox.compile(SCHEMA, QUERIES, "dataclass").problems == ""


@pytest.mark.browser
def test_a_page_compiles_while_somebody_types(server: PlaygroundServer) -> None:
    path = program("chromium", "chromium-browser", "google-chrome")
    wrong: list[str] = []
    with sync_playwright() as playwright:
        flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        browser = playwright.chromium.launch(executable_path=path, args=flags)
        page = browser.new_page(viewport={"width": 360, "height": 740})
        page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.goto(f"http://localhost:{server.server_port}/")
        expect(page.locator("#code")).to_contain_text("async def get_author", timeout=30_000)
        page.locator("#queries").fill("-- name: Broken :one\nSELECT nme FROM author;\n")
        expect(page.locator("#problems")).to_contain_text("nme", timeout=30_000)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        if pictures := environ.get("SITE_PICTURES"):
            page.set_viewport_size({"width": 1280, "height": 900})
            page.screenshot(path=f"{pictures}/playground.png")
        browser.close()
    assert wrong == []


FROM_ELSEWHERE = """async ([there, body]) => {
    const seen = [];
    for (const options of [
        {}, {mode: "no-cors"}, {headers: {"Content-Type": "application/json"}},
        {mode: "no-cors", headers: {"Content-Type": "text/plain"}},
        {mode: "no-cors", headers: {"Content-Type": "application/x-www-form-urlencoded"}},
    ]) {
        const sent = fetch(there + "/compile", {method: "POST", body, ...options});
        seen.push(await sent.then(answer => answer.type, () => "refused"));
    }
    return seen;
}"""


@pytest.mark.browser
def test_no_page_of_somebody_else_has_anything_compiled(
    server: PlaygroundServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From another port, and under a name that leads to this machine (DNS rebinding)."""
    compiled: list[str] = []

    def compile_(schema: str, *_: str) -> Answer:
        compiled.append(schema)
        return Answer()

    monkeypatch.setattr(server.sandbox, "compile", compile_, raising=False)
    path = program("chromium", "chromium-browser", "google-chrome")
    there, port = f"http://127.0.0.1:{server.server_port}", server.server_port
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    rebound = "--host-resolver-rules=MAP evil.example 127.0.0.1"
    with sync_playwright() as playwright, _other() as other:
        browser = playwright.chromium.launch(executable_path=path, args=[*flags, rebound])
        page = browser.new_page()
        page.goto(f"http://127.0.0.1:{other}/")
        seen = page.evaluate(FROM_ELSEWHERE, [there, BODY.decode()])
        assert set(seen) <= {"refused", "opaque"}  # of which a page reads nothing
        answer = page.goto(f"http://evil.example:{port}/")
        assert answer is not None
        assert answer.status == 403
        assert page.evaluate(FROM_ELSEWHERE, [f"http://evil.example:{port}", BODY.decode()])
        assert compiled == []
        # The page itself may.
        page.goto(f"{there}/")
        expect(page.locator("#queries")).not_to_be_empty()
        deadline = time.monotonic() + 30
        while not compiled and time.monotonic() < deadline:
            page.wait_for_timeout(20)
        assert compiled
        browser.close()


@contextmanager
def _other() -> Iterator[int]:
    """A page of somebody else's on this machine."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Empty) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


class _Empty(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""
