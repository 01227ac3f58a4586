"""Queries as tools: what is listed, what calls return, what is logged."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path

import httpx2
import pytest
from jsonschema import Draft202012Validator
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from tests.mcp.conftest import Connect
from tests.mcp.shop import Shop, over_http
from tests.mcp.test_attacks import code_of
from tests.servers.ports import free_port

REFUSED = {
    "NewestOrders": "the query is not proved to be read-only",
    "ClosedOrders": "the query is not proved to be read-only",
    "LockedOrders": "the query is not proved to be read-only",
    "DropNotes": "the query is not proved to be read-only",
    "AllOrders": "the query has no parameter `tenant_id` for `bind`",
    "Mails": "the view `mails` may read hidden columns",
    "MailOf": "the function `mail_of` may read hidden columns",
    "UpperMails": "the result column `upper` is an expression",
    "CountedMails": "a subquery in LIMIT or OFFSET decides the number of rows",
    "OrdersWithUsers": "the query needs `users.secret`",
    "WholeUsers": "the query needs `users.secret`",
    "UnionOfMails": "the result column `text` is an expression",
    "Secrets": "the query needs `users.secret`",
    "CopyOrders": "a `:copyfrom` query cannot be a tool",
    "SetVisit": "the trigger function `renamed` may put hidden columns into the returned rows",
    "AddOrders": "a `:bulk` query cannot be a tool",
}


def test_each_query_that_is_no_tool_is_named_with_its_reason(shop: Shop) -> None:
    listed = shop.command("--list")
    assert listed.returncode == 0
    said = dict(
        line.removeprefix("not a tool: queries.sql:").split(": ", 1)
        for line in listed.stderr.splitlines()
    )
    assert said.keys() == REFUSED.keys()
    assert {name: why for name, why in said.items() if REFUSED[name] not in why} == {}


async def test_a_tool_says_what_is_proved_of_its_query(connected: Connect) -> None:
    async with connected("one") as client:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
    user, pay = tools["get_user"], tools["pay_order"]
    assert user.description is not None
    assert user.description.startswith("Find a user by id.\n")
    assert "Proved to be read-only. Returns at most one row. Reads users (" in user.description
    assert user.description.endswith("Hides the values of email.")
    assert user.annotations is not None
    assert user.annotations.read_only_hint
    assert user.input_schema["properties"] == {"id": {"type": "integer"}}
    assert user.input_schema["additionalProperties"] is False
    assert pay.annotations is not None
    assert pay.annotations.destructive_hint
    sort = tools["list_orders"].input_schema["properties"]["sort"]
    assert sort["enum"] == ["id", "note"]


async def test_results_are_what_their_schema_says(connected: Connect) -> None:
    calls = {
        "get_user": {"id": 1},
        "list_orders": {"paid": False, "sort": "note"},
        "users_by_mood": {"moods": ["happy"]},
        "users_by_ids": {"ids": [2, 1]},
        "chunked": {"chunk": 1},
        "search_notes": {"words": "note 1"},
        "divided": {"divisor": 7},
        "slow": {"n": 3},
        "wide": {"n": 3},
        "renamed_mails": {},
    }
    async with connected("one") as client:
        for tool in (await client.list_tools()).tools:
            if tool.name in calls:
                result = await client.call_tool(tool.name, calls.pop(tool.name))
                assert not result.is_error, result
                assert tool.output_schema
                Draft202012Validator.check_schema(tool.input_schema)
                Draft202012Validator(tool.output_schema).validate(result.structured_content)
    assert calls == {}


async def test_every_type_of_a_row_has_a_form(connected: Connect) -> None:
    async with connected("one") as client:
        content = (await client.call_tool("get_user", {"id": 1})).structured_content
    assert content is not None
    row = content["row"]
    assert row.pop("created")
    assert row == {
        "id": 1, "email": "[masked]", "mood": "happy", "tags": ["x", "y z"], "score": "NaN",
        "balance": "0.00", "address": "10.0.0.1", "picture": "AP8=", "settings": '{"a": [1]}',
    }  # fmt: skip


async def test_masked_values_are_hidden_in_lists_too(connected: Connect) -> None:
    async with connected("one") as client:
        nested = (await client.call_tool("users_of_orders", {})).structured_content
        apart = (await client.call_tool("orders_by_mail", {})).structured_content
    assert nested is not None
    assert apart is not None
    assert [row["id"] for row in nested["rows"]] == [1, 2]
    for row in nested["rows"]:
        [user] = row["users"]
        assert (user["email"], user["id"], len(user["orders"])) == ("[masked]", 1, 30)
        assert user["orders"][0]["note"] == "note 1"
    assert [
        (row["id"], row["email"], [order["id"] for order in row["orders"]]) for row in apart["rows"]
    ] == [(2, "[masked]", [31]), (1, "[masked]", [30])]


async def test_a_listed_write_commits_and_counts(shop: Shop, connected: Connect) -> None:
    async with connected("two") as client:
        paid = (await client.call_tool("pay_order", {"id": 32})).structured_content
        orders = (await client.call_tool("list_orders", {"paid": True})).structured_content
    assert paid == {"affected": 1}
    assert orders is not None
    assert [row["id"] for row in orders["rows"]] == [32]
    assert any("(32,2,3" in str(row) and ",t," in str(row) for row in shop.content())


async def test_each_token_has_its_own_tenant(connected: Connect) -> None:
    async def ids(name: str) -> list[int]:
        async with connected(name) as client:
            content = (
                await client.call_tool("users_by_ids", {"ids": [1, 2, 3]})
            ).structured_content
            assert content is not None
            return [row["id"] for row in content["rows"]]

    assert await asyncio.gather(*(ids(name) for name in ("one", "two") * 5)) == [[1, 2], [3]] * 5


async def test_a_result_is_cut_at_the_policys_limit(connected: Connect) -> None:
    async with connected("one") as client:
        content = (await client.call_tool("list_orders", {})).structured_content
    assert content is not None
    assert len(content["rows"]) == 20
    assert content["truncated"] is True


async def test_the_audit_log_has_every_call_and_no_value(shop: Shop, connected: Connect) -> None:
    async with connected("one") as client:
        await client.call_tool("search_notes", {"words": "a-value-of-mine"})
        await client.call_tool("no_such_tool", {"x": "a-value-of-mine"})
    text = (shop.folder / "audit.jsonl").read_text()
    assert "a-value-of-mine" not in text
    last, worst = (json.loads(line) for line in text.splitlines()[-2:])
    assert (last["session"], last["tool"], last["outcome"]) == ("one", "search_notes", "ok")
    assert last["arguments"] == ["words"]
    assert (worst["tool"], worst["outcome"]) == ("no_such_tool", "unknown_tool")


@pytest.mark.parametrize("token", ["", "wrong", "token-of-one\0", "token-of-one "])
async def test_a_request_without_a_token_is_refused(served: str, token: str) -> None:
    headers = {"Authorization": f"Bearer {token}".encode()} if token else {}
    async with httpx2.AsyncClient() as http:
        try:
            answer = await http.post(served, json={}, headers=headers)
        except httpx2.LocalProtocolError:
            return  # the client does not even send it
    assert answer.status_code == (200 if token == "token-of-one " else 401)


async def test_a_web_page_of_another_origin_is_refused(served: str) -> None:
    headers = {"Authorization": "Bearer token-of-one", "Accept": "application/json"}
    async with httpx2.AsyncClient(headers=headers) as http:
        foreign = await http.post(served, json={}, headers={"Origin": "http://evil.example"})
        rebound = await http.post(served, json={}, headers={"Host": "evil.example"})
    assert foreign.status_code == 403
    assert rebound.status_code == 421


async def test_the_protocols_own_client_works_over_standard_input(shop: Shop) -> None:
    for mode in ("auto", "legacy"):
        async with Client(shop.on_stdio(), mode=mode) as client:
            assert len((await client.list_tools()).tools) == 14
            content = (await client.call_tool("get_user", {"id": 2})).structured_content
            assert content is not None
            assert content["row"]["score"] == 1.5


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc")
async def test_wide_rows_are_not_all_in_memory(shop: Shop) -> None:
    with over_http(shop, port := free_port()) as url:
        async with Client(streamable_http_client(url)) as client:
            assert code_of(await client.call_tool("wide", {"n": 10})) == ""
            before = peak_of(port)
            failed = await client.call_tool("wide", {"n": 1_000_000})
            assert code_of(failed) in {"result_too_large", "timeout"}
            assert peak_of(port) - before < 100_000


def peak_of(port: int) -> int:
    """Return the peak memory of the server on a port, in KiB."""
    (pid,) = (
        path.parent
        for path in Path("/proc").glob("[0-9]*/cmdline")
        if path.read_text().split("\0")[-3:-1] == ["--http", f"127.0.0.1:{port}"]
    )
    found = re.search(r"VmHWM:\s+(\d+)", (pid / "status").read_text())
    assert found
    return int(found[1])
