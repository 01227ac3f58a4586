"""Prints the lock: one line per query, in source order, so that a diff shows what changed."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from typing import Any, cast

import msgspec

from aiosqlc.checks import concerns
from aiosqlc.config.project import Project
from aiosqlc.diagnostics import Diagnostic
from aiosqlc.kept import kept, kept_by
from aiosqlc.lock.document import FORMAT, Head, Locked, LockedWarning, lock_path
from aiosqlc.stages import Catalog, ColumnRef, Constraint, Rendered, SqlType, TypedQuery


def print_lock(project: Project, entries: Mapping[str, Locked], head: Head | None) -> Rendered:
    """Print the lock file: what it is good for in the first line, then a line per query."""
    body = ",\n".join(f"{_json(name)}: {_print_entry(entry)}" for name, entry in entries.items())
    first = _json(msgspec.to_builtins(head or Head(FORMAT)))[:-1]
    return Rendered(lock_path(project), f'{first},\n"entries": {{\n{body}\n}}}}\n')


def locked_warnings(entry: Locked) -> tuple[LockedWarning, ...]:
    """Return the warnings of an entry without the files they speak of."""
    return tuple(_locked_warning(item, entry) for item in entry.warnings)


def _locked_warning(item: Diagnostic, entry: Locked) -> LockedWarning:
    labels = [
        (str(label.file.path), label.span.start, label.span.end, label.text)
        for label in item.labels
    ]
    return LockedWarning(
        item.code, item.message, labels, item.hint, tuple(item.notes), _query_of(item, entry)
    )


def _query_of(item: Diagnostic, entry: Locked) -> str:
    """Return the key of the query that a warning's first label lies in."""
    for key, query in zip(entry.keys, entry.analysis.queries, strict=True):
        if concerns(item, query.parsed):
            return key
    return ""


def _print_entry(entry: Locked) -> str:
    analysis = entry.analysis
    queries = ",\n  ".join(
        [
            f'"{key}": {_query(query)}'
            for key, query in zip(entry.keys, analysis.queries, strict=True)
        ]
    )
    warnings = ",\n  ".join(map(_json, locked_warnings(entry)))
    return (
        f'{{"schema": {_json(entry.schema)}, "complete": {_json(entry.complete)},\n'
        f' "server_version": {_json(analysis.server_version)},\n'
        f' "catalog": {_catalog(analysis.catalog)},\n'
        f' "warnings": [{warnings}],\n "queries": {{\n  {queries}}}}}'
    )


@kept
def _catalog(catalog: Catalog) -> str:
    tables = ",\n  ".join(_json(table) for table in catalog.tables)
    types = ",\n  ".join(_json(kind) for kind in catalog.types)
    return (
        f'{{"default_schema": {_json(catalog.default_schema)},\n'
        f' "tables": [\n  {tables}],\n "types": [\n  {types}]}}'
    )


# What only `explain` shows, and what is read again anyway, is not remembered.
_FORGOTTEN = frozenset({"parsed", "source_map", "reasons", "cardinality_reasons"})
_STORED = [item.name for item in fields(TypedQuery) if item.name not in _FORGOTTEN]


@kept_by(lambda query: tuple([getattr(query, name) for name in _STORED]))
def _query(query: TypedQuery) -> str:
    return _object(query)


def _json(value: object) -> str:
    """Return a value as JSON; frozen values as objects without their defaults."""
    kind = type(value)
    known = _PLAIN.get(kind)
    if known is not None:
        return known(value)
    if kind in _REPEATED:
        return _fragment(value)
    if kind in _MEMBERS or is_dataclass(value):
        return _object(value)
    return _encode(value).decode()


def _array(value: Any) -> str:
    return f"[{','.join([_json(item) for item in value])}]"


_encode = msgspec.json.Encoder().encode
_PLAIN: dict[type, Callable[[Any], str]] = {
    tuple: _array,
    str: lambda value: _encode(value).decode(),
    int: str,
    bool: lambda value: "true" if value else "false",
}
# Few of these, used over and over: each is written out once.
_REPEATED = frozenset({SqlType, ColumnRef, Constraint})
_MEMBERS: dict[type, list[tuple[str, object]]] = {}


@cache
def _fragment(value: Hashable) -> str:
    return _object(value)


def _object(value: object) -> str:
    members = _MEMBERS.get(type(value))
    if members is None:
        members = [
            (item.name, item.default)
            for item in fields(cast("Any", value))
            if item.name not in _FORGOTTEN
        ]
        _MEMBERS[type(value)] = members
    return (
        "{"
        + ",".join(
            [
                f'"{name}":{_json(held)}'
                for name, default in members
                if (held := getattr(value, name)) is not default
                and (default is MISSING or held != default)
            ]
        )
        + "}"
    )
