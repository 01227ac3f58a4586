"""Infer a query's types from the server's description and from the query's text."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace
from sqlglot import exp

from aiosqlc.analysis.batchget import is_batchget
from aiosqlc.diagnostics import Diagnostic
from aiosqlc.ir import (
    Column,
    ColumnRef,
    JsonShape,
    ParsedQuery,
    SqlType,
    TypedEmbed,
    TypedParam,
    TypedQuery,
)
from aiosqlc.mysql import types
from aiosqlc.mysql.advice import advice_of
from aiosqlc.mysql.called import is_call
from aiosqlc.mysql.choices import is_choice
from aiosqlc.mysql.conversions import may_fail
from aiosqlc.mysql.counted import counted, of_call
from aiosqlc.mysql.documents import is_document
from aiosqlc.mysql.embeds import described_embeds, embeds
from aiosqlc.mysql.functions import name_of
from aiosqlc.mysql.late_types import settled_late
from aiosqlc.mysql.levels import row_counter
from aiosqlc.mysql.params import infer
from aiosqlc.mysql.prepare import Described
from aiosqlc.mysql.reader import Reader
from aiosqlc.mysql.reading import why_not
from aiosqlc.mysql.relations import Schema
from aiosqlc.mysql.scope import Level, Output, Result, unwrap
from aiosqlc.mysql.stars import expand
from aiosqlc.mysql.syntax import Tree, mentions, parse
from aiosqlc.mysql.violations import violable
from aiosqlc.mysql.writes import insert_into, targets
from aiosqlc.parse.keyset import KEY
from aiosqlc.relational.batch import lookup_of
from aiosqlc.relational.nest import nested

NAMELESS = "?column?"


class Text(Struct, frozen=True):
    """The analysis of a query's text: its syntax tree, result columns and typed parameters."""

    reader: Reader | None
    result: Result
    params: tuple[TypedParam, ...]


def read_text(query: ParsedQuery, schema: Schema) -> tuple[Text, list[Diagnostic]]:
    """Read a query's text twice: first to infer its parameters, then with the inferred types."""
    tree = parse(query.sql)
    if tree is None:
        return _not_read(query), []
    try:
        return _read(query, schema, tree)
    except RecursionError:  # hundreds of nested operators
        return _not_read(query), []


def _read(query: ParsedQuery, schema: Schema, tree: Tree) -> tuple[Text, list[Diagnostic]]:
    slices = frozenset(param.number for param in query.params if param.is_slice)
    reader = Reader(schema, tree, slices=slices)
    result = reader.read()
    params, _, problems = infer(query, reader)
    if not params:
        return Text(reader, result, params), problems
    while True:  # a type of one parameter may determine another: `grp + ? > ?`
        required = {param.number for param in params if param.not_null}
        known = {param.number: param.type for param in params if param.type != types.ANY}
        reader = Reader(schema, tree, required=required.__contains__, types=known, slices=slices)
        result = reader.read()
        if not any(problem.code == "E313" for problem in problems):
            break
        params, _, found = infer(query, reader)
        fewer, problems = len(found) < len(problems), found
        if not fewer:
            break
    return Text(reader, result, params), problems


def _not_read(query: ParsedQuery) -> Text:
    return Text(None, Result(None), _untyped(query))


def _untyped(query: ParsedQuery) -> tuple[TypedParam, ...]:
    """Return the parameters with the type ANY, because types are unknown without a syntax tree."""
    return tuple(
        TypedParam(
            p.number, p.name or f"p{p.number}", types.ANY, not_null=False, is_slice=p.is_slice
        )
        for p in query.params
    )


def type_query(
    written: ParsedQuery,
    query: ParsedQuery,
    schema: Schema,
    text: Text,
    described: Sequence[Described] | None,
) -> TypedQuery:
    """Combine the server's description with what is inferred from the SQL text.

    `described` is None without a server.

    `written` has the user's text. `query` has the text as the server reads it, with equal offsets.
    """
    reader = text.reader
    columns, embedded = _embedded(
        query, schema, reader, described, columns_of(query, schema, text, described)
    )
    root = reader.tree.root if reader else None
    rows, reasons = (
        of_call(query.sql, schema)
        if is_call(query.sql)
        else counted(text.result.query(), schema.premises)
    )
    nesting = None
    if any(embed.nest for embed in embedded) and len(embedded) == len(query.embeds):
        counter = row_counter(schema.premises)
        nesting, rows = nested(counter, text.result.query(), embedded, columns)
    changed = targets(root, schema)
    return TypedQuery(
        parsed=written,
        sql=expand(written.sql, reader) if reader else written.sql,
        params=tuple(_listed(param) for param in text.params),
        columns=columns,
        cardinality=rows,
        embeds=embedded,
        insert_into=insert_into(root, schema),
        writes=tuple(relation.table.name for relation in changed),
        violable=violable(root, changed, schema),
        unproved_reading=why_not(root, schema),
        cardinality_reasons=reasons,
        advice=tuple(advice_of(reader)),
        lookup=lookup_of(text.result.query()) if is_batchget(query) else None,
        nesting=nesting,
    )


def _embedded(
    query: ParsedQuery,
    schema: Schema,
    reader: Reader | None,
    described: Sequence[Described] | None,
    columns: tuple[Column, ...],
) -> tuple[tuple[Column, ...], tuple[TypedEmbed, ...]]:
    if not query.embeds:
        return columns, ()
    if reader is None:
        return columns, described_embeds(query.embeds, schema, described or ())
    return embeds(query.embeds, reader, columns)


def _listed(param: TypedParam) -> TypedParam:
    """Return a slice parameter with a list type; return other parameters unchanged."""
    return replace(param, type=replace(param.type, array_dims=1)) if param.is_slice else param


# --- columns ------------------------------------------------------------------------------------


def columns_of(
    query: ParsedQuery, schema: Schema, text: Text, described: Sequence[Described] | None
) -> tuple[Column, ...]:
    """Infer the types of the result columns."""
    outputs = text.result.outputs
    items = _items(text.reader.tree) if text.reader else []
    if described is None:
        return tuple(
            _by_text(output, _item(items, outputs, i)) for i, output in enumerate(outputs or ())
        )
    aligned = outputs if outputs is not None and len(outputs) == len(described) else None
    trusted = _trusted(query, schema, text) and not (aligned is None and _fails_somewhere(text))
    varies = text.reader is not None and _has_variables(text.reader.tree)
    late = settled_late(query.sql, text.reader, schema)
    return tuple(
        _by_server(
            column,
            aligned[i] if aligned else None,
            _item(items, aligned, i),
            schema,
            trusted=trusted and (text.reader is not None or column.origin is not None),
            varies=varies or types.family(types.returned(column)) in late,
        )
        for i, column in enumerate(described)
    )


def _has_variables(tree: Tree) -> bool:
    """Return whether a statement uses session variables, whose types depend on the session."""
    return next(tree.root.find_all(exp.Parameter, exp.PropertyEQ), None) is not None


def _items(tree: Tree) -> list[exp.Expr]:
    """Return the select list from which the result columns get their names."""
    root = tree.root
    while isinstance(root, exp.SetOperation | exp.Subquery):
        root = root.this
    items = list(root.expressions) if isinstance(root, exp.Select) else []
    returning = root.args.get("returning")
    return list(returning.expressions) if isinstance(returning, exp.Returning) else items


def _item(items: list[exp.Expr], outputs: Sequence[Output] | None, index: int) -> exp.Expr | None:
    """Return the expression of a result column, or None if a `*` makes its position unknown."""
    if outputs is None or len(items) != len(outputs):
        return None
    return items[index]


def _by_text(output: Output, item: exp.Expr | None) -> Column:
    return Column(
        name=_name(output.name, item),
        type=output.type or types.ANY,
        not_null=output.not_null,
        origin=output.origin,
        table_alias=output.alias,
        is_function_call=item is not None and bool(name_of(_bare(item))),
        reasons=(*output.verdict.reasons(), "inferred from the query text, without a server"),
        shape=_shape(output, output.type or types.ANY),
    )


def _by_server(
    described: Described,
    output: Output | None,
    item: exp.Expr | None,
    schema: Schema,
    *,
    trusted: bool,
    varies: bool,
) -> Column:
    origin = output.origin if output else origin_of(described, schema)
    certain = trusted and described.not_null and not (output is not None and output.unsure)
    proved = output is not None and output.not_null
    kind = _type(described, output, origin, schema, varies=varies)
    return Column(
        name=_name(described.name, item),
        type=kind,
        not_null=certain or proved,
        origin=origin,
        table_alias=output.alias if output else described.table_alias,
        is_function_call=item is not None and bool(name_of(_bare(item))),
        reasons=_reasons(output, certain=certain, said=described.not_null),
        shape=_shape(output, kind),
        longest=_longest(described, kind) if described.name.startswith(KEY) else None,
    )


def _longest(described: Described, kind: SqlType) -> int | None:
    return described.length if types.family(kind) in {"text", "bytes"} else None


def _shape(output: Output | None, kind: SqlType) -> JsonShape | None:
    """Return the shape of a JSON column that the server returns as text, or None."""
    shape = output.shape if output and types.family(kind) == "text" else None
    return shape if is_document(shape) else None


def _reasons(output: Output | None, *, certain: bool, said: bool) -> tuple[str, ...]:
    found = output.verdict.reasons() if output is not None else ()
    if certain:
        proofs = found if output is not None and output.not_null else ()
        return (*proofs, "the server reports the column as NOT NULL")
    if output is not None and output.not_null:
        return found
    if said:
        return (*found, "under ROLLUP the NOT NULL flag of the server is not reliable")
    return (*found, "the server reports that the column may be NULL")


def _trusted(query: ParsedQuery, schema: Schema, text: Text) -> bool:
    """Return whether the server's NOT NULL flags are reliable for the columns of a query.

    They are not reliable with ROLLUP, and in the cases that `_plain` and `_fails_somewhere` detect.
    """
    if mentions(query.sql, "ROLLUP") or mentions(query.sql, "CUBE"):
        return False
    if text.reader is None:
        return not any(relation.is_view for relation in schema.relations)
    return all(_plain(level) for level in text.reader.levels.values())


def _fails_somewhere(text: Text) -> bool:
    """Return whether the query has a node for which the server's NOT NULL flag may be wrong."""
    if text.reader is None:
        return False
    return any(
        may_fail(n) or is_choice(n) or isinstance(n, exp.SetOperation)
        for n in text.reader.tree.root.walk()
    )


def _plain(level: Level) -> bool:
    """Return whether the NOT NULL flags are reliable, because NULLs come only from tables.

    The flag is wrong if a derived table, CTE or view is the nullable side of an outer join. It is
    also wrong if an aggregate over no rows makes other values NULL: values of a derived table or
    sub-select, or expressions on columns outside of aggregates.
    """
    derived = [s for s in level.sources if s.relation is None or s.relation.is_view]
    if any(source.nulled_by for source in derived):
        return False
    if not level.bare_is_null:
        return not any(source.relation and source.relation.is_view for source in derived)
    items = level.node.expressions
    return not derived and not any(item.find(exp.Query) or _is_bare(item) for item in items)


def _is_bare(item: exp.Expr) -> bool:
    """Return whether an expression has a column outside of aggregates."""
    columns = item.find_all(exp.Column)
    return any(column.find_ancestor(exp.AggFunc) is None for column in columns)


def _type(
    described: Described,
    output: Output | None,
    origin: ColumnRef | None,
    schema: Schema,
    *,
    varies: bool,
) -> SqlType:
    returned = types.returned(described)
    if origin:
        relation = schema.relation(origin.table, origin.schema)
        column = relation.column(origin.column) if relation else None
        if column and (returned == types.ANY or types.same_family(column.type, returned)):
            return column.type
    known = output.type if output else None
    if known is None:
        return types.ANY if varies else returned
    if returned == types.ANY or (known == types.BOOL and types.family(returned) == "integer"):
        return known
    if returned == types.BOOL and types.family(known) == "integer" and output and output.unsure:
        return known  # for a recursive query, the server describes only its first operand
    if known.name == "json" and types.family(returned) == "text":
        return known
    if known.labels and types.same_family(known, returned):
        return known
    alike = types.same_family(known, returned) and types.family(returned) not in {"text", "bytes"}
    return types.ANY if varies and not alike else returned


def origin_of(described: Described, schema: Schema) -> ColumnRef | None:
    """Return the table column that a result column comes from, or None."""
    if described.origin is None:
        return None
    database, table, name = described.origin
    relation = schema.relation(table, database) or schema.relation(table)
    column = relation.column(name) if relation else None
    if (
        relation is None
        or column is None
        or not types.same_family(column.type, types.returned(described))
    ):
        return None
    return ColumnRef(relation.table.schema, relation.table.name, column.name)


def _bare(item: exp.Expr) -> exp.Expr:
    return unwrap(item.this if isinstance(item, exp.Alias) else item)


def _name(name: str, item: exp.Expr | None) -> str:
    """Return a result column's name: the name of the alias, the table column or the function."""
    if (
        item is None
        or isinstance(item, exp.Alias)
        or isinstance(_bare(item), exp.Column | exp.Star)
    ):
        return name
    node = _bare(item)
    if isinstance(node, exp.Cast | exp.Coalesce) and isinstance(node.this, exp.Column):
        return node.this.name
    function = name_of(node.this if isinstance(node, exp.Window) else node).lower()
    if (
        function
        and function.replace("_", "").isalnum()
        and not isinstance(node, exp.Connector | exp.Case)
    ):
        return function
    return NAMELESS
