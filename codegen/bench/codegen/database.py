"""A database with a project's schema, which sqlc uses if `database.uri` names it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import psycopg
import yaml
from aiosqlc.servers.postgres.embedded import embedded_server
from psycopg.conninfo import conninfo_to_dict

_NAME = "sqlc_"
_TICKS = os.sysconf("SC_CLK_TCK")


class Server:
    """A running server: the time of its ended sessions, and whether one has not ended yet."""

    def __init__(self, process: int) -> None:
        self._process = process

    def is_idle(self) -> bool:
        """Return whether every session has ended: a session's process names its database."""
        children = Path(f"/proc/{self._process}/task/{self._process}/children").read_text()
        return not any(f" {_NAME}" in _title(child) for child in children.split())

    def processor_time(self) -> float:
        """Return the seconds of processor time that the ended sessions have taken."""
        fields = Path(f"/proc/{self._process}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[13]) + int(fields[14])) / _TICKS


def _title(process: str) -> str:
    try:
        return Path(f"/proc/{process}/cmdline").read_text()
    except OSError:  # it has ended
        return ""


@contextmanager
def with_database(folder: Path) -> Iterator[Server]:
    """Apply the schema of a project to a new database, and name it in the configuration."""
    configuration = folder / "sqlc.yaml"
    document = yaml.safe_load(configuration.read_text())
    with embedded_server() as server:
        admin = server.conninfo("postgres")
        names = [f"{_NAME}{number}" for number, _ in enumerate(document["sql"])]
        try:
            for name, entry in zip(names, document["sql"], strict=True):
                _recreate(admin, name)
                with psycopg.connect(server.conninfo(name), autocommit=True) as connection:
                    for file in _files(folder, entry["schema"]):
                        connection.execute(file.read_bytes())
                entry["database"] = {"uri": _uri(server.conninfo(name))}
            configuration.write_text(yaml.safe_dump(document))
            data = Path(str(conninfo_to_dict(admin)["host"]))
            yield Server(int((data / "postmaster.pid").read_text().split("\n", 1)[0]))
        finally:
            for name in names:
                _recreate(admin, name, create=False)


def _recreate(admin: str, name: str, *, create: bool = True) -> None:
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(f"drop database if exists {name}".encode())
        if create:
            connection.execute(f"create database {name}".encode())


def _uri(conninfo: str) -> str:
    """Return a connection string as the URI that sqlc reads."""
    parts = conninfo_to_dict(conninfo)
    socket = quote(str(parts["host"]), safe="")
    return f"postgres://{parts['user']}@/{parts['dbname']}?host={socket}"


def _files(folder: Path, schema: str | list[str]) -> Iterator[Path]:
    for name in [schema] if isinstance(schema, str) else schema:
        path = folder / name
        yield from [path] if path.is_file() else sorted(path.rglob("*.sql"))
