"""The gateway's own behaviour: error envelopes, no internal paths, limits and logs."""

from __future__ import annotations

import json
import re
from pathlib import Path
from uuid import uuid4

import aiohttp
import pytest
import yaml

from devstack.settings import Settings
from devstack.testing.wait import eventually


@pytest.fixture
async def http(stack):
    async with aiohttp.ClientSession(stack.url) as session:
        yield session


async def test_the_gateway_says_that_it_is_well(http):
    async with http.get("/healthz") as answer:
        assert (answer.status, await answer.json()) == (200, {"status": "ok"})


@pytest.mark.parametrize(
    "path",
    [
        "/metrics", "/health", "/livez", "/readyz", "/api", "/api/", "/api/users/v1",
        "/api/users/v2/users", "/api/users/v1/../../../metrics",
        "/api/users/v1/..%2f..%2f../metrics",
        "/api/points/v1/points", "/docs/nothing", "/docs/../nginx.conf",
    ],
)  # fmt: skip
async def test_what_has_no_route_is_a_404_in_the_envelope(http, path):
    from yarl import URL

    async with http.get(URL(path, encoded=True)) as answer:
        body = await answer.json()
        assert answer.status == 404
        assert body["success"] is False
        assert body["error"]["code"] == "NOT_FOUND"
        assert body["error"]["request_id"] == answer.headers["X-Request-ID"]


async def test_every_operation_of_every_document_has_a_route(http):
    async with http.get("/docs/specs/config.json") as answer:
        documents = [entry["url"] for entry in (await answer.json())["urls"]]
    lost, asked = [], 0
    for name in documents:
        async with http.get(f"/docs/{name}") as answer:
            document = yaml.safe_load(await answer.text())
        for path, operations in document["paths"].items():
            whole = document["basePath"] + re.sub(r"\{[^}]*\}", str(uuid4()), path)
            for method in operations.keys() & {"get", "post", "put", "patch", "delete"}:
                asked += 1
                async with http.request(method, whole, allow_redirects=False) as answer:
                    said = await answer.text()
                # The gateway's words, and a service's, for what has no route.
                if re.search("nothing (under this path|at this address)", said):
                    lost.append(f"{method} {whole}: {answer.status}")
    assert lost == []
    assert asked > 100


async def test_a_good_request_id_is_kept_and_a_bad_one_replaced(http):
    async with http.get("/healthz", headers={"X-Request-ID": "order-4711.a"}) as answer:
        assert answer.headers.getall("X-Request-ID") == ["order-4711.a"]
    async with http.get("/healthz", headers={"X-Request-ID": 'x" onload='}) as answer:
        assert len(answer.headers["X-Request-ID"]) == 32


async def test_each_request_is_one_json_line_in_the_access_log(stack, http):
    async with http.get('/nothing/"quoted"?secret=1', headers={"X-Request-ID": "log-line-1"}):
        pass
    log = Path(stack.environ["RUN_DIR"]) / "nginx" / "access.log"
    # NGINX writes the line behind the answer.
    await eventually(lambda: "log-line-1" in log.read_text())
    line = next(json.loads(x) for x in log.read_text().splitlines() if "log-line-1" in x)
    assert (line["method"], line["path"], line["status"]) == ("GET", '/nothing/"quoted"', 404)
    assert "secret" not in json.dumps(line)


async def test_the_list_of_documents_names_every_public_service(stack, http):
    public = [s.name for s in Settings.read(stack.environ).services if s.public]
    async with http.get("/docs/specs/config.json") as answer:
        assert [entry["name"] for entry in (await answer.json())["urls"]] == public
    for name in public:
        async with http.get(f"/docs/specs/{name}.swagger.yaml") as answer:
            assert answer.status == 200
