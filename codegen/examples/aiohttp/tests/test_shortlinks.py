"""Short links, as their visitors see them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from aiohttp.test_utils import TestClient
from aiohttp.web import Application, Request
from shortlinks.app import create_app

Client = TestClient[Request, Application]
DOCS = {"slug": "docs", "target": "https://example.org/docs"}


@pytest.fixture
async def client(
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
    aiohttp_client: Callable[[Application], Awaitable[Client]],
) -> Client:
    monkeypatch.setenv("DATABASE_URL", database_url)
    return await aiohttp_client(create_app())


async def test_a_link_leads_on_and_counts_its_visits(client: Client) -> None:
    made = await client.post("/links", json=DOCS)
    assert (made.status, await made.json()) == (201, DOCS)
    visited = await client.get("/docs", allow_redirects=False)
    assert (visited.status, visited.headers["Location"]) == (302, DOCS["target"])
    assert await (await client.get("/links")).json() == [{**DOCS, "visits": 1}]


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        (DOCS, 409, "that name is taken"),
        ({**DOCS, "slug": "No!"}, 400, "a name has small letters, digits and hyphens"),
        ({**DOCS, "target": "javascript:"}, 400, "the target must be a web address"),
        ({"slug": "x"}, 400, "Object missing required field `target`"),
    ],
)
async def test_an_invalid_link_is_rejected_with_a_reason(
    client: Client, body: object, status: int, error: str
) -> None:
    await client.post("/links", json=DOCS)
    refused = await client.post("/links", json=body)
    assert (refused.status, await refused.json()) == (status, {"error": error})
    assert (await client.get("/nothing", allow_redirects=False)).status == 404
