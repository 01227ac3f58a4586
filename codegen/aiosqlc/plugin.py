"""Generates code from what sqlc has analysed: its CodeGenRequest in, files out.

Types and nullability are then sqlc's own; what the server would prove is not asked.
"""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from aiosqlc.config.project import ModelKind, Project, PythonTarget
from aiosqlc.emit.format import format_all
from aiosqlc.emit.package import print_package
from aiosqlc.plan import plan_modules
from aiosqlc.render import render_all
from aiosqlc.source import SourceFile, SourceMap, Span
from aiosqlc.stages import (
    Analysis,
    Cardinality,
    Catalog,
    Column,
    ColumnRef,
    Command,
    ParsedQuery,
    Rendered,
    SqlType,
    Table,
    TableColumn,
    TypedParam,
    TypedQuery,
    TypeKind,
)

Json = Mapping[str, Any]


class RequestError(Exception):
    """The request cannot be turned into code; the message says why."""


def generate_from_request(request: Json) -> list[Rendered]:
    """Return the files, their paths relative to the plugin's `out` folder.

    Raises `RequestError` for unknown options and for what cannot be named in Python.
    """
    target = _target(request)
    analysis = _analysis(request)
    modules, problems = plan_modules(target, analysis)
    if problems:
        raise RequestError(render_all(problems))
    project = Project(SourceFile(Path("sqlc.yaml"), ""), Path())
    return list(format_all(print_package(project, target, modules), Path()))


def _target(request: Json) -> PythonTarget:
    raw = request.get("plugin_options") or "e30="
    try:
        text = raw if raw.lstrip().startswith("{") else base64.b64decode(raw).decode()
        options = json.loads(text or "{}")
    except ValueError as error:
        message = f"the plugin's options are not JSON: {error}"
        raise RequestError(message) from error
    known = {"package", "models", "executor", "emit_class", "emit_protocol"}
    unknown = sorted(set(options) - known)
    if unknown:
        message = f"unknown option `{unknown[0]}`; known are {', '.join(sorted(known))}"
        raise RequestError(message)
    models = str(options.pop("models", "dataclass"))
    if models not in set(ModelKind):
        message = f"models cannot be `{models}`; known are {', '.join(ModelKind)}"
        raise RequestError(message)
    return PythonTarget(out=Path(), span=Span(0, 0), models=ModelKind(models), **options)


def _analysis(request: Json) -> Analysis:
    catalog = request.get("catalog") or {}
    default = catalog.get("default_schema") or "public"
    enums = {
        (schema["name"], enum["name"]): tuple(enum["vals"])
        for schema in catalog.get("schemas") or []
        for enum in schema.get("enums") or []
    }
    reader = _Reader(default, enums)
    tables = tuple(
        reader.table(schema["name"], table)
        for schema in catalog.get("schemas") or []
        if schema["name"] not in {"pg_catalog", "information_schema"}
        for table in schema.get("tables") or []
    )
    queries = tuple(reader.query(query) for query in request.get("queries") or [])
    return Analysis(Catalog(tables, default_schema=default), queries)


class _Reader:
    """Reads messages of the request into the compiler's own values."""

    def __init__(self, default: str, enums: dict[tuple[str, str], tuple[str, ...]]) -> None:
        self._default = default
        self._enums = enums

    def table(self, schema: str, table: Json) -> Table:
        columns = tuple(
            TableColumn(column["name"], self.type(column), bool(column.get("not_null")))
            for column in table.get("columns") or []
        )
        return Table(schema, table["rel"]["name"], columns, comment=table.get("comment") or "")

    def type(self, column: Json) -> SqlType:
        named = column.get("type") or {}
        schema = named.get("schema") or ""
        name = named.get("name") or "text"
        dims = int(column.get("array_dims") or 0) or int(bool(column.get("is_array")))
        labels = self._enums.get((schema or self._default, name))
        if labels is not None:
            return SqlType(schema or self._default, name, TypeKind.ENUM, dims, labels)
        return SqlType("pg_catalog", _ALIASES.get(name.lower(), name), array_dims=dims)

    def query(self, query: Json) -> TypedQuery:
        text = query["text"]
        file = SourceFile(Path(query.get("filename") or "queries.sql"), text)
        span = Span(0, len(text))
        parsed = ParsedQuery(
            file=file,
            name=query["name"],
            command=Command(query["cmd"].removeprefix(":")),
            sql=text,
            source_map=SourceMap(),
            name_span=span,
            span=span,
            doc=tuple(query.get("comments") or ()),
        )
        params = _told_apart([self.param(param) for param in query.get("params") or []])
        columns = tuple(self.column(column) for column in query.get("columns") or [])
        return TypedQuery(parsed, text, params, columns, Cardinality.MANY)

    def param(self, param: Json) -> TypedParam:
        column = param["column"]
        number = int(param["number"])
        kind = self.type(column)
        return TypedParam(
            number, column.get("name") or f"p{number}", kind, bool(column.get("not_null"))
        )

    def column(self, column: Json) -> Column:
        table = column.get("table")
        origin = None
        if table:
            schema = table.get("schema") or self._default
            name = column.get("original_name") or column["name"]
            origin = ColumnRef(schema, table["name"], name)
        return Column(
            column["name"], self.type(column), bool(column.get("not_null")), origin=origin
        )


def _told_apart(params: list[TypedParam]) -> tuple[TypedParam, ...]:
    """Number the parameters to which sqlc has given one name, as its own generators do."""
    seen: Counter[str] = Counter()
    found = []
    for param in params:
        seen[param.name] += 1
        count = seen[param.name]
        found.append(replace(param, name=f"{param.name}_{count}") if count > 1 else param)
    return tuple(found)


_ALIASES = {
    "int": "int4",
    "integer": "int4",
    "bigint": "int8",
    "smallint": "int2",
    "serial": "int4",
    "bigserial": "int8",
    "smallserial": "int2",
    "boolean": "bool",
    "real": "float4",
    "double precision": "float8",
    "decimal": "numeric",
    "character varying": "varchar",
    "string": "text",
}
