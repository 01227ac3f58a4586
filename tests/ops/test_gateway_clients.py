"""The address of a client: behind trusted proxies, and with forged headers."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from devstack import gateway
from devstack.embedded.ports import free_port
from devstack.settings import ROOT, Settings
from devstack.testing.serving import served
from devstack.testing.wait import eventually
from tests.ops.gateways import ECHO, gateway_of, public

START = ROOT / "deploy/docker/gateway/start.sh"
CONFIGURATION = ROOT / "deploy/docker/gateway/nginx.conf"


@pytest.fixture
async def upstream() -> AsyncIterator[int]:
    async def echo(request: web.Request) -> web.Response:
        return web.json_response(dict(request.headers))

    app = web.Application()
    app.router.add_get("/api/v1/{path:.*}", echo)
    async with served(app) as address:
        yield int(address.rpartition(":")[2])


@asynccontextmanager
async def before(
    upstream: int, run: Path, trusted: tuple[str, ...] = ()
) -> AsyncIterator[aiohttp.ClientSession]:
    """A client, at 127.0.0.1, of a gateway whose log is `nginx/nginx.log`."""
    async with (
        gateway_of(run, public("user", upstream), trusted_proxies=trusted) as nginx,
        aiohttp.ClientSession(nginx.settings.gateway_url) as session,
    ):
        yield session


@pytest.mark.parametrize(
    ("trusted", "said", "client", "proto"),
    [
        (("127.0.0.1",), "203.0.113.7", "203.0.113.7", "https"),
        (("127.0.0.1",), "203.0.113.8", "203.0.113.8", "https"),
        (("127.0.0.1",), "6.6.6.6, 203.0.113.7", "203.0.113.7", "https"),
        (("127.0.0.0/8", "10.9.0.0/16"), "203.0.113.7, 10.9.3.4", "203.0.113.7", "https"),
        (("127.0.0.0/8", "2001:db8::/32"), "2001:db9::7, 2001:db8::1", "2001:db9::7", "https"),
        (("10.9.0.0/16",), "203.0.113.7", "127.0.0.1", "http"),
        ((), "203.0.113.7", "127.0.0.1", "http"),
    ],
)
async def test_a_client_is_who_a_trusted_proxy_says_and_nobody_else(
    upstream, run_dir, trusted, said, client, proto
):
    async with before(upstream, run_dir, trusted) as http:
        claim = {"X-Forwarded-For": said, "X-Forwarded-Proto": "https"}
        async with http.get(ECHO, headers=claim) as answer:
            seen = await answer.json()
        assert ("Strict-Transport-Security" in answer.headers) == (proto == "https")
        async with http.get(ECHO, headers=claim | {"X-Forwarded-Proto": "gopher"}) as answer:
            assert (await answer.json())["X-Forwarded-Proto"] == "http"
    assert seen["X-Forwarded-For"] == seen["X-Real-IP"] == client
    assert seen["X-Forwarded-Proto"] == proto
    assert f'"remote_addr":"{client}"' in (run_dir / "nginx" / "access.log").read_text()


async def test_of_two_clients_behind_one_proxy_only_the_greedy_one_is_limited(upstream, run_dir):
    async with before(upstream, run_dir, ("127.0.0.1",)) as http:
        port = http._base_url.port
        request = b"GET /docs/start.js HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 203.0.113.7\r\n"
        last = request + b"Connection: close\r\n\r\n"
        found: Counter[bytes] = Counter()

        async def flood() -> None:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write((request + b"\r\n") * 899 + last)
            found.update({b"429": (await reader.read()).count(b"HTTP/1.1 429")})
            writer.close()

        await asyncio.gather(*(flood() for _ in range(4)))
        assert found[b"429"] > 0
        async with http.get("/docs/start.js", headers={"X-Forwarded-For": "203.0.113.8"}) as other:
            assert other.status == 200


async def test_a_secret_in_an_address_is_in_no_log_where_the_service_is_away(run_dir):
    async with before(free_port(), run_dir) as http:
        for path in ("files/a.png?signature=hush", "users?plain=seen"):
            async with http.get(f"/api/users/v1/{path}") as answer:
                assert answer.status == 502
        async with http.post("/api/users/v1/auth/verify?token=hush") as answer:
            assert answer.status == 502
        log = run_dir / "nginx" / "nginx.log"
        await eventually(lambda: "plain=seen" in log.read_text())
        assert "hush" not in log.read_text() + (run_dir / "nginx" / "access.log").read_text()


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("accept", ["text/html,application/xhtml+xml,*/*;q=0.8", "*/*"])
async def test_whoever_follows_a_link_mailed_before_gets_a_page_that_does_nothing_by_itself(
    upstream, run_dir, accept, method
):
    async with before(upstream, run_dir) as http:
        link = "/api/users/v1/auth/verify?token=a-b_c"
        headers = {"Accept": accept}
        async with http.request(method, link, headers=headers, allow_redirects=False) as answer:
            assert answer.status == 303
            nothing = "default-src 'none'; frame-ancestors 'none'"
            assert answer.headers["Content-Security-Policy"] == nothing
        assert answer.headers["Location"] == "/verify-email#token=a-b_c"
        async with http.post(link, headers={"Accept": "text/html"}) as answer:
            assert answer.status == 405  # the service's own


@pytest.mark.parametrize(
    "path",
    ["/forgot-password", "/reset-password", "/undo-address", "/verify-email", "/sign-in/one"],
)
async def test_a_page_may_load_and_call_only_what_is_ours(upstream, run_dir, path):
    async with before(upstream, run_dir) as http:
        async with http.get(path) as answer:
            text = await answer.text()
        assert (answer.status, answer.content_type) == (200, "text/html")
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'; ")
        assert answer.headers["X-Frame-Options"] == "DENY"
        script = "sign-in.js" if path.startswith("/sign-in") else "page.js"
        for part in (f"/pages/{script}", "/pages/page.css"):
            assert part in text
            async with http.get(part) as answer:
                assert answer.status == 200


@pytest.mark.parametrize(
    ("given", "code", "peers", "networks"),
    [
        ("", 0, "", ""),
        (
            "10.0.0.0/8, fd00::/8",
            0,
            "set_real_ip_from 10.0.0.0/8;\nset_real_ip_from fd00::/8;\n",
            "10.0.0.0/8 1;\nfd00::/8 1;\n",
        ),
        ("10.0.0.0/8;daemon", 2, "", ""),
    ],
)
def test_a_container_writes_down_what_the_local_gateway_does(
    tmp_path, given, code, peers, networks
):
    script = START.read_text().replace("/var/lib/gateway", str(tmp_path))
    script = script.replace("/etc/nginx/nginx.conf", str(CONFIGURATION))
    script = script.replace("exec nginx", "exec echo")
    # Without a log file: nothing to rotate, so nothing that would outlive the script.
    environ = {"GATEWAY_LOG": "stdout", "GATEWAY_TRUSTED_PROXIES": given}
    ran = subprocess.run(
        ["sh", "-c", script], env={"PATH": "/usr/bin:/bin", **environ},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == code, ran.stderr
    assert (tmp_path / "trusted_peers.conf").read_text() == peers
    assert (tmp_path / "trusted_networks.conf").read_text() == networks
    if code == 0:
        (tmp_path / "here").mkdir()
        proxies = Settings.read({"GATEWAY_TRUSTED_PROXIES": given}).trusted_proxies
        gateway.write_included(proxies, tmp_path / "here")
        for name in ("trusted_peers.conf", "newer.conf"):
            assert (tmp_path / "here" / name).read_text() == (tmp_path / name).read_text()


def test_a_container_writes_its_log_to_the_file_and_to_its_output_where_both_are_wanted(tmp_path):
    script = START.read_text().replace("/var/lib/gateway", str(tmp_path))
    script = script.replace("/etc/nginx/nginx.conf", str(CONFIGURATION))
    script = script.replace("/rotate.sh", "true").replace(
        "exec nginx", "sleep 60 & echo ready; wait"
    )
    (tmp_path / "access.log").write_text("of before\n")
    process = subprocess.Popen(
        ["sh", "-c", script], env={"PATH": "/usr/bin:/bin", "GATEWAY_LOG": "both"},
        stdout=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    try:
        lines = iter(process.stdout.readline, "")
        assert next(lines) == "ready\n"
        # Written until it is seen: `tail` may begin after the first.
        deadline = time.monotonic() + 60
        seen: list[str] = []
        reader = threading.Thread(target=lambda: seen.append(next(lines)), daemon=True)
        reader.start()
        while reader.is_alive():
            assert time.monotonic() < deadline
            with (tmp_path / "access.log").open("a") as log:
                log.write("a line\n")
            reader.join(0.05)
        assert seen == ["a line\n"]
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def test_a_network_that_is_none_is_refused_in_one_sentence():
    with pytest.raises(ValueError, match=r"^GATEWAY_TRUSTED_PROXIES: 'x' does not appear"):
        Settings.read({"GATEWAY_TRUSTED_PROXIES": "10.0.0.0/8,x"})
