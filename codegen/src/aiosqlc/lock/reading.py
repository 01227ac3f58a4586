"""Read the lock file and cache it. A lock that this process wrote comes from memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, get_type_hints

import msgspec

from aiosqlc.config.project import Project
from aiosqlc.diagnostics import Diagnostic, Label, Severity
from aiosqlc.ir import (
    Catalog,
    Column,
    Constraint,
    ParsedQuery,
    SqlType,
    Table,
    TypedParam,
    TypedQuery,
)
from aiosqlc.lock.catalog_refs import Shorthand, shorthand, unchanged
from aiosqlc.lock.document import (
    Document,
    Entry,
    Known,
    Locked,
    LockedCatalog,
)
from aiosqlc.lock.head import FORMAT, lock_path
from aiosqlc.lock.packing import reader
from aiosqlc.lock.writing import locked_warnings
from aiosqlc.source import SourceFile, Span
from aiosqlc.store.disk import file_digest, read_bytes
from aiosqlc.store.memo import Recent

_read: Recent[str, dict[str, Known]] = Recent(20)  # by the digest of the file


def read_lock(project: Project) -> dict[str, Known]:
    """Return the stored data by entry, or nothing if the lock is missing, old or damaged."""
    path = lock_path(project)
    key = file_digest(path)
    known = _read.get(key) if key else None
    if known is None:
        try:
            known = _decoded(read_bytes(path))
        except (OSError, msgspec.DecodeError, KeyError, ValueError):  # edited by hand
            return {}
        _read.put(key, known)
    return known


def read_text(text: str) -> dict[str, Known]:
    """Return the stored data by entry from a lock file's text, or {} if it is unusable."""
    try:
        return _decoded(text.encode())
    except (msgspec.DecodeError, KeyError, ValueError):
        return {}


def _decoded(data: bytes) -> dict[str, Known]:
    lock = msgspec.json.decode(data, type=Document)
    if lock.format != FORMAT:
        return {}
    catalogs = {key: _catalog(found) for key, found in lock.catalogs.items()}
    return {name: _known(entry, catalogs) for name, entry in lock.entries.items()}


def _catalog(found: LockedCatalog) -> Catalog:
    tables = reader(tuple[Table, ...])(found.tables)
    return Catalog(tables, reader(tuple[SqlType, ...])(found.types), found.default_schema)


def keep_lock(project: Project, entries: Mapping[str, Locked]) -> None:
    """Remember the entries that this process wrote, so that it need not read the lock file."""
    known = {name: known_of(entry) for name, entry in entries.items()}
    if key := file_digest(lock_path(project)):
        _read.put(key, known)


def _known(entry: Entry, catalogs: Mapping[str, Catalog]) -> Known:
    return Known(
        entry.schema,
        entry.complete,
        catalogs[entry.catalog],
        entry.queries,
        tuple(entry.warnings),
        entry.server_version,
    )


def known_of(locked: Locked) -> Known:
    """Return the data of a written entry that a later analysis can reuse."""
    analysis = locked.analysis
    return Known(
        locked.schema,
        locked.complete,
        analysis.catalog,
        dict(zip(locked.keys, analysis.queries, strict=True)),
        locked_warnings(locked),
        analysis.server_version,
    )


def restore(
    stored: msgspec.Raw | TypedQuery, parsed: ParsedQuery, catalog: Catalog
) -> TypedQuery | None:
    """Return a stored query at its current position, or None if it cannot be decoded."""
    if isinstance(stored, TypedQuery):
        return stored if stored.parsed is parsed else stored.placed(parsed)
    try:
        found = msgspec.json.decode(stored, type=dict[str, Any])
        sql = unchanged(found.pop("sql"), parsed.sql) if "sql" in found else parsed.sql
        short = shorthand(catalog)
        values = {
            name: _SHORT[name](short, value) if name in _SHORT else _reader_of(name)(value)
            for name, value in found.items()
        }
        return TypedQuery(parsed=parsed, sql=sql, **values)
    except (msgspec.DecodeError, KeyError, TypeError, ValueError):
        return None


def _columns(short: Shorthand, stored: list[Any]) -> tuple[Column, ...]:
    found: list[Column] = []
    for item in stored:
        found += short.read_column(item) if type(item) is str else [reader(Column)(item)]
    return tuple(found)


def _params(short: Shorthand, stored: list[Any]) -> tuple[TypedParam, ...]:
    read = reader(TypedParam)
    return tuple(
        [
            short.read_param(item, number) if type(item) is str else read(item)
            for number, item in enumerate(stored, 1)
        ]
    )


def _constraints(short: Shorthand, stored: list[Any]) -> tuple[Constraint, ...]:
    found: list[Constraint] = []
    for item in stored:
        found += short.read_constraints(item) if type(item) is str else [reader(Constraint)(item)]
    return tuple(found)


_SHORT: Mapping[str, Callable[[Shorthand, list[Any]], Any]] = {
    "columns": _columns,
    "params": _params,
    "violable": _constraints,
}


@cache
def _reader_of(name: str) -> Callable[[Any], Any]:
    """Return the function that unpacks a query's field `name`. Raise `KeyError` for other names."""
    return reader(_hints()[name])


@cache
def _hints() -> dict[str, Any]:
    return get_type_hints(TypedQuery)


def restore_warnings(known: Known, files: Mapping[str, SourceFile]) -> list[Diagnostic]:
    """Return the stored warnings of an entry whose files have not changed."""
    return [
        Diagnostic(
            item.code,
            item.message,
            tuple(
                Label(files[path], Span(start, end), text)
                for path, start, end, text in item.labels
                if path in files
            ),
            item.hint,
            Severity.WARNING,
            item.notes,
        )
        for item in known.warnings
    ]
