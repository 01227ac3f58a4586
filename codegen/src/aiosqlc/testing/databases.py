"""Copies of a template database. A used copy is reset, or replaced if it cannot be reset."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self
from urllib.parse import unquote, urlsplit

from aiosqlc.engines import engine_of
from aiosqlc.servers.copies import Copy, TemplateError

__all__ = ["Databases", "TemplateError"]


class Databases:
    """Copies of one PostgreSQL, MySQL or MariaDB database, each for one test at a time.

    `template` is the URL of a database with the schema. No session may be connected to the template
    while a copy is made. The account in the URL must be a superuser on PostgreSQL; with any other
    role, each test gets a new copy. `name` returns the name of the next copy. With `file_copy`,
    PostgreSQL copies the files of the template, which is slow on a busy disk. All methods may be
    called from any thread.
    """

    def __init__(
        self, template: str, *, name: Callable[[], str] | None = None, file_copy: bool = False
    ) -> None:
        parts = urlsplit(template)
        engine = engine_of(parts.scheme)
        database = unquote(parts.path.lstrip("/"))
        if engine is None or not database:
            raise TemplateError(
                "the template is not a URL such as postgresql://host/database or"
                " mysql://host/database"
            )
        self._source = engine.copies(template, file_copy=file_copy)
        self._name = name or (lambda: f"{database[:40]}_{secrets.token_hex(6)}")
        self._copies: dict[str, Copy] = {}
        self._free: list[str] = []
        self._locked: list[Copy] = []
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()

    def take(self) -> str:
        """Return the URL of a database that is equal to the template.

        Raises `TemplateError` if the template cannot be copied, and the driver's exceptions.
        """
        with self._lock:
            return self._free.pop() if self._free else self._create(self._name())

    def give_back(self, url: str) -> None:
        """End all sessions in a database that `take` returned, and undo all changes in it.

        Raises `TemplateError` if the template cannot be copied, and the driver's exceptions.
        """
        with self._lock:
            copy = self._copies.pop(url)
            if copy.reset():
                self._copies[url] = copy
            elif copy.drop():
                url = self._create(copy.name)
            else:
                self._locked.append(copy)
                url = self._create(self._name())
            self._free.append(url)

    def close(self) -> None:
        """Drop all copies."""
        with self._lock:
            for copy in (*self._copies.values(), *self._locked):
                copy.drop()
            self._copies.clear()
            self._locked.clear()
            self._free.clear()

    def _create(self, name: str) -> str:
        copy = self._source.create(name)
        self._copies[copy.url] = copy
        return copy.url
