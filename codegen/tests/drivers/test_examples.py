"""The manual's examples with frameworks respond to requests with data of a real server."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.drivers.running import Engine

PAGE = Path(__file__).resolve().parents[2] / "docs" / "choose-a-driver.md"
EXAMPLE = r"```python\n(# (\w+), on driver: ([\w-]+)\n.*?)```"
EXAMPLES = re.findall(EXAMPLE, PAGE.read_text(), re.DOTALL)


def status_and_body(app: Any, framework: str, path: str) -> tuple[int, Any]:
    if framework == "Flask":
        answer = app.test_client().get(path)
        return answer.status_code, answer.get_json(silent=True)

    async def ask() -> tuple[int, Any]:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://app") as client:
            answer = await client.get(path)
            return answer.status_code, answer.json()

    return asyncio.run(ask())


def test_the_manual_has_both_colours() -> None:
    assert [name for _, name, _ in EXAMPLES] == ["FastAPI", "Flask"]


@pytest.mark.parametrize(
    ("code", "framework", "driver"), EXAMPLES, ids=[name for _, name, _ in EXAMPLES]
)
def test_the_example_answers(
    code: str,
    framework: str,
    driver: str,
    postgres: Engine,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with postgres.database() as url, postgres.compiled(tmp_path, driver) as package:
        postgres.run(url, "INSERT INTO author (name) VALUES ('ann')")
        monkeypatch.setenv("DATABASE_URL", url)
        namespace: dict[str, Any] = {"__name__": "example"}
        text = code.replace("from store", f"from {package}")
        exec(compile(text, str(PAGE), "exec"), namespace)
        app = namespace["app"]
        assert status_and_body(app, framework, "/authors/1") == (200, {"name": "ann", "bio": None})
        assert status_and_body(app, framework, "/authors/9")[0] == 404
