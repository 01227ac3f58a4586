"""A temporary PostgreSQL: one migrated template per database, cloned for tests.

A returned clone is used again: its changes are undone, or the clone is replaced.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from aiosqlc.testing import Databases
from psycopg import sql

from devstack.embedded.ports import free_port
from devstack.embedded.postgres import DISPOSABLE, Instance, Server, accepts
from devstack.testing import containers
from devstack.testing.killable import folder
from devstack.testing.standby import Standby, standby_of
from lib.db import migrations
from lib.db.grants import role_of

# A database's name, whether it has demo data, and where its migrations are if not under the root.
Kind = tuple[str, bool, Path | None]


class TestPostgres:
    """A server for one test. A test can `kill()` it and `start()` it again."""

    __test__ = False

    def __init__(self, server: Server, migrations_root: Path) -> None:
        self._server = server
        self._root = migrations_root
        self._clones: dict[Kind, Databases] = {}
        self._taken: dict[str, Databases] = {}
        self._count = 0

    def create(self, db: str, *, demo: bool = False, schema: Path | None = None) -> str:
        """Return the URL of a new database with `db`'s schema and, if asked, its demo data.

        The migrations are in `schema`, or else below the root in the folder of `db`.
        """
        kind = (db, demo, schema)
        if kind not in self._clones:
            template = self._template(*kind)
            self._clones[kind] = Databases(template, name=lambda: self._name(db), file_copy=True)
        url = self._clones[kind].take()
        self._taken[url] = self._clones[kind]
        return url

    def create_empty(self, name: str = "empty") -> str:
        """Return the URL of a new empty database."""
        return self._new(name, "template0")

    def give_back(self, url: str) -> None:
        """End the sessions in a database of this object; the database is used again or dropped."""
        if databases := self._taken.pop(url, None):
            databases.give_back(url)
        else:
            self.drop(url)

    def drop(self, url: str) -> None:
        """End the sessions in a database of this object, and drop the database."""
        name = url.rpartition("/")[2]
        self._admin(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    @property
    def pid(self) -> int | None:
        """Return the server's process ID, or None if the server does not run."""
        return self._server.process.pid if self._server.process else None

    @property
    def port(self) -> int:
        """Return the port of 127.0.0.1, which a restart does not change."""
        return self._server.instance.port

    def kill(self) -> None:
        """End the server as `kill -9` does."""
        self._server.kill()

    def stop(self) -> None:
        """Stop the server with SIGTERM and wait for its end."""
        self._server.stop()

    def start(self) -> None:
        """Start the server with the same port and data; return when it accepts connections."""
        self._server.start()

    @contextmanager
    def standby(self) -> Iterator[Standby]:
        """Run a hot standby of this server while the block runs."""
        with standby_of(self._server.instance) as standby:
            yield standby

    def _template(self, db: str, demo: bool, schema: Path | None) -> str:
        url = self._new(f"template_{db}", "template0")
        self._ensure_role(role_of(db))
        folder = schema or migrations.source(self._root, db, url)
        migrations.apply(url, folder, db=db, demo=demo)
        return url

    def _ensure_role(self, name: str) -> None:
        password = self._server.instance.password
        with psycopg.connect(self._server.instance.url(), autocommit=True) as connection:
            known = "SELECT 1 FROM pg_roles WHERE rolname = %s"
            if connection.execute(known, (name,)).fetchone() is None:
                role, secret = sql.Identifier(name), sql.Literal(password)
                connection.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(role, secret))

    def _new(self, stem: str, template: str) -> str:
        name = self._name(stem)
        # Files are copied: through the log, which is the server's way, takes three times the work.
        copied = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY")
        self._admin(copied.format(sql.Identifier(name), sql.Identifier(template)))
        return self._server.instance.url(name)

    def _name(self, stem: str) -> str:
        self._count += 1
        return f"{stem}_{self._count}"

    def _admin(self, statement: sql.Composed) -> None:
        with psycopg.connect(self._server.instance.url(), autocommit=True) as connection:
            connection.execute(statement)


@contextmanager
def running(migrations_root: Path) -> Iterator[TestPostgres]:
    """Run a server in a temporary directory."""
    password = secrets.token_urlsafe(16)
    with (
        folder("postgres") as home,
        Server(Instance(home / "data", free_port(), password, DISPOSABLE)) as server,
    ):
        yield TestPostgres(server, migrations_root)


@contextmanager
def shared(migrations_root: Path) -> Iterator[TestPostgres]:
    """Run the server that all tests share, embedded or in a container; no test may kill it."""
    if not containers.wanted():
        with running(migrations_root) as server:
            yield server
        return
    password = containers.new_password()
    options = [
        f"--{name}={value}" for name, value in {**DISPOSABLE, "max_connections": 200}.items()
    ]
    with containers.running(
        "POSTGRES_IMAGE", 5432,
        environ={"POSTGRES_PASSWORD": password}, command=["postgres", *options],
    ) as port:  # fmt: skip
        instance = Instance(Path(), port, password)
        containers.until(lambda: accepts(instance), "PostgreSQL")
        yield TestPostgres(Server(instance), migrations_root)
