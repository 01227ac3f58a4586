"""Serve `/metrics` and `/healthz` over HTTP."""

from __future__ import annotations

import gzip
import socket
from collections.abc import Callable, Iterable
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from observability.nginx_exporter.page import CONTENT_TYPE

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _ServerV6(_Server):
    address_family = socket.AF_INET6


class _Handler(WSGIRequestHandler):
    timeout = 10  # Seconds a client may take to say what it wants.

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base's name)
        """Log nothing, because scrapes come every few seconds."""


def open_server(page: Callable[[], bytes], host: str, port: int) -> WSGIServer:
    """Return a server that is bound but not serving yet; port 0 selects a free port.

    Raises OSError if the address cannot be used.
    """

    def app(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "/")
        if path == "/metrics":
            headers, body = [("Content-Type", CONTENT_TYPE)], page()
            if "gzip" in environ.get("HTTP_ACCEPT_ENCODING", ""):
                headers.append(("Content-Encoding", "gzip"))
                body = gzip.compress(body, 1)  # A hundredth more would take as long as all else.
            start("200 OK", headers)
            return [body]
        known = path in ("/", "/healthz")
        start("200 OK" if known else "404 Not Found", [("Content-Type", "text/plain")])
        return [b"ok\n" if known else b"Metrics are at /metrics.\n"]

    kind = _ServerV6 if ":" in host else _Server
    return make_server(host, port, app, server_class=kind, handler_class=_Handler)
