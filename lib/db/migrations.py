"""Apply yoyo's SQL migrations to a database, with a version table for each database."""

from __future__ import annotations

import argparse
import os
import re
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit, urlunsplit

import yoyo
from yoyo.backends import DatabaseBackend
from yoyo.connections import get_backend_class, parse_uri
from yoyo.migrations import Migration

from lib.db import grants
from lib.db.migration_step import apply_one

ROOT = Path("migrations")
# Per URL scheme, the driver yoyo is to use.
_DRIVERS = {"postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg"}
ENGINES = ("postgres", "mysql")  # folders of a database that runs on either
_VERSIONS = "_schema_version"  # after the database's name, the table of what was applied
_LOCK_SECONDS = 30
_LOCK_PAUSE_SECONDS = 0.2  # between two requests for the lock
_LOCK_KEY = 7_091_980_111  # any number, the same in every process that migrates


class MigrationError(Exception):
    """The reason why a database could not be migrated, in one sentence."""


def databases(root: Path = ROOT) -> list[str]:
    """Return the names of the databases with migrations, sorted."""
    return sorted(path.name for path in root.iterdir() if path.is_dir()) if root.is_dir() else []


def source(root: Path, db: str, url: str) -> Path:
    """Return the folder with the migrations of `db`, for the URL's engine if each has a folder."""
    engine = root / db / ("mysql" if urlsplit(url).scheme == "mysql" else "postgres")
    return engine if engine.is_dir() else root / db


def apply(url: str, folder: Path, *, db: str, demo: bool = False, only: bool = False) -> list[str]:
    """Apply pending migrations, oldest first; with `demo`, then the demo data. Return their names.

    Each file runs in its own transaction. A failed file changes nothing, and the files before it
    stay applied. Grant the service's role its privileges. With `only`, revoke all other privileges.
    Raises MigrationError if a migration fails.
    """
    applied = _apply(url, folder, db)
    if demo and (folder / "demo").is_dir():
        _refuse_same_names(folder)
        applied += _apply(url, folder / "demo", db)
    try:
        grants.apply(url, folder, db=db, only=only)
    except Exception as error:  # whatever the driver raises
        raise MigrationError(
            f"cannot grant privileges to the role of the service: {_said(error)}"
        ) from error
    return applied


def roll_back_one(url: str, folder: Path, *, db: str) -> str | None:
    """Roll back the newest schema migration. Return its name, or None if there is none."""
    demo = folder / "demo"
    with _Session(url, folder, db) as session:
        newest = session.backend.to_rollback(session.files)[:1]
        session.backend.rollback_migrations(newest)
        if newest and not session.backend.to_rollback(session.files) and demo.is_dir():
            # The tables are gone and the demo data with them: the next `up` may load it again.
            session.backend.unmark_migrations(yoyo.read_migrations(str(demo)))
        return newest[0].id if newest else None


def init(folder: Path, name: str) -> tuple[Path, Path]:
    """Create the next numbered migration, such as `0002_add_x.sql`, and its rollback."""
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise MigrationError(f"{name!r} is not a migration name: use lower case words joined by _")
    folder.mkdir(parents=True, exist_ok=True)
    numbers = [int(path.name[:4]) for path in folder.glob("[0-9][0-9][0-9][0-9]_*.sql")]
    stem = f"{max(numbers, default=0) + 1:04d}_{name}"
    pair = (folder / f"{stem}.sql", folder / f"{stem}.rollback.sql")
    # MySQL has no setting that ends with the transaction.
    patience = "" if folder.name == "mysql" else "SET LOCAL lock_timeout = '5s';\n"
    for path, what in zip(pair, ("apply", "roll back"), strict=True):
        path.write_text(f"-- {name}: {what}.\n{patience}")
    return pair


class _Session:
    """One yoyo connection that holds the migration lock. Failures are raised as MigrationError."""

    def __init__(self, url: str, folder: Path, db: str) -> None:
        self._url, self._folder, self._table = url, folder, f"{db}{_VERSIONS}"

    def __enter__(self) -> Self:
        if not self._folder.is_dir():
            raise MigrationError(f"there is no folder {self._folder} with migrations")
        try:
            self.backend = _backend(self._url, self._table)
            others = self._others()
            if not others:
                self.backend.init_database()
        except Exception as error:  # yoyo passes on whatever its driver raises
            raise MigrationError(
                f"cannot connect to {_without_secret(self._url)}: {_said(error)}"
            ) from error
        if others:
            self.backend.connection.close()
            raise MigrationError(
                f"{_without_secret(self._url)} already contains the tables of {', '.join(others)}: "
                f"give each service a database of its own{_or_schema(self._url)}"
            )
        self.files = yoyo.read_migrations(str(self._folder))
        self._lock_or_leave()
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self.backend.connection.close()  # the lock goes with it
        if isinstance(error, Exception):
            raise MigrationError(f"{self._folder}: {_said(error)}") from error

    def apply(self, migration: Migration) -> None:
        """Apply a migration and mark it as applied. Raises the driver's exceptions."""
        if urlsplit(self._url).scheme == "mysql":
            self.backend.apply_one(migration)
        else:
            apply_one(self.backend, migration, report=_report)

    def _others(self) -> list[str]:
        """Return the names of other migration folders whose version tables are in this database."""
        tables = [str(name) for name in self.backend.list_tables()]
        found = {name.removesuffix(_VERSIONS) for name in tables if name.endswith(_VERSIONS)}
        return sorted(found - {self._table.removesuffix(_VERSIONS)})

    def _lock_or_leave(self) -> None:
        """Acquire a session lock; unlike yoyo's lock row, it ends if this process is killed."""
        if urlsplit(self._url).scheme == "mysql":
            taken = self._answer(f"SELECT GET_LOCK('migrations', {_LOCK_SECONDS})") == 1
        else:
            taken = self._lock_postgres()
        if not taken:
            self.backend.connection.close()
            raise MigrationError(f"another migration of {_without_secret(self._url)} is running")

    def _lock_postgres(self) -> bool:
        """Try to acquire the lock until the time is up. Return whether it was acquired.

        A statement that waits for the lock holds a snapshot. The process with the lock may run
        CREATE INDEX CONCURRENTLY, which waits for the end of this snapshot. The two processes would
        deadlock.
        """
        end = time.monotonic() + _LOCK_SECONDS
        while not self._answer(f"SELECT pg_try_advisory_lock({_LOCK_KEY})"):
            if time.monotonic() > end:
                return False
            time.sleep(_LOCK_PAUSE_SECONDS)
        return True

    def _answer(self, question: str) -> object:
        return self.backend.execute(question).fetchone()[0]


def _refuse_same_names(folder: Path) -> None:
    """Refuse a file name that a schema migration and a demo migration share."""
    names = [{path.name for path in where.glob("*.sql")} for where in (folder, folder / "demo")]
    if twice := names[0] & names[1]:
        raise MigrationError(
            f"{folder / 'demo'}: {min(twice)} has the same name as a schema migration"
        )


def _apply(url: str, folder: Path, db: str) -> list[str]:
    with _Session(url, folder, db) as session:
        missing = session.backend.to_apply(session.files)
        for migration in missing:
            try:
                session.apply(migration)
            except Exception as error:
                raise RuntimeError(f"{migration.id} failed: {_said(error)}") from error
        return [migration.id for migration in missing]


def _backend(url: str, table: str) -> DatabaseBackend:
    if urlsplit(url).scheme != "mysql":
        parsed = parse_uri(_yoyo_url(url))
        return get_backend_class(parsed.scheme)(parsed, table)
    # Imported here: who migrates PostgreSQL does without the other driver.
    from lib.db.mysql_migrations import backend

    return backend(url, table)


def _or_schema(url: str) -> str:
    if urlsplit(url).scheme == "mysql":
        return ""
    return ", or a schema of its own (add ?options=-csearch_path%3D<schema> to the URL)"


def _yoyo_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in _DRIVERS:
        raise MigrationError(
            f"the scheme of the database URL is {parts.scheme!r}; "
            f"it must be one of {', '.join([*_DRIVERS, 'mysql'])}"
        )
    return urlunsplit(parts._replace(scheme=_DRIVERS[parts.scheme]))


def _without_secret(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.hostname or 'localhost'}:{parts.port or '(default port)'}{parts.path}"


def _report(line: str) -> None:
    print(line, file=sys.stderr)


def _said(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def main(argv: list[str], environ: Mapping[str, str]) -> int:
    """Run `up`, `down` or `init`. Return the exit code: 0 success, 1 failure, 2 wrong usage."""
    parser = argparse.ArgumentParser(prog="python -m lib.db.migrations", description=__doc__)
    parser.add_argument("command", choices=("up", "down", "init"))
    parser.add_argument("--db", default="", help="database: the name of a folder below migrations/")
    parser.add_argument("--name", default="", help="for init: name of the migration, such as add_x")
    parser.add_argument("--demo", action="store_true", help="for up: also load the demo data")
    parser.add_argument(
        "--tighten",
        action="store_true",
        help="for up: revoke privileges that only the previous version of the service needed",
    )
    args = parser.parse_args(argv)
    if args.db not in databases():
        print(f"db={args.db or '?'} is not one of: {', '.join(databases())}", file=sys.stderr)
        return 2
    try:
        for line in _COMMANDS[args.command](args, environ):
            print(f"{args.db}: {line}")
    except (MigrationError, RuntimeError, ValueError) as error:
        print(f"{args.db}: {error}", file=sys.stderr)
        return 1
    return 0


def _up(args: argparse.Namespace, environ: Mapping[str, str]) -> list[str]:
    url = url_of(args.db, environ)
    folder = source(ROOT, args.db, url)
    done = apply(url, folder, db=args.db, demo=args.demo, only=args.tighten)
    return [f"applied {name}" for name in done] or ["nothing to apply"]


def _down(args: argparse.Namespace, environ: Mapping[str, str]) -> list[str]:
    url = url_of(args.db, environ)
    name = roll_back_one(url, source(ROOT, args.db, url), db=args.db)
    return [f"rolled back {name}" if name else "nothing to roll back"]


def _init(args: argparse.Namespace, _environ: Mapping[str, str]) -> list[str]:
    folders = [path for path in (ROOT / args.db / name for name in ENGINES) if path.is_dir()]
    pairs = [init(folder, args.name) for folder in folders or [ROOT / args.db]]
    return [f"created {path}" for pair in pairs for path in pair]


_COMMANDS = {"up": _up, "down": _down, "init": _init}


def url_of(db: str, environ: Mapping[str, str]) -> str:
    """Return the URL of the database to migrate. Raises MigrationError if no setting has a URL."""
    name = f"{db.upper()}_DATABASE_URL"
    # The lock belongs to the database session, which a pooler would give to another client.
    direct = environ.get(f"{db.upper()}_DATABASE_DIRECT_URL")
    if not (url := direct or environ.get(name)):
        raise MigrationError(f"{name} is not set")
    return url


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
