"""Remembers an analysis beside the configuration, so that unchanged SQL needs no server at all.

The lock is committed: one line per query, in source order, so that a diff shows what changed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any, cast, get_type_hints

import msgspec

from aiosqlc.config.project import Project, QuerySet
from aiosqlc.diagnostics import Diagnostic, Label, Severity
from aiosqlc.kept import kept
from aiosqlc.source import SourceFile, Span
from aiosqlc.stages import (
    Analysis,
    AnalyzeOptions,
    Catalog,
    ColumnRef,
    Constraint,
    ParsedQuery,
    Rendered,
    SchemaFile,
    SqlType,
    TypedQuery,
)

FORMAT = 2


def lock_path(project: Project) -> Path:
    """Return where the lock of a configuration is: `sqlc.yaml` → `sqlc.lock.json`."""
    return project.root / f"{project.file.path.stem}.lock.json"


@cache
def compiler_digest() -> str:
    """Return a hash of the compiler's own code: another compiler may analyse differently."""
    digest = hashlib.sha256()
    package = Path(__file__).parent
    for path in sorted(package.rglob("*")):
        if path.suffix in {".py", ".sql", ".json"}:
            digest.update(path.relative_to(package).as_posix().encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


def schema_key(entry: QuerySet, schema: Sequence[SchemaFile], options: AnalyzeOptions) -> str:
    """Return what an analysis depends on besides the query itself."""
    parts = [compiler_digest(), entry.engine.value, str(options.strict)]
    parts += options.not_null_functions
    parts.append("given server" if options.database_uri else "embedded server")
    parts += [f"{file.transactional}{file.sql}" for file in (*schema, *options.shims)]
    return _digest(parts)


@kept
def query_key(schema: str, query: ParsedQuery) -> str:
    """Return the key of one query: everything of it but its place in the file."""
    parts = [schema, query.name, query.command.value, query.sql]
    parts += [repr((p.number, p.name, p.nullable, p.is_slice)) for p in query.params]
    parts += [repr((embed.table, embed.sql_offset)) for embed in query.embeds]
    parts += [repr((hint.target, hint.python_type, hint.not_null)) for hint in query.hints]
    parts += [repr((part.kind, part.name, part.choices)) for part in query.dynamic]
    parts += [variant.sql for variant in query.variants]
    return _digest([*parts, repr(query.options)])


def complete_key(keys: Sequence[str], queries: Sequence[ParsedQuery]) -> str:
    """Return the key of an entry: its queries and where each of them stands."""
    return _digest([*keys, *(f"{query.file.path}:{query.span.start}" for query in queries)])


def _digest(parts: Sequence[str]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        encoded = part.encode("utf-8", "surrogatepass")
        digest.update(len(encoded).to_bytes(8, "big") + encoded)
    return digest.hexdigest()


# --- reading --------------------------------------------------------------------------------------

_HINTS = get_type_hints(TypedQuery)
_Locked = msgspec.defstruct(
    "_Locked",
    [
        (item.name, _HINTS[item.name], item.default)
        if item.default is not MISSING
        else (item.name, _HINTS[item.name])
        for item in fields(TypedQuery)
        if item.name != "parsed"
    ],
)


class _Warning(msgspec.Struct):
    """A warning as it is locked: its labels are (path, start, end, text)."""

    code: str
    message: str
    labels: list[tuple[str, int, int, str]] = []
    hint: str = ""
    notes: tuple[str, ...] = ()


class Entry(msgspec.Struct):
    """What is remembered of one entry: its queries by key, and the key of the whole."""

    schema: str
    complete: str
    catalog: Catalog
    queries: dict[str, msgspec.Raw]
    warnings: list[_Warning] = []
    server_version: str = ""


class Head(msgspec.Struct):
    """The first line: from which inputs which files were made, all without a word to say."""

    format: int
    inputs: str = ""
    outputs: dict[str, str] = {}


class _Lock(msgspec.Struct):
    format: int
    entries: dict[str, Entry]


def read_lock(project: Project) -> dict[str, Entry]:
    """Return what is remembered by entry; nothing where the lock is absent, old or damaged."""
    try:
        lock = msgspec.json.decode(lock_path(project).read_bytes(), type=_Lock)
    except (OSError, msgspec.DecodeError):
        return {}
    return lock.entries if lock.format == FORMAT else {}


def read_head(project: Project) -> Head | None:
    """Return the first line alone: the rest may be long."""
    try:
        with lock_path(project).open(encoding="utf-8") as stream:
            first = stream.readline()
        head = msgspec.json.decode(first.rstrip().removesuffix(",") + "}", type=Head)
    except (OSError, UnicodeDecodeError, msgspec.DecodeError):
        return None
    return head if head.format == FORMAT else None


def restore(raw: msgspec.Raw, parsed: ParsedQuery) -> TypedQuery | None:
    """Return a remembered query; None where it does not read as one."""
    try:
        locked = msgspec.json.decode(raw, type=_Locked)
    except msgspec.DecodeError:
        return None
    values = {name: getattr(locked, name) for name in _Locked.__struct_fields__}
    return TypedQuery(parsed=parsed, **values)


def restore_warnings(entry: Entry, files: Mapping[str, SourceFile]) -> list[Diagnostic]:
    """Return the warnings of an unchanged entry."""
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
        for item in entry.warnings
    ]


# --- writing --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Locked:
    """What is to be remembered of one entry."""

    schema: str
    keys: tuple[str, ...]
    analysis: Analysis
    warnings: tuple[Diagnostic, ...]

    @property
    def complete(self) -> str:
        """The key of the whole entry."""
        return complete_key(self.keys, [query.parsed for query in self.analysis.queries])


def print_lock(project: Project, entries: Mapping[str, Locked], head: Head | None) -> Rendered:
    """Print the lock file: what it is good for in the first line, then a line per query."""
    body = ",\n".join(f"{_json(name)}: {_print_entry(entry)}" for name, entry in entries.items())
    first = _json(msgspec.to_builtins(head or Head(FORMAT)))[:-1]
    return Rendered(lock_path(project), f'{first},\n"entries": {{\n{body}\n}}}}\n')


def _print_entry(entry: Locked) -> str:
    analysis = entry.analysis
    queries = ",\n  ".join(
        f"{_json(key)}: {_query(query)}"
        for key, query in zip(entry.keys, analysis.queries, strict=True)
    )
    warnings = ",\n  ".join(_json(_warning(item)) for item in entry.warnings)
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


@kept
def _query(query: TypedQuery) -> str:
    return _object(query)


def _json(value: object) -> str:
    """Return a value as JSON; frozen values as objects without their defaults."""
    if isinstance(value, tuple):
        return f"[{','.join(map(_json, value))}]"
    kind = type(value)
    if kind in _REPEATED:
        return _fragment(value)
    if kind in _MEMBERS or is_dataclass(value):
        return _object(value)
    return _encode(value).decode()


_encode = msgspec.json.Encoder().encode
# Few of these, used over and over: each is written out once.
_REPEATED = frozenset({SqlType, ColumnRef, Constraint})
# What only `explain` shows, and what is read again anyway, is not remembered.
_FORGOTTEN = frozenset({"parsed", "reasons", "cardinality_reasons"})
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
            f'"{name}":{_json(held)}'
            for name, default in members
            if (held := getattr(value, name)) is not default
            and (default is MISSING or held != default)
        )
        + "}"
    )


def _warning(item: Diagnostic) -> Any:
    labels = [
        (str(label.file.path), label.span.start, label.span.end, label.text)
        for label in item.labels
    ]
    return {
        "code": item.code,
        "message": item.message,
        "labels": labels,
        "hint": item.hint,
        "notes": list(item.notes),
    }
