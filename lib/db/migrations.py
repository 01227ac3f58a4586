"""Migrations: yoyo's SQL files applied to one database, each database with a version table of its own."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import yoyo
from yoyo.exceptions import LockTimeout

ROOT = Path("migrations")
# Per URL scheme, the driver yoyo is to use.
_DRIVERS = {"postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg", "mysql": "mysql"}
_LOCK_SECONDS = 30


class MigrationError(Exception):
    """Why a database could not be migrated, in one sentence."""


def databases(root: Path = ROOT) -> list[str]:
    """Return the names of the databases that have migrations, in alphabetical order."""
    return sorted(path.name for path in root.iterdir() if path.is_dir()) if root.is_dir() else []


def source(root: Path, db: str, url: str) -> Path:
    """Return the folder of `db`'s files; a database that runs on two engines has one folder for each."""
    engine = root / db / ("mysql" if urlsplit(url).scheme == "mysql" else "postgres")
    return engine if engine.is_dir() else root / db


def apply(url: str, folder: Path, *, db: str, demo: bool = False) -> list[str]:
    """Apply what is missing, oldest first; return the names applied. With `demo`, then the demo data.

    Each file runs in a transaction: one that fails leaves nothing of itself behind, and the ones before
    it stay. Raises MigrationError.
    """
    applied = _apply(url, folder, db)
    if demo and (folder / "demo").is_dir():
        _refuse_same_names(folder)
        applied += _apply(url, folder / "demo", db)
    return applied


def roll_back_one(url: str, folder: Path, *, db: str) -> str | None:
    """Undo the newest applied schema migration; return its name, or None where none is applied."""
    with _Session(url, folder, db) as session:
        newest = session.backend.to_rollback(session.files)[:1]
        session.backend.rollback_migrations(newest)
        return newest[0].id if newest else None


def init(folder: Path, name: str) -> tuple[Path, Path]:
    """Create the next numbered pair of empty files, `0002_add_x.sql` and its rollback; return their paths."""
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise MigrationError(f"{name!r} is not a migration name: use lower case words joined by _")
    folder.mkdir(parents=True, exist_ok=True)
    numbers = [int(path.name[:4]) for path in folder.glob("[0-9][0-9][0-9][0-9]_*.sql")]
    stem = f"{max(numbers, default=0) + 1:04d}_{name}"
    pair = (folder / f"{stem}.sql", folder / f"{stem}.rollback.sql")
    for path, what in zip(pair, ("apply", "roll back"), strict=True):
        path.write_text(f"-- {name}: {what}.\nSET LOCAL lock_timeout = '5s';\n")
    return pair


class _Session:
    """One connection of yoyo with its lock held; failures come out as MigrationError."""

    def __init__(self, url: str, folder: Path, db: str) -> None:
        # The database's name is in the table's: two that share a server schema do not mix their versions.
        self._url, self._folder, self._table = url, folder, f"{db}_schema_version"

    def __enter__(self) -> _Session:
        if not self._folder.is_dir():
            raise MigrationError(f"there is no folder {self._folder} with migrations")
        try:
            self.backend = yoyo.get_backend(_yoyo_url(self._url), migration_table=self._table)
        except Exception as error:  # yoyo passes on whatever its driver raises
            raise MigrationError(
                f"cannot connect to {_without_secret(self._url)}: {_said(error)}"
            ) from error
        self.files = yoyo.read_migrations(str(self._folder))
        self._lock = self.backend.lock(timeout=_LOCK_SECONDS)
        try:
            self._lock.__enter__()
        except LockTimeout:
            self.backend.connection.close()
            raise MigrationError(
                f"another process has been migrating {_without_secret(self._url)} for {_LOCK_SECONDS} s"
            ) from None
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        try:
            self._lock.__exit__(None, None, None)
        finally:
            self.backend.connection.close()
        if isinstance(error, Exception):
            raise MigrationError(f"{self._folder}: {_said(error)}") from error


def _refuse_same_names(folder: Path) -> None:
    """Schema and demo data share one version table: a name used twice would count as applied already."""
    names = [{path.name for path in where.glob("*.sql")} for where in (folder, folder / "demo")]
    if twice := names[0] & names[1]:
        raise MigrationError(f"{folder / 'demo'}: {min(twice)} has the name of a schema migration")


def _apply(url: str, folder: Path, db: str) -> list[str]:
    with _Session(url, folder, db) as session:
        missing = session.backend.to_apply(session.files)
        for migration in missing:
            try:
                session.backend.apply_one(migration)
            except Exception as error:
                raise RuntimeError(f"{migration.id} failed: {_said(error)}") from error
        return [migration.id for migration in missing]


def _yoyo_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in _DRIVERS:
        raise MigrationError(f"{parts.scheme or 'no scheme'!r} is not one of {', '.join(_DRIVERS)}")
    return urlunsplit(parts._replace(scheme=_DRIVERS[parts.scheme]))


def _without_secret(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.hostname or 'localhost'}:{parts.port or '(default port)'}{parts.path}"


def _said(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def _url_of(db: str) -> str:
    """Return the URL from `<DB>_DATABASE_URL`."""
    name = f"{db.upper()}_DATABASE_URL"
    url = os.environ.get(name, "")
    if not url:
        raise MigrationError(f"set {name} to the URL of the database")
    return url
