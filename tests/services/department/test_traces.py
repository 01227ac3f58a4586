"""The department service in its own process, with a destination for its spans."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import aiohttp
from aiohttp import web

from devstack.embedded import children
from devstack.embedded.ports import free_port
from devstack.programs import answers
from devstack.testing.roles import as_service
from devstack.testing.wait import eventually


async def test_a_request_and_its_statements_reach_the_collector_by_name(
    new_database, aiohttp_server
):
    received = bytearray()

    async def collect(request: web.Request) -> web.Response:
        received.extend(await request.read())
        return web.Response()

    app = web.Application()
    app.add_routes([web.post("/v1/traces", collect)])
    collector = await aiohttp_server(app)
    port = free_port()
    env = os.environ | {
        "DEPARTMENT_DATABASE_URL": as_service(await new_database("department", demo=True)),
        "DEPARTMENT_PORT": str(port),
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{collector.port}",
    }
    process = children.spawn(
        [sys.executable, "-m", "services.department"], log=subprocess.DEVNULL, env=env
    )
    try:
        await eventually(answers(port, "/readyz"))
        async with aiohttp.ClientSession() as session:
            url = f"http://127.0.0.1:{port}/api/v1/departments"
            async with session.get(url) as answer:
                assert answer.status == 200

        async def arrived() -> bool:
            return b"GET /api/v1/departments" in received and b"ListDepartmentsByName" in received

        await eventually(arrived)
    finally:
        children.stop(process, by=signal.SIGTERM, within=20)
