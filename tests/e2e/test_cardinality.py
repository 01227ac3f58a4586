"""For any requests of strangers, a page of metrics stays far below the limits of Prometheus."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator

import aiohttp
import pytest

from codegen.tests.documents import read_yaml
from devstack.settings import ROOT, plural_of, service_names
from devstack.testing.wait import eventually

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW")
LIMIT = read_yaml(ROOT / "observability/prometheus/prometheus.yml")["scrape_configs"][0][
    "sample_limit"
]
AT_ONCE = 16


def documented() -> Iterator[tuple[str, str]]:
    """Return each service and path in the documents, with IDs that cannot exist."""
    for document in sorted((ROOT / "api" / "swagger").glob("*.yaml")):
        for path in read_yaml(document)["paths"]:
            yield document.stem.partition(".")[0], re.sub(r"\{\w+\}", "nothing", path)


async def attack(session: aiohttp.ClientSession, urls: list[str]) -> int:
    """Send every method to every URL without a token; return the number of requests."""
    asked = [(method, url) for url in urls for method in METHODS]
    waiting = iter(asked)

    async def one_after_another() -> None:
        for method, url in waiting:
            async with session.request(method, url, data=b"{", allow_redirects=False) as answer:
                assert answer.status < 500, (method, url)

    await asyncio.gather(*(one_after_another() for _ in range(AT_ONCE)))
    return len(asked)


async def samples(session: aiohttp.ClientSession, port: int) -> list[str]:
    async with session.get(f"http://127.0.0.1:{port}/metrics") as answer:
        return [line for line in (await answer.text()).splitlines() if not line.startswith("#")]


@pytest.fixture
async def session():
    async with aiohttp.ClientSession() as session:
        yield session


async def test_every_method_on_every_path_leaves_each_service_far_below_the_limit(stack, session):
    urls = [
        f"http://127.0.0.1:{stack.port(f'{name.upper()}_PORT')}{path}"
        for name, path in documented()
    ]
    assert await attack(session, urls) > 700
    for name in service_names():
        assert len(await samples(session, stack.port(f"{name.upper()}_PORT"))) < LIMIT / 2, name


async def test_every_method_on_every_path_leaves_the_gateway_far_below_the_limit(stack, session):
    urls = [
        f"{stack.url}/api/{plural_of(name)}/v1{path.removeprefix('/api/v1')}"
        for name, path in documented()
    ]
    port = stack.port("NGINX_EXPORTER_PORT")

    async def counted() -> float:
        lines = await samples(session, port)
        return sum(float(line.split()[-1]) for line in lines if "_exporter_lines_total" in line)

    before = await counted()
    sent = await attack(session, urls)

    async def all_counted() -> bool:
        return await counted() >= before + sent

    await eventually(all_counted)
    lines = await samples(session, port)
    assert len(lines) < LIMIT / 2
    assert [line for line in lines if 'route="/api' in line and 'status="405"' in line] == []
