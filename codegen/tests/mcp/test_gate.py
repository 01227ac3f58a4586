"""The gate records each call, however it ends."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiosqlc.config.policy import McpPolicy
from aiosqlc.mcp.gate import Gate, Session
from aiosqlc.source import Span


async def test_a_call_that_its_caller_leaves_is_in_the_audit_log(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    running = asyncio.Event()

    async def forever(*_: Any) -> Any:
        running.set()
        await asyncio.Event().wait()

    records: list[dict[str, Any]] = []
    policy = McpPolicy(Span(0, 0), ("*",))
    gate = Gate({}, policy, None, lambda it: it, records.append)  # type: ignore[arg-type]
    monkeypatch.setattr(Gate, "_refusal", lambda *_: None)
    monkeypatch.setattr(Gate, "_admitted", forever)
    call = asyncio.create_task(gate.call(Session("one"), "get_user", {"id": 1}))
    await running.wait()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert [(one["tool"], one["outcome"]) for one in records] == [("get_user", "cancelled")]
