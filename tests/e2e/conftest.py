"""The whole stack on free ports, started once with the command that users run."""

from __future__ import annotations

import gzip
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Page, expect, sync_playwright

from devstack.embedded.ports import free_port
from devstack.settings import MONITORING_PORTS, PORTS, ROOT
from devstack.testing.components import program
from tests.conftest import E2E
from tests.e2e.identity_provider import IdentityProvider

START_SECONDS = 200.0
BROWSER_FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip

HERE = Path(__file__).parent


class Stack:
    """A running `python -m devstack` and its output."""

    def __init__(
        self, run_dir: Path, *, watch: str = "", stdout: int = subprocess.PIPE, **environ: str
    ) -> None:
        names = ("GATEWAY_PORT", "POSTGRES_PORT", "REDIS_PORT", *PORTS, *MONITORING_PORTS)
        self.environ = {
            **os.environ,
            **{name: str(free_port()) for name in names},
            "RUN_DIR": str(run_dir),
            **environ,
        }
        self.lines: list[str] = []
        self._token, self._token_until = "", float("-inf")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "devstack", *(["--watch", watch] if watch else [])],
            cwd=ROOT,
            env=self.environ,
            stdout=stdout,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.environ['GATEWAY_PORT']}"

    @property
    def secrets(self) -> Path:
        return Path(self.environ["RUN_DIR"]) / "secrets"

    def authorized(self) -> dict[str, str]:
        """Return the header of the demo administrator; sign in again before the token expires."""
        if time.monotonic() > self._token_until:
            password = (self.secrets / "demo_admin").read_text()
            body = json.dumps({"email": "admin@example.com", "password": password}).encode()
            request = urllib.request.Request(
                f"{self.url}/api/users/v1/auth/login",
                data=body,
                headers={"Content-Type": "application/json"},
            )
            with urllib.request.urlopen(request, timeout=60) as answer:
                self._token = json.loads(answer.read())["data"]["access_token"]
            self._token_until = time.monotonic() + 600
        return {"Authorization": f"Bearer {self._token}"}

    def port(self, name: str) -> int:
        return int(self.environ[name])

    def pid(self, part: str) -> int:
        """Return the latest process ID that the stack has reported for a program."""
        pattern = re.compile(rf"\b{part} is (?:ready|back) \(pid (\d+)\)")
        return int([m[1] for line in self.lines if (m := pattern.search(line))][-1])

    def said(self, text: str) -> bool:
        return any(text in line for line in self.lines)

    def wait_until_said(self, text: str, within: float = START_SECONDS) -> None:
        deadline = time.monotonic() + within
        while not self.said(text):
            if time.monotonic() > deadline or self.process.poll() is not None:
                raise AssertionError(f"never said {text!r}:\n" + "\n".join(self.lines[-40:]))
            time.sleep(0.02)

    def children(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def stop(self, by: signal.Signals = signal.SIGINT, within: float = 120.0) -> int:
        """Stop the stack with Ctrl-C; return the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(by)
        try:
            return self.process.wait(within)
        finally:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()
            self._reader.join(5)
            if self.process.stdout is not None:
                self.process.stdout.close()

    def _read(self) -> None:
        for line in self.process.stdout or ():
            self.lines.append(line.rstrip("\n"))


STACK = pytest.StashKey[Stack]()


class Collector:
    """An OTLP receiver over HTTP that stores the received data by path."""

    def __init__(self) -> None:
        self.received: dict[str, list[bytes]] = {"traces": [], "metrics": [], "logs": []}
        received = self.received

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers["Content-Length"]))
                plain = gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw
                received[self.path.removeprefix("/v1/")].append(plain)
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Write no log, because pytest would show each request of a failed test."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture(scope="session")
def collector() -> Iterator[Collector]:
    """The receiver of the shared stack's traces, metrics and logs."""
    running = Collector()
    yield running
    running.close()


@pytest.fixture(scope="session")
def identity_provider() -> Iterator[IdentityProvider]:
    """An identity provider for users of the shared stack."""
    running = IdentityProvider()
    yield running
    running.close()


@pytest.fixture(scope="session")
def stack(
    collector: Collector, identity_provider: IdentityProvider, pytestconfig: pytest.Config
) -> Iterator[Stack]:
    """The shared stack, with logs and traces as in production.

    A test may kill its programs, and must wait until they run again.
    """
    with tempfile.TemporaryDirectory(prefix="test-stack-", ignore_cleanup_errors=True) as folder:
        # Tests ask faster, all as one user from one address, than anybody should.
        running = Stack(
            Path(folder), RATE_LIMIT="10000", USER_RATE_LIMIT="1000000",
            LOG_FORMAT="json", OTEL_EXPORTER_OTLP_ENDPOINT=collector.url,
            **identity_provider.settings,
        )  # fmt: skip
        try:
            running.wait_until_said("ready; press Ctrl-C")
            pytestconfig.stash[STACK] = running
            yield running
        finally:
            running.stop()


@pytest.fixture
def own_stack(run_dir: Path) -> Iterator[Callable[..., Stack]]:
    """Start stacks for one test: `own_stack(GATEWAY_PORT="8080")`."""
    started: list[Stack] = []

    def start(**options: str) -> Stack:
        started.append(Stack(run_dir, **options))
        return started[-1]

    yield start
    for running in started:
        running.stop()


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    """A page of a real browser."""
    path = program("chromium", "chromium-browser", "google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(BROWSER_FLAGS))
        page = browser.new_page(viewport={"width": 1280, "height": 1600})
        page.set_default_timeout(30_000)
        expect.set_options(timeout=30_000)  # it has a patience of its own
        yield page
        browser.close()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.nodeid.startswith(E2E):
            item.add_marker(pytest.mark.e2e)


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """Stop the stack after its last test, because seven idle services use CPU time too."""
    if nextitem is not None and HERE not in nextitem.path.parents and STACK in item.config.stash:
        item.config.stash[STACK].stop()
