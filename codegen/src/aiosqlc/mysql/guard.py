"""Check on the server that each generated SQL text fits the function that sends it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pymysql
from sqlglot import exp

from aiosqlc.analysis.shapes import Shape, difference, mismatch
from aiosqlc.diagnostics import Diagnostic, Label
from aiosqlc.ir import TypedParam, TypedQuery, TypeKind, Variant
from aiosqlc.mysql import types
from aiosqlc.mysql.errors import code_of, message_of
from aiosqlc.mysql.executable import Kin, as_read
from aiosqlc.mysql.prepare import Described
from aiosqlc.mysql.relations import Relation, Schema
from aiosqlc.mysql.returning import Prepares
from aiosqlc.mysql.syntax import Tree
from aiosqlc.mysql.writes import targets
from aiosqlc.parse.placeholders import find, for_driver
from aiosqlc.servers.mysql.session import Session

# Errors about syntax and unknown names. Other errors may be caused by the sample values.
_REFUSED = frozenset({1052, 1054, 1064, 1109, 1146, 1305, 1630})


def unproved(
    prepares: Prepares, kin: Kin, query: TypedQuery, first: Sequence[Described]
) -> Iterator[Diagnostic]:
    """Yield an error if a query's generated SQL does not fit the generated row class or function.

    `first` is the server's description of the query as the user wrote it.
    """
    said = _difference(prepares, kin, query, first)
    if said:
        yield mismatch(query.parsed, None, said)


def _difference(prepares: Prepares, kin: Kin, query: TypedQuery, first: Sequence[Described]) -> str:
    places = find(query.sql)
    given = {param.number for param in query.params}
    if {place.number for place in places} != given:
        return f"the query has {len(places)} parameters, but its function passes {len(given)}"
    try:
        answer = prepares.query(as_read(as_sent(query), kin))
    except pymysql.MySQLError as error:
        refused = code_of(error) in _REFUSED
        return f"the server rejects the query: {message_of(error, '')}" if refused else ""
    if answer.parameters:
        return f"the query has {answer.parameters} parameters without a value"
    return difference(_promised(query, first, answer.columns), _found(answer.columns))


def as_sent(query: TypedQuery) -> str:
    """Return a query's text as the driver sends it, with a sample value per parameter."""
    text, numbers = for_driver(query.sql)
    samples = {param.number: types.sample(param.type) for param in query.params}
    return text % tuple(samples[number] for number in numbers)


def _promised(query: TypedQuery, first: Sequence[Described], found: Sequence[Described]) -> Shape:
    """Return the names and types of the columns that the row class expects.

    The name of an expression is its text, which may contain a parameter or a star.
    """
    named = [column.name.lower() for column in first]
    there = [column.name.lower() for column in found]
    values = bool(find(query.sql))
    other = [(values or "*" in name) and not c.origin for name, c in zip(named, first, strict=True)]
    columns = [
        (there[at] if other[at] and at < len(there) else named[at], kind)
        for at, kind in enumerate(types.value_of(column.type) for column in query.columns)
    ]
    return Shape(tuple(_known(columns, [types.value_of(types.returned(c)) for c in found])), ())


def _found(columns: Sequence[Described]) -> Shape:
    return Shape(tuple((c.name.lower(), types.value_of(types.returned(c))) for c in columns), ())


def _known(columns: list[tuple[str, str]], found: list[str]) -> list[tuple[str, str]]:
    """Return `columns` (names, types); take the type in `found` if one of both types is `any`."""
    return [
        (name, found[at] if at < len(found) and "any" in {kind, found[at]} else kind)
        for at, (name, kind) in enumerate(columns)
    ]


def unlike(query: TypedQuery, one: TypedQuery, variant: Variant) -> Iterator[Diagnostic]:
    """Yield an error for a variant whose columns or parameters differ from the query's."""
    mine = Shape(
        _columns(query), tuple(types.value_of(param.type) for param in _ordered(query.params))
    )
    theirs = Shape(
        _columns(one), tuple(types.value_of(param.type) for param in _ordered(one.params))
    )
    numbers = {param.number: at for at, param in enumerate(_ordered(query.params), 1)}
    said = difference(mine, theirs, tuple(numbers[number] for number in variant.numbers))
    if not said and _embedded(query) != _embedded(one):
        said = "the embedded rows are at other positions than in the first variant"
    if said:
        yield mismatch(query.parsed, variant, said)


def _embedded(query: TypedQuery) -> list[tuple[str, int, int]]:
    return [(embed.name, embed.first, embed.count) for embed in query.embeds]


def _columns(query: TypedQuery) -> tuple[tuple[str, str], ...]:
    return tuple((column.name.lower(), types.value_of(column.type)) for column in query.columns)


def _values(params: Sequence[TypedParam]) -> tuple[str, ...]:
    return tuple(types.value_of(param.type) for param in _ordered(params))


def _ordered(params: Sequence[TypedParam]) -> list[TypedParam]:
    return sorted(params, key=lambda param: param.number)


# --- statements that can never succeed -----------------------------------------------------------

_BEFORE_INSERT = """
SELECT 1 FROM information_schema.triggers
WHERE trigger_schema = DATABASE() AND event_object_table = %s AND event_manipulation = 'INSERT'
  AND action_timing = 'BEFORE'
"""


def impossible(
    session: Session, query: TypedQuery, tree: Tree | None, schema: Schema
) -> Iterator[Diagnostic]:
    """Yield an error for an INSERT that omits a required column or contains an invalid value."""
    missing = left_out(session, tree, schema)
    if missing is not None:
        table, column = missing
        yield _never(
            query,
            f"`{table}.{column}` does not have a default value, and the INSERT does not set it",
            f"give `{column}` a value, or a default in the schema",
        )
    for relation, column, given in _given(tree, schema):
        name = f"{relation.table.name}.{column}"
        surely = _refused(session, relation, given)
        if column in relation.generated and any(_is_value(value) for value in surely):
            yield _never(
                query,
                f"`{name}` is a generated column, but the statement sets it",
                f"omit `{column}`: the server computes this column",
            )
        elif (
            any(isinstance(value, exp.Null) for value in surely)
            and _takes_no_null(relation, column)
            and not session.rows(_BEFORE_INSERT, relation.table.name)
        ):
            yield _never(
                query,
                f"`{name}` is NOT NULL, but the statement sets it to NULL",
                f"give `{column}` another value",
            )


def left_out(session: Session, tree: Tree | None, schema: Schema) -> tuple[str, str] | None:
    """Return the table and the required column that an INSERT … VALUES omits, or None."""
    found = _left_out(tree, schema)
    return None if found is None or session.rows(_BEFORE_INSERT, found[0]) else found


_TRANSACTIONAL = """
SELECT 1 FROM information_schema.tables t JOIN information_schema.engines e ON e.engine = t.engine
WHERE t.table_schema = DATABASE() AND t.table_name = %s AND e.transactions = 'YES'
"""


def _refused(session: Session, relation: Relation, given: Sequence[exp.Expr]) -> Sequence[exp.Expr]:
    """Return the inserted values that the server refuses if they are invalid.

    If the storage engine has no transactions, only the first row counts: in later rows, the server
    changes invalid values to valid ones.
    """
    if len(given) < 2 or session.rows(_TRANSACTIONAL, relation.table.name):
        return given
    return given[:1]


def _never(query: TypedQuery, why: str, hint: str) -> Diagnostic:
    parsed = query.parsed
    label = Label(parsed.file, parsed.name_span, "this query fails on every call")
    return Diagnostic("E371", f"`{parsed.name}` can never succeed: {why}", (label,), hint)


def _given(tree: Tree | None, schema: Schema) -> Iterator[tuple[Relation, str, Sequence[exp.Expr]]]:
    """Yield each lower-case column name of an INSERT … VALUES with its values in all rows."""
    root = tree.root if tree else None
    if not isinstance(root, exp.Insert) or not isinstance(root.expression, exp.Values):
        return
    if root.args.get("ignore"):
        return
    for relation in targets(root, schema):
        listed = [part.name.lower() for part in _listed(root)]
        names = listed or [
            c.name.lower()
            for c in relation.table.columns
            if c.name.lower() not in relation.invisible
        ]
        for place, name in enumerate(names):
            rows = [row.expressions[place : place + 1] for row in root.expression.expressions]
            yield relation, name, [value for row in rows for value in row]


def _takes_no_null(relation: Relation, name: str) -> bool:
    """Return whether a column refuses NULL.

    AUTO_INCREMENT columns, and timestamps on old servers, replace NULL by a value.
    """
    column = relation.column(name)
    if column is None or relation.is_view or not column.not_null or name in relation.generated:
        return False
    chosen = column.has_default and types.family(column.type) == "integer"
    return not chosen and column.type.name != "timestamp"


def _listed(root: exp.Insert) -> list[exp.Expr]:
    return root.this.expressions if isinstance(root.this, exp.Schema) else []


def _is_value(given: exp.Expr) -> bool:
    """Return whether an inserted expression is a value, and not DEFAULT or NULL."""
    return not isinstance(given, exp.Null) and given.sql().upper() != "DEFAULT"


def _left_out(tree: Tree | None, schema: Schema) -> tuple[str, str] | None:
    root = tree.root if tree else None
    if not isinstance(root, exp.Insert) or root.args.get("ignore") or root.args.get("conflict"):
        return None  # an existing row needs no other value
    if not isinstance(root.expression, exp.Values):
        return None
    named = {part.name.lower() for part in _listed(root)}
    if not named and any(row.expressions for row in root.expression.expressions):
        return None  # `INSERT INTO t () VALUES (1, 2)` assigns every column
    for relation in targets(root, schema):
        if relation.is_view:
            continue
        for column in relation.table.columns:
            enum = column.type.kind is TypeKind.ENUM  # the default of an enum is its first label
            needs = column.not_null and not column.has_default and not enum
            if needs and column.name.lower() not in named:
                return relation.table.name, column.name
    return None
