"""Lend a database of the embedded server, which has a socket only, to tools that need TCP."""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

from aiosqlc.servers.postgres.connection import Connection
from aiosqlc.servers.postgres.embedded import Server
from psycopg.conninfo import conninfo_to_dict

from bench.soundness.model import Suite

_NAME = "soundness"


@contextlib.contextmanager
def lent(server: Server, suite: Suite) -> Iterator[str]:
    """Yield the URL, on the loopback interface, of an empty database with a suite's schema."""
    with Connection(server.admin) as admin:
        admin.run(f"drop database if exists {_NAME} with (force)")
        admin.run(f"create database {_NAME} template template0")
    with Connection(server.conninfo(_NAME)) as connection:
        for statement in suite.statements:
            if problem := connection.run(statement):
                raise RuntimeError(f"{statement}: {problem.message}")
    folder = str(conninfo_to_dict(server.base)["host"])
    with _listening(Path(folder) / ".s.PGSQL.5432") as port:
        yield f"postgresql://postgres:none@127.0.0.1:{port}/{_NAME}?sslmode=disable"


@contextlib.contextmanager
def _listening(path: Path) -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=_accept, args=(server, path), daemon=True)
        thread.start()
        yield server.getsockname()[1]


def _accept(server: socket.socket, path: Path) -> None:
    with contextlib.suppress(OSError):
        while True:
            client, _ = server.accept()
            threading.Thread(target=_relay, args=(client, path), daemon=True).start()


def _relay(client: socket.socket, path: Path) -> None:
    """Copy bytes both ways until one side closes."""
    with contextlib.suppress(OSError), client, socket.socket(socket.AF_UNIX) as behind:
        behind.connect(str(path))
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with selectors.DefaultSelector() as waiting:
            waiting.register(client, selectors.EVENT_READ, behind)
            waiting.register(behind, selectors.EVENT_READ, client)
            while True:
                for key, _ in waiting.select():
                    data = key.fileobj.recv(65536)  # type: ignore[union-attr]  # both are sockets
                    if not data:
                        return
                    key.data.sendall(data)
