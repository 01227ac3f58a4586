"""The content of the lock file, and its form in memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from aiosqlc.diagnostics import Diagnostic
from aiosqlc.ir import Analysis, Catalog, TypedQuery
from aiosqlc.lock.keys import complete_key


class LockedWarning(Struct):
    """A stored warning, with labels of (path, start, end, text).

    `query` is the hash of the query that contains the first label.
    """

    code: str
    message: str
    labels: list[tuple[str, int, int, str]] = []
    hint: str = ""
    notes: tuple[str, ...] = ()
    query: str = ""


class Entry(Struct):
    """The stored data of one configuration entry; `queries` has undecoded queries by their hash.

    `catalog` is the key of a stored catalog. Entries with the same schema share it, and queries
    refer to its objects.
    """

    schema: str
    complete: str
    catalog: str
    queries: dict[str, msgspec.Raw]
    warnings: list[LockedWarning] = []
    server_version: str = ""


class LockedCatalog(Struct):
    """A stored catalog, whose tables and types are packed to lists of field values."""

    default_schema: str
    tables: list[Any]
    types: list[Any]


class Document(Struct):
    """The content of the whole lock file."""

    format: int
    catalogs: dict[str, LockedCatalog]
    entries: dict[str, Entry]


class Locked(Struct, frozen=True):
    """The data of one configuration entry that are written to the lock."""

    schema: str
    keys: tuple[str, ...]
    analysis: Analysis
    warnings: tuple[Diagnostic, ...]

    @property
    def complete(self) -> str:
        """Return a hash of the entry's queries and of their positions.

        Return an empty string if there are no warnings, which contain positions.
        """
        if not self.warnings:
            return ""
        return complete_key(self.keys, [query.parsed for query in self.analysis.queries])


class Known(Struct, frozen=True):
    """The stored data of one configuration entry, from disk or from a run of this process."""

    schema: str
    complete: str
    catalog: Catalog
    queries: Mapping[str, msgspec.Raw | TypedQuery]
    warnings: tuple[LockedWarning, ...] = ()
    server_version: str = ""
