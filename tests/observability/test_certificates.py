"""The blackbox exporter with our configuration, and a certificate of the test."""

from __future__ import annotations

import asyncio
import re
import ssl
import subprocess
import time
from collections.abc import AsyncIterator

import aiohttp
import pytest

from devstack.embedded import children
from devstack.embedded.ports import free_port
from devstack.programs import answers
from devstack.settings import ROOT
from devstack.testing.certificates import self_signed
from devstack.testing.components import program
from devstack.testing.wait import eventually

CONFIG = ROOT / "observability" / "prometheus" / "blackbox.yml"


@pytest.fixture
async def probe() -> AsyncIterator[str]:
    port = free_port()
    command = [program("prometheus-blackbox-exporter"), f"--config.file={CONFIG}"]
    command += [f"--web.listen-address=127.0.0.1:{port}", "--log.level=warn"]
    exporter = children.spawn(command, log=subprocess.DEVNULL)
    try:
        await eventually(answers(port, "/-/healthy"))
        yield f"http://127.0.0.1:{port}/probe"
    finally:
        await asyncio.to_thread(children.stop, exporter, within=5)


async def test_when_a_certificate_ends_is_known_though_nobody_trusts_it(probe, tmp_path):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*self_signed(tmp_path, "127.0.0.1"))
    server = await asyncio.start_server(lambda _, w: w.close(), "127.0.0.1", 0, ssl=context)
    target = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with (
        server,
        aiohttp.ClientSession() as client,
        client.get(probe, params={"module": "tls", "target": target}) as answer,
    ):
        text = await answer.text()
    found = re.search(r"^probe_ssl_earliest_cert_expiry (\S+)$", text, re.MULTILINE)
    assert found is not None, text
    assert 0 < float(found[1]) - time.time() <= 3600
