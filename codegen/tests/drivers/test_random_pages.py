"""Random pages by sort keys, while rows are added and removed, contain each remaining row once."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from bench.pages.__main__ import PROJECT, Connected, draw, on_mysql, on_postgres
from bench.rows.turns import compile_into

pytestmark = pytest.mark.long


@pytest.mark.parametrize(
    ("server", "connect"), [("postgres_server", on_postgres), ("mysql_server", on_mysql)]
)
async def test_random_pages_lose_and_repeat_no_row(
    request: pytest.FixtureRequest,
    server: str,
    connect: Callable[[str], Awaitable[Connected]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    compile_into(PROJECT, tmp_path)
    try:
        found = await connect(request.getfixturevalue(server).create_empty())
        assert await draw(found, 400, seed=5) > 400
        for close in found.closing:
            close()
    finally:
        for name in [name for name in sys.modules if name.startswith("pages_")]:
            del sys.modules[name]
