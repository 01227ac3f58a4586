"""Convert sqlc's request to the compiler's values.

The types and the nullability come from sqlc.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from aiosqlc.drivers.postgres_types import KNOWN
from aiosqlc.ir import (
    Analysis,
    Cardinality,
    Catalog,
    Column,
    ColumnRef,
    Command,
    ParsedQuery,
    SqlType,
    Table,
    TableColumn,
    TypedEmbed,
    TypedParam,
    TypedQuery,
    TypeKind,
)
from aiosqlc.parse.scanner import scan
from aiosqlc.source import SourceFile, SourceMap, Span

Json = Mapping[str, Any]
_ENGINE = "postgresql"


class RequestError(Exception):
    """Raised for a request that cannot be compiled; the message contains the reason."""


def analysis_of(request: Json) -> Analysis:
    """Return the catalog and the queries that sqlc's request contains.

    Raises `RequestError` if the request is invalid or not for PostgreSQL.
    """
    try:
        return _analysis(request)
    except (KeyError, TypeError, AttributeError) as error:
        message = f"the input is not a request from sqlc: {type(error).__name__} {error}"
        raise RequestError(message) from error


def _analysis(request: Json) -> Analysis:
    engine = request["settings"]["engine"]
    if engine != _ENGINE:
        message = (
            f"the plugin generates code for {_ENGINE}, not for {engine}; for MySQL call `aiosqlc"
            " generate` with this configuration"
        )
        raise RequestError(message)
    catalog = request.get("catalog") or {}
    default = catalog.get("default_schema") or "public"
    schemas = catalog.get("schemas") or []
    enums = {
        (schema["name"], enum["name"]): tuple(enum["vals"])
        for schema in schemas
        for enum in schema.get("enums") or []
    }
    reader = _Reader(default, enums)
    tables = tuple(
        reader.table(schema["name"], table)
        for schema in schemas
        if schema["name"] not in {"pg_catalog", "information_schema"}
        for table in schema.get("tables") or []
    )
    reader.tables = {(table.schema, table.name): table for table in tables}
    queries = tuple(reader.query(query) for query in request.get("queries") or [])
    return Analysis(Catalog(tables, default_schema=default), queries)


class _Reader:
    """Converts the tables, queries and parameters of one request of sqlc."""

    def __init__(self, default: str, enums: dict[tuple[str, str], tuple[str, ...]]) -> None:
        self._default = default
        self._enums = enums
        self.tables: dict[tuple[str, str], Table] = {}

    def table(self, schema: str, table: Json) -> Table:
        columns = tuple(
            TableColumn(column["name"], self._type(column), bool(column.get("not_null")))
            for column in table.get("columns") or []
        )
        return Table(schema, table["rel"]["name"], columns, comment=table.get("comment") or "")

    def query(self, query: Json) -> TypedQuery:
        params = _with_distinct_names([self._param(param) for param in query.get("params") or []])
        slices = {param.number for param in params if param.is_slice}
        text = _with_arrays(query["text"], slices) if slices else query["text"]
        columns: list[Column] = []
        embeds: list[TypedEmbed] = []
        for column in query.get("columns") or []:
            if column.get("embed_table"):
                embeds.append(self._embed(column, len(columns)))
                columns += self._embedded(embeds[-1].table)
            else:
                columns.append(self._column(column))
        into = query.get("insert_into_table")
        return TypedQuery(
            _parsed(query, text),
            text,
            params,
            tuple(columns),
            Cardinality.MANY,
            embeds=tuple(embeds),
            insert_into=self._reference(into, "") if into else None,
        )

    def _type(self, column: Json) -> SqlType:
        named = column.get("type") or {}
        schema, name = named.get("schema") or "", named.get("name") or ""
        if not schema and "." in name:
            schema, name = name.split(".", 1)
        dims = int(column.get("array_dims") or 0) or int(bool(column.get("is_array")))
        dims = dims or int(bool(column.get("is_sqlc_slice")))
        labels = self._enums.get((schema or self._default, name))
        if labels is not None:
            return SqlType(schema or self._default, name, TypeKind.ENUM, dims, labels)
        known = _ALIASES.get(name.lower(), name.lower())
        kind = TypeKind.BASE if known in KNOWN else TypeKind.PSEUDO
        return SqlType("pg_catalog", known, kind, dims)

    def _param(self, param: Json) -> TypedParam:
        column = param["column"]
        number = int(param["number"])
        named = column.get("original_name") or column.get("name")
        return TypedParam(
            number,
            column.get("name") or f"p{number}",
            self._type(column),
            bool(column.get("not_null")),
            origin=self._origin(column, named),
            is_slice=bool(column.get("is_sqlc_slice")),
        )

    def _column(self, column: Json) -> Column:
        named = column.get("original_name") or column["name"]
        origin = self._origin(column, named)
        return Column(
            column["name"], self._type(column), bool(column.get("not_null")), origin=origin
        )

    def _origin(self, column: Json, name: str | None) -> ColumnRef | None:
        table = column.get("table")
        return self._reference(table, name) if table and name else None

    def _reference(self, table: Json, column: str) -> ColumnRef:
        return ColumnRef(table.get("schema") or self._default, table["name"], column)

    def _embed(self, column: Json, first: int) -> TypedEmbed:
        found = self._reference(column["embed_table"], "")
        table = self.tables.get((found.schema, found.table))
        if table is None:
            message = f"`sqlc.embed({column['name']})`: unknown table `{found.table}`"
            raise RequestError(message)
        return TypedEmbed(column["name"], first, len(table.columns), found, nullable=False)

    def _embedded(self, ref: ColumnRef) -> list[Column]:
        return [
            Column(
                column.name,
                column.type,
                column.not_null,
                origin=ColumnRef(ref.schema, ref.table, column.name),
            )
            for column in self.tables[ref.schema, ref.table].columns
        ]


def _parsed(query: Json, text: str) -> ParsedQuery:
    word = query["cmd"].removeprefix(":")
    if word not in set(Command):
        message = f"{query['name']}: the command `:{word}` is not supported"
        raise RequestError(message)
    span = Span(0, len(text))
    return ParsedQuery(
        file=SourceFile(Path(query.get("filename") or "queries.sql"), text),
        name=query["name"],
        command=Command(word),
        sql=text,
        source_map=SourceMap(),
        name_span=span,
        span=span,
        doc=tuple(line.strip() for line in query.get("comments") or ()),
        comments=tuple(query.get("comments") or ()),
    )


def _with_arrays(text: str, slices: set[int]) -> str:
    """Write `= ANY ($1)` for sqlc's `IN ($1)` if the parameter is a slice."""
    tokens = list(scan(text))
    found = text
    for position in range(len(tokens) - 2, 1, -1):
        bracket, mark = tokens[position - 1 : position + 1]
        number = mark.text.removeprefix("$")
        if not number.isdigit() or int(number) not in slices or bracket.text != "(":
            continue
        if tokens[position - 2].text.upper() != "IN" or tokens[position + 1].text != ")":
            continue
        negated = tokens[position - 3].text.upper() == "NOT" and position > 2
        start = tokens[position - (3 if negated else 2)].start
        operator = "<> ALL" if negated else "= ANY"
        found = f"{found[:start]}{operator} ({mark.text}){found[tokens[position + 1].end :]}"
    return found


def _with_distinct_names(params: list[TypedParam]) -> tuple[TypedParam, ...]:
    """Number parameters that have equal names, as sqlc's own generators do."""
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
    "serial2": "int2",
    "serial4": "int4",
    "serial8": "int8",
    "boolean": "bool",
    "real": "float4",
    "double precision": "float8",
    "float": "float8",
    "decimal": "numeric",
    "character varying": "varchar",
    "character": "bpchar",
    "timestamp with time zone": "timestamptz",
    "timestamp without time zone": "timestamp",
    "time with time zone": "timetz",
    "time without time zone": "time",
    "bit varying": "varbit",
    "string": "text",
}
