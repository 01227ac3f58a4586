"""The page's HTTP server, for this machine alone.

It listens on the loopback address and answers only those who call it by such a name: a page of
somebody else's that points its own name here (DNS rebinding) or posts from elsewhere is refused.
"""

from __future__ import annotations

from http.client import HTTP_PORT
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import resources
from typing import Final

import msgspec

from aiosqlc.playground.sandbox import MODELS, Sandbox

MOST_BYTES: Final = 200_000
_FILES = {
    "/": ("page.html", "text/html"),
    "/app.js": ("app.js", "text/javascript"),
    "/style.css": ("style.css", "text/css"),
}
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class Asked(msgspec.Struct, forbid_unknown_fields=True):
    """What the page sends."""

    schema: str
    queries: str
    models: str = MODELS[0]


class PlaygroundServer(ThreadingHTTPServer):
    """Serves one sandbox on a loopback port; 0 takes a free one."""

    daemon_threads = True

    def __init__(self, port: int, sandbox: Sandbox) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.sandbox = sandbox

    @property
    def names(self) -> frozenset[str]:
        """Return what the Host header may say."""
        known = ("127.0.0.1", "localhost")
        # A browser leaves out the port that http has by default.
        short = known if self.server_port == HTTP_PORT else ()
        return frozenset((*(f"{name}:{self.server_port}" for name in known), *short))


class _Handler(BaseHTTPRequestHandler):
    server: PlaygroundServer
    timeout = 10
    server_version = "aiosqlc"
    sys_version = ""

    def do_GET(self) -> None:
        """Send one of the page's files."""
        found = _FILES.get(self.path)
        if not self._is_ours():
            self._answer(403, b"not from here\n")
        elif found is None:
            self._answer(404, b"no such page\n")
        else:
            text = (resources.files("aiosqlc.playground") / found[0]).read_bytes()
            self._answer(200, text, found[1])

    def do_POST(self) -> None:
        """Compile."""
        length = self.headers.get("Content-Length", "")
        if not self._is_ours() or self.headers.get_content_type() != "application/json":
            self._answer(403, b"not from here\n")
        elif self.path != "/compile":
            self._answer(404, b"no such page\n")
        elif not length.isdecimal() or int(length) > MOST_BYTES:
            self._answer(413, b"too long\n")
        else:
            self._compile(self.rfile.read(int(length)))

    def _compile(self, body: bytes) -> None:
        try:
            asked = msgspec.json.decode(body, type=Asked)
        except (msgspec.DecodeError, UnicodeDecodeError):
            self._answer(400, b"not what the page sends\n")
            return
        if asked.models not in MODELS or "\0" in asked.schema + asked.queries:
            self._answer(400, b"not what the page sends\n")
            return
        try:
            answer = self.server.sandbox.compile(asked.schema, asked.queries, asked.models)
        except TimeoutError as error:
            self._answer(503, f"{error}\n".encode())
        except Exception as error:  # noqa: BLE001  # whatever was sent, the page lives on
            self._answer(500, f"internal error: {type(error).__name__}\n".encode())
        else:
            self._answer(200, msgspec.json.encode(answer), "application/json")

    def _is_ours(self) -> bool:
        """Whether it is this page that asks, or a program of this machine's, by our own name."""
        origin = self.headers.get("Origin")
        return self.headers.get("Host") in self.server.names and (
            origin is None or origin.removeprefix("http://") in self.server.names
        )

    def _answer(self, status: int, body: bytes, kind: str = "text/plain") -> None:
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", _POLICY)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Log nothing: the input of a user is private."""
