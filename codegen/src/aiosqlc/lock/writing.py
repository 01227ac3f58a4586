"""Write the lock: one line per query in source order, for readable diffs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import msgspec
from msgspec import NODEFAULT, Struct

from aiosqlc.analysis.checks import concerns
from aiosqlc.config.project import Project
from aiosqlc.diagnostics import Diagnostic
from aiosqlc.ir import Catalog, ColumnRef, Constraint, Rendered, SqlType, TypedQuery
from aiosqlc.lock.catalog_refs import changed, shorthand
from aiosqlc.lock.document import Locked, LockedWarning
from aiosqlc.lock.head import FORMAT, Head, lock_path
from aiosqlc.lock.packing import members, plain_type, stored_fields
from aiosqlc.store.divided import Call, answers
from aiosqlc.store.memo import memo_by


def print_lock(
    project: Project,
    entries: Mapping[str, Locked],
    head: Head | None,
    texts: Mapping[str, Sequence[str]] | None = None,
) -> Rendered:
    """Return the text of the lock file: a summary line, then one line per query.

    `texts` are the results of `calls_of` by entry, as far as they are known.
    """
    texts = texts or {}
    body = ",\n".join(
        f"{_json(name)}: {_print_entry(entry, texts.get(name))}" for name, entry in entries.items()
    )
    catalogs = {
        _catalog_key(entry.analysis.catalog): entry.analysis.catalog for entry in entries.values()
    }
    shared = ",\n".join(f'"{key}": {_catalog(catalog)}' for key, catalog in catalogs.items())
    first = _json(msgspec.to_builtins(head or Head(FORMAT)))[:-1]
    return Rendered(
        lock_path(project), f'{first},\n"catalogs": {{\n{shared}}},\n"entries": {{\n{body}\n}}}}\n'
    )


def locked_warnings(entry: Locked) -> tuple[LockedWarning, ...]:
    """Return an entry's warnings in the form that the lock stores, with paths in place of files."""
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
    """Return the hash of the query that contains a warning's first label, or ''."""
    for key, query in zip(entry.keys, entry.analysis.queries, strict=True):
        if concerns(item, query.parsed):
            return key
    return ""


def calls_of(entry: Locked) -> list[Call]:
    """Return a function call per query of an entry; each call renders its query as JSON."""
    catalog = entry.analysis.catalog
    return [(_query, (query, catalog)) for query in entry.analysis.queries]


def _print_entry(entry: Locked, texts: Sequence[str] | None) -> str:
    analysis = entry.analysis
    if texts is None:
        texts = answers(calls_of(entry))
    queries = ",\n  ".join(
        [f'"{key}": {text}' for key, text in zip(entry.keys, texts, strict=True)]
    )
    warnings = ",\n  ".join(map(_json, locked_warnings(entry)))
    return (
        f'{{"schema": {_json(entry.schema)}, "complete": {_json(entry.complete)},\n'
        f' "server_version": {_json(analysis.server_version)},\n'
        f' "catalog": "{_catalog_key(analysis.catalog)}",\n'
        f' "warnings": [{warnings}],\n "queries": {{\n  {queries}}}}}'
    )


def _catalog_key(catalog: Catalog) -> str:
    """Return the key of the catalog, which is a hash of its content.

    Entries with the same schema have the same key.
    """
    return catalog.digest[:16]


@memo_by(lambda catalog: catalog.digest)
def _catalog(catalog: Catalog) -> str:
    tables = ",\n  ".join(_json(table) for table in catalog.tables)
    types = ",\n  ".join(_json(kind) for kind in catalog.types)
    return (
        f'{{"default_schema": {_json(catalog.default_schema)},\n'
        f' "tables": [\n  {tables}],\n "types": [\n  {types}]}}'
    )


_STORED = [item for item in stored_fields(TypedQuery) if item.name != "sql"]


@memo_by(lambda query, catalog: (query.digest, catalog.digest))
def _query(query: TypedQuery, catalog: Catalog) -> str:
    """Return a query as JSON with its field names.

    The values are packed, or are references to the catalog.
    """
    short = shorthand(catalog)
    shown: dict[str, Any] = {
        "columns": short.columns(query.columns),
        "params": short.params(query.params),
        "violable": short.constraints(query.violable),
    }
    stored = [
        f'"{item.name}":{_json(shown.get(item.name, held))}'
        for item in _STORED
        if (held := getattr(query, item.name)) is not item.default
        and (item.default is NODEFAULT or held != item.default)
    ]
    if query.sql != query.parsed.sql:
        stored.insert(0, f'"sql":{_json(changed(query.sql, query.parsed.sql))}')
    return "{" + ",".join(stored) + "}"


def _json(value: object) -> str:
    """Return a value as JSON; Structs inside are packed to lists."""
    kind = type(value)
    known = _PLAIN.get(kind)
    if known is not None:
        return known(value)
    if kind in _REPEATED:
        return _fragment(value)
    if isinstance(value, Struct):
        return _packed(value)
    return _encode(value).decode()


def _array(value: Any) -> str:
    return f"[{','.join([_json(item) for item in value])}]"


def _packed(value: Struct) -> str:
    name = plain_type(value)
    return _encode(name).decode() if name else _array(members(value))


_encode = msgspec.json.Encoder().encode
_PLAIN: dict[type, Callable[[Any], str]] = {
    tuple: _array,
    list: _array,
    str: lambda value: _encode(value).decode(),
    int: str,
    bool: lambda value: "true" if value else "false",
}
# Few different values that occur often; the text of each is cached.
_REPEATED = frozenset({SqlType, ColumnRef, Constraint})


@cache
def _fragment(value: Struct) -> str:
    return _packed(value)
