"""Render sqlc's JSON document (CodeGenRequest), which sqlc's plugins read."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from aiosqlc.config.project import JsonTarget, QuerySet
from aiosqlc.emit.items import Item, columns_of, items_of, pages_of, places_of
from aiosqlc.emit.renumber import renumbered
from aiosqlc.emit.sqlc_mysql import sqlc_catalog, sqlc_view
from aiosqlc.ir import (
    Analysis,
    Cardinality,
    Catalog,
    Column,
    ColumnRef,
    Param,
    Rendered,
    SqlType,
    Table,
    TableColumn,
    TypedParam,
    TypedQuery,
    TypeKind,
)
from aiosqlc.source import Dialect, Span
from aiosqlc.store.divided import Call, answers
from aiosqlc.store.memo import memo_by

Json = dict[str, Any]

# Types whose names are SQL keywords, which sqlc's parser qualifies.
_QUALIFIED = frozenset(
    {
        "int2", "int4", "int8", "bool", "float4", "float8", "numeric", "varchar", "bpchar", "char",
        "bit", "varbit", "timestamp", "timestamptz", "time", "timetz", "interval",
    }
)  # fmt: skip
# The text lengths of MySQL's date and time types.
_LENGTHS = {"datetime": 19, "timestamp": 19, "time": 10}
_CARDINALITY = {
    Cardinality.ONE: "one",
    Cardinality.ZERO_OR_ONE: "zero_or_one",
    Cardinality.SOME: "many",
    Cardinality.MANY: "many",
}


class _View(Struct, frozen=True):
    """Functions that convert an engine's results to sqlc's conventions.

    `places` returns the position of each parameter, if its type depends on the position. `by_words`
    means that sqlc derives a parameter's name and nullability from nearby words.
    """

    catalog: Callable[[Catalog], Catalog]
    query: Callable[[TypedQuery], TypedQuery]
    items: Callable[[str], Sequence[Item | None]]
    places: Callable[[TypedQuery], list[str]]
    by_words: bool


def print_json(
    entry: QuerySet, target: JsonTarget, analysis: Analysis, queries: Sequence[bytes] | None = None
) -> Rendered:
    """Return the document as a file. `queries` are the results of `calls_of`, if they are known."""
    if target.indent:
        document = codegen_request(entry, analysis)
        text = json.dumps(document, indent=target.indent, ensure_ascii=False)
    else:
        text = msgspec.json.encode(_encoded_request(entry, analysis, queries)).decode()
    return Rendered(target.out / target.filename, text + "\n")


def calls_of(entry: QuerySet, analysis: Analysis) -> list[Call]:
    """Return one function call per query, which renders the query; `answers` makes the calls."""
    names = _catalog_of(entry, analysis)
    return [(_encoded_query, (query, names, entry.engine)) for query in analysis.queries]


def _encoded_request(entry: QuerySet, analysis: Analysis, queries: Sequence[bytes] | None) -> Json:
    """Return sqlc's document, which uses cached JSON texts of the catalog and of each query."""
    if queries is None:
        queries = answers(calls_of(entry, analysis))
    whole = codegen_request(entry, Analysis(Catalog()))
    return whole | {
        "catalog": msgspec.Raw(_encoded_catalog(_catalog_of(entry, analysis))),
        "queries": [msgspec.Raw(query) for query in queries],
    }


@memo_by(lambda catalog: catalog.digest)
def _encoded_catalog(catalog: Catalog) -> bytes:
    return msgspec.json.encode(_catalog(catalog))


@memo_by(lambda query, catalog, engine: (query.digest, catalog.digest, engine))
def _encoded_query(query: TypedQuery, catalog: Catalog, engine: Dialect) -> bytes:
    return msgspec.json.encode(_query(query, catalog, _VIEWS[engine]))


def codegen_request(entry: QuerySet, analysis: Analysis) -> Json:
    """Return sqlc's document as a dictionary."""
    catalog = _catalog_of(entry, analysis)
    view = _VIEWS[entry.engine]
    return {
        "settings": _settings(entry),
        "catalog": _catalog(catalog),
        "queries": [_query(query, catalog, view) for query in analysis.queries],
        "sqlc_version": "v1.31.1",
        "plugin_options": "",
        "global_options": "",
    }


def _catalog_of(entry: QuerySet, analysis: Analysis) -> Catalog:
    """Return the catalog with the names that sqlc uses, which are lower-case names for MySQL."""
    return _VIEWS[entry.engine].catalog(analysis.catalog)


def _settings(entry: QuerySet) -> Json:
    codegen: Json = {"out": "", "plugin": "", "options": "", "env": []}
    return {
        "version": "2",
        "engine": entry.engine.value,
        "schema": list(entry.schema),
        "queries": list(entry.queries),
        "codegen": codegen | {"process": None, "wasm": None},
    }


def _catalog(catalog: Catalog) -> Json:
    names = [catalog.default_schema]
    names += [table.schema for table in catalog.tables]
    names += [kind.schema for kind in catalog.types if kind.schema]
    schemas = [_schema(name, catalog) for name in dict.fromkeys(names)]
    return {
        "comment": "",
        "default_schema": catalog.default_schema,
        "name": "",
        "schemas": schemas,
    }


def _schema(name: str, catalog: Catalog) -> Json:
    types = [kind for kind in catalog.types if (kind.schema or catalog.default_schema) == name]
    types += [
        replace(kind, kind=TypeKind.ENUM)
        for table in catalog.tables
        if table.schema == name and table.kind == "table"
        for column in table.columns
        if (kind := _as_enum(column.type, ColumnRef(name, table.name, column.name), catalog))
        is not column.type
    ]
    return {
        "comment": "",
        "name": name,
        "tables": [_table(table, catalog) for table in catalog.tables if table.schema == name],
        "enums": [
            {"name": kind.name, "vals": list(kind.labels), "comment": ""}
            for kind in types
            if kind.kind is TypeKind.ENUM
        ],
        "composite_types": [
            {"name": kind.name, "comment": ""} for kind in types if kind.kind is TypeKind.COMPOSITE
        ],
    }


def _table(table: Table, catalog: Catalog) -> Json:
    relation = _relation(ColumnRef(table.schema, table.name, ""), catalog)
    columns = [_table_column(column, relation, catalog) for column in table.columns]
    return {"rel": relation, "columns": columns, "comment": table.comment}


def _relation(origin: ColumnRef, catalog: Catalog) -> Json:
    schema = "" if origin.schema == catalog.default_schema else origin.schema
    return {"catalog": "", "schema": schema, "name": origin.table}


def _value(
    name: str, kind: SqlType, catalog: Catalog, *, not_null: bool, table: Json | None = None
) -> Json:
    """Return a column, parameter or embedded table in the format of sqlc's message `Column`."""
    return {
        "name": name,
        "not_null": not_null,
        "is_array": kind.array_dims > 0,
        "comment": "",
        "length": _length(kind),
        "is_named_param": False,
        "is_func_call": False,
        "scope": "",
        "table": table,
        "table_alias": "",
        "type": _type(kind, catalog),
        "is_sqlc_slice": False,
        "embed_table": None,
        "original_name": "",
        "unsigned": kind.unsigned,
        "array_dims": kind.array_dims,
    }


def _length(kind: SqlType) -> int:
    """Return the declared length; a MySQL time, enum or set has the length of its longest text.

    A decimal has its precision. If the precision equals the default, it is left out, because the
    server does not show whether it was declared.
    """
    if kind.schema == "pg_catalog":
        return -1
    if not kind.schema and kind.labels and kind.kind is TypeKind.BASE and not kind.array_dims:
        return sum(map(len, kind.labels)) + len(kind.labels) - 1
    if not kind.schema and kind.name == "decimal" and (kind.precision, kind.scale) != (10, 0):
        return -1 if kind.precision is None else kind.precision
    if not kind.schema and kind.kind is TypeKind.ENUM and not kind.array_dims:
        return max(map(len, kind.labels), default=-1)
    known = None if kind.schema else _LENGTHS.get(kind.name)
    if known is not None and kind.precision:  # the fractional digits and the decimal point
        known += 1 + kind.precision
    return next((size for size in (kind.length, known) if size is not None), -1)


def _type(kind: SqlType, catalog: Catalog) -> Json:
    schema = kind.schema
    if schema == catalog.default_schema or (schema == "pg_catalog" and kind.name not in _QUALIFIED):
        schema = ""
    return {"catalog": "", "schema": schema, "name": kind.name}


def _as_enum(kind: SqlType, at: ColumnRef | None, catalog: Catalog) -> SqlType:
    """Return a MySQL SET as the enum that sqlc creates for the column, with the column's name."""
    column = _column_of(at, catalog)
    if at is None or column is None or kind.schema or kind.name != "set":
        return kind
    return replace(kind, name=f"{at.table}_{at.column}", labels=column.type.labels)


def _table_column(column: TableColumn, table: Json, catalog: Catalog) -> Json:
    at = ColumnRef(table["schema"] or catalog.default_schema, table["name"], column.name)
    kind = _as_enum(column.type, at, catalog)
    value = _value(column.name, kind, catalog, not_null=column.not_null, table=table)
    return {**value, "comment": column.comment}


def _inserted_into(query: TypedQuery, catalog: Catalog) -> Json | None:
    """Return the table of an INSERT, with its schema if the statement names the schema."""
    into = query.insert_into
    if into is None:
        return None
    written = {"schema": into.schema} if _QUALIFIED_TARGET.search(query.sql) else {}
    return {**_relation(into, catalog), **written}


def _query(query: TypedQuery, catalog: Catalog, view: _View) -> Json:
    query = view.query(query)
    places = view.places(query)
    parameters = _Parameters.of(query)
    return {
        "text": _with_slices(_without_comments(query.sql), query),
        "name": query.parsed.name,
        "cmd": f":{query.parsed.command}",
        "columns": _columns(query, catalog, view),
        "params": [
            {"number": number, "column": _param(parameters, param, place, catalog, view)}
            for number, param, place in zip(
                _numbers(query, places), query.params, places, strict=True
            )
        ],
        "comments": list(query.parsed.comments),
        "filename": query.parsed.file.path.name,
        "insert_into_table": _inserted_into(query, catalog),
        "x_cardinality": _CARDINALITY[query.cardinality],
    }


def _columns(query: TypedQuery, catalog: Catalog, view: _View) -> list[Json]:
    """Return the result columns; all columns of a `sqlc.embed` become one column."""
    items = view.items(query.sql)
    written = items if len(items) == len(query.columns) else (None,) * len(query.columns)
    columns: list[Json] = []
    embeds = {embed.first: embed for embed in query.embeds}
    position = 0
    while position < len(query.columns):
        embed = embeds.get(position)
        if embed is None:
            columns.append(_column(query.columns[position], written[position], catalog))
            position += 1
            continue
        relation = _relation(embed.table, catalog)
        value = _value(embed.table.table, SqlType("", ""), catalog, not_null=False)
        columns.append({**value, "embed_table": relation})
        position += embed.count
    return columns


def _column(column: Column, item: Item | None, catalog: Catalog) -> Json:
    """Return a result column as a Column message of sqlc.

    As in sqlc, a cast has no table, and only a call without a cast is a function call.

    The original name of a sub-select's column is the name that the column has there.
    """
    origin = column.via or column.origin
    name = "" if column.name == "?column?" else column.name
    called = column.is_function_call
    if item is not None:
        origin = None if item.kind == "cast" else origin
        name = name if item.name is None else item.name
        called = item.kind == "call"
    table = _relation(origin, catalog) if origin else None
    kind = _declared(column.type, column.origin if origin else None, catalog)
    kind = _as_enum(kind, column.origin, catalog)
    value = _value(name, kind, catalog, not_null=column.not_null, table=table)
    return {
        **value,
        "is_func_call": called,
        "original_name": item.column if item and item.column else origin.column if origin else "",
    }


def _declared(kind: SqlType, origin: ColumnRef | None, catalog: Catalog) -> SqlType:
    """Return the domain of the column `origin`, or `kind` if the column has no domain.

    For a column of a domain type, the server describes only the underlying type.
    """
    column = _column_of(origin, catalog)
    return column.type if column is not None and column.type.base == kind else kind


_QUALIFIED_TARGET = re.compile(r"\bINSERT\s+INTO\s+[^\s(.]+\s*\.", re.IGNORECASE)
_POSITIONAL = re.compile(r"p\d+|(?P<base>.+)_\d+")


class _Parameters(Struct, frozen=True):
    """The names and numbers of a query's parameters, and the query's file."""

    written: Mapping[int, Param]
    names: frozenset[str]
    text: str

    @classmethod
    def of(cls, query: TypedQuery) -> _Parameters:
        written = {param.number: param for param in query.parsed.params}
        names = frozenset(param.name for param in query.params)
        return cls(written, names, query.parsed.file.text)


def _param_name(parameters: _Parameters, param: TypedParam, place: str) -> str:
    """Return sqlc's name of a parameter in lower case, or '' for a numbered parameter."""
    if param.is_named:
        written = parameters.written.get(param.number)
        first = written.spans[0] if written and written.spans else Span(0, 0)
        quoted = set(parameters.text[first.start : first.end]) & {"'", '"'}
        return param.name if quoted else param.name.lower()
    if place in {"cast", "alone"}:
        return ""
    if param.origin is not None and param.name == param.origin.column:
        return param.name
    numbered = _POSITIONAL.fullmatch(param.name)
    if numbered is None or (numbered["base"] and numbered["base"] not in parameters.names):
        return param.name
    return numbered["base"] or ""


def _places(query: TypedQuery) -> list[str]:
    found = places_of(query.sql)
    return [found.get(param.number, "") for param in query.params]


def _pages(query: TypedQuery) -> list[str]:
    pages = pages_of(query.sql)
    return list(pages) if len(pages) == len(query.params) else [""] * len(query.params)


def _numbers(query: TypedQuery, places: Sequence[str]) -> list[int]:
    """Return the parameters' numbers; in `LIMIT ?, ?` sqlc gives the limit the lower number."""
    numbers = [param.number for param in query.params]
    for at, place in enumerate(places):
        if place == "skipped":
            numbers[at : at + 2] = numbers[at + 1], numbers[at]
    return numbers


def _param(
    parameters: _Parameters, param: TypedParam, place: str, catalog: Catalog, view: _View
) -> Json:
    origin = param.origin if not place else None
    # sqlc types a compared parameter like the column; see docs/from-sqlc.md.
    written = parameters.written.get(param.number)
    said = written is not None and bool(written.nullable)
    met = origin is not None and view.by_words
    not_null = (not said if met else param.not_null) and not _may_be_null(origin, catalog)
    if place and view.by_words:  # only by the words, unless the user specifies otherwise
        not_null = not said and place != "alone"
    source = param.via or origin if origin else None
    table = _relation(source, catalog) if source else None
    name = _param_name(parameters, param, place) if view.by_words else param.name
    kind = _as_enum(_met_type(param, origin, catalog), origin, catalog)
    value = _value(name, kind, catalog, not_null=not_null, table=table)
    if place in {"limit", "offset", "skipped"}:
        value["type"] = {"catalog": "", "schema": "", "name": "integer"}
    if param.is_slice and place != "cast":  # sqlc describes one element
        value |= {"is_array": False, "array_dims": 0}
    bound = not view.by_words and _is_bound(param, source)
    if bound or (param.is_slice and not view.by_words):
        value["length"] = -1
    return {
        **value,
        "is_named_param": param.is_named,
        "is_sqlc_slice": param.is_slice and place != "cast",
        "original_name": source.column if source and not bound else "",
    }


def _is_bound(param: TypedParam, source: ColumnRef | None) -> bool:
    """Return whether a parameter has the default name of a bound of BETWEEN."""
    column = source.column if source else ""
    return not param.is_named and param.name in {f"from_{column}", f"to_{column}"}


def _met_type(param: TypedParam, origin: ColumnRef | None, catalog: Catalog) -> SqlType:
    """Return the type of the column that a parameter is compared with.

    If this type does not match the type of the parameter, return the type of the parameter.
    """
    column = _column_of(origin, catalog)
    if column is None or column.type.array_dims:
        return param.type
    dims = param.type.array_dims
    # Because `= ANY` takes an array.
    one = replace(param.type, array_dims=0) if dims else param.type
    base = column.type.base or column.type
    single = param.is_slice or not dims
    same = single and {base.name, one.name} <= {"text", "varchar", "bpchar"}
    if not same and base != one:
        return param.type
    return replace(column.type, array_dims=dims) if dims else column.type


def _may_be_null(origin: ColumnRef | None, catalog: Catalog) -> bool:
    """Return whether a value comes from a table column without NOT NULL."""
    column = _column_of(origin, catalog)
    return column is not None and not column.not_null


def _column_of(origin: ColumnRef | None, catalog: Catalog) -> TableColumn | None:
    return catalog.columns.get(origin) if origin is not None else None


def _with_slices(sql: str, query: TypedQuery) -> str:
    """Replace array parameters by sqlc's slice markers, which plugins replace by the values."""
    for param in query.params if "ANY ($" in sql or "ALL ($" in sql else ():
        if param.is_slice:
            marked = f"IN (${param.number}/*SLICE:{param.name}*/)"
            sql = sql.replace(f"= ANY (${param.number})", marked)
            sql = sql.replace(f"<> ALL (${param.number})", f"NOT {marked}")
    return sql


_COMMENT_LINE = re.compile(r"(?m)^[ \t]*--[^\n]*\n?")


def _without_comments(sql: str) -> str:
    return _COMMENT_LINE.sub("", sql).strip()


_VIEWS: Final[Mapping[Dialect, _View]] = {
    Dialect.POSTGRESQL: _View(
        lambda catalog: catalog, renumbered, items_of, _places, by_words=True
    ),
    Dialect.MYSQL: _View(sqlc_catalog, sqlc_view, columns_of, _pages, by_words=False),
}
