"""The compiler itself, by its analyser."""

from __future__ import annotations

from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

from aiosqlc.analysis.port import Analyze
from aiosqlc.ir import (
    AnalyzeOptions,
    Cardinality,
    Command,
    JsonKind,
    JsonShape,
    ParsedQuery,
    SqlType,
    TypedQuery,
    TypeKind,
)
from aiosqlc.postgres import analyze
from aiosqlc.source import SourceFile, SourceMap, Span

from bench.soundness.executing import file_of
from bench.soundness.model import ANY, Claim, Kind, Query, Refusal, Suite, Verdict, Verdicts
from bench.soundness.peers.port import Peer
from bench.soundness.values import ASYNCPG, ServerType, scalar_of

NAME = "aiosqlc"


def parsed(query: Query) -> ParsedQuery:
    """Return a query as a file of its own has it."""
    whole = Span(0, len(query.sql))
    file = SourceFile(Path(f"{query.name}.sql"), query.sql)
    return ParsedQuery(file, query.name, Command.MANY, query.sql, SourceMap(), whole, whole)


def ask_with(analyze: Analyze, suite: Suite) -> Verdicts:
    """Return the verdicts of an analyser."""
    asked = [parsed(query) for query in suite.queries]
    analysis, problems = analyze([file_of(suite)], asked, AnalyzeOptions())
    said = {p.labels[0].file.path.stem if p.labels else "": p.message for p in problems}
    typed = {query.parsed.name: query for query in analysis.queries}
    return {
        query.name: _claim(typed[query.name])
        if query.name in typed
        else Refusal(said.get(query.name, "an error"))
        for query in suite.queries
    }


def _claim(query: TypedQuery) -> Verdict:
    one = query.cardinality in {Cardinality.ONE, Cardinality.SOME}
    return Claim(
        tuple(
            _kind(column.type, nullable=not column.not_null, elements=not column.element_not_null)
            for column in query.columns
        ),
        tuple(
            _kind(param.type, nullable=not param.not_null, elements=True)
            for param in sorted(query.params, key=lambda param: param.number)
        ),
        least=1 if one and query.columns else 0,
        most=1 if query.cardinality.at_most_one and query.columns else None,
    )


def _kind(found: SqlType, *, nullable: bool, elements: bool) -> Kind:
    if found.array_dims:
        item = Kind(_scalar(found), nullable=elements)
        return Kind("list", nullable, (item,)) if item.name != "any" else ANY
    name = _scalar(found)
    return Kind(name, nullable) if name != "any" else Kind("any", nullable)


def _scalar(found: SqlType) -> str:
    while found.kind is TypeKind.DOMAIN and found.base:
        found = found.base
    if found.name in {"json", "jsonb"}:
        return "str"
    labels = found.labels if found.kind is TypeKind.ENUM else ()
    return scalar_of(ServerType(found.name, None, labels), ASYNCPG) or "any"


PEER = Peer(
    NAME, lambda _: version("aiosqlc"), lambda _: "", lambda s, _: ask_with(analyze, s), ASYNCPG
)


def shape_kind(shape: JsonShape) -> Kind:
    """Return the shape of JSON as a type of Python."""
    inside = tuple(shape_kind(member) for _, member in shape.members)
    keys = tuple(str(key) for key, _ in shape.members)
    absent = frozenset(str(key) for key, member in shape.members if member.absent)
    kind = {
        JsonKind.OBJECT: lambda: Kind("object", shape.nullable, inside, keys, absent),
        JsonKind.MAP: lambda: Kind("map", shape.nullable, inside or (ANY,)),
        JsonKind.ARRAY: lambda: Kind("list", shape.nullable, inside or (ANY,)),
        JsonKind.TUPLE: lambda: Kind("tuple", shape.nullable, inside),
        JsonKind.SCALAR: lambda: replace(_of_json(shape), nullable=shape.nullable),
    }.get(shape.kind)
    return kind() if kind else ANY


# A number is a text in JSON if it is NaN or infinite.
_NUMBER = Kind("union", items=(Kind("int"), Kind("float"), Kind("str")))


def _of_json(shape: JsonShape) -> Kind:
    """Return the type that the text of a scalar has in JSON, before it is converted."""
    name = shape.type.name if shape.type else ""
    if name in {"float4", "float8", "numeric"}:
        return _NUMBER
    if name in {"int2", "int4", "int8", "oid"}:
        return Kind("int")
    return Kind("bool" if name == "bool" else "str") if name else ANY
