"""Nullability rules for function calls.

A strict function returns NULL if an argument is NULL. A total function returns NULL only if an
argument is NULL.
"""

from __future__ import annotations

from aiosqlc.postgres.catalog.rows import Function
from aiosqlc.postgres.infer.conditions import called
from aiosqlc.postgres.infer.constants import MANY_ROWS, constant_int, rows_of
from aiosqlc.postgres.infer.elements import array_elements, dimensions_of
from aiosqlc.postgres.infer.members import infer_member
from aiosqlc.postgres.infer.outputs import expression_type
from aiosqlc.postgres.infer.prover import Prover
from aiosqlc.postgres.infer.scope import Scope
from aiosqlc.postgres.infer.verdict import Verdict, maybe, never
from aiosqlc.postgres.tree import Datum, Node, walk

# Built-ins that are not strict but never return NULL.
_NEVER_NULL = frozenset({
    "concat", "json_build_object", "json_build_array", "jsonb_build_object", "jsonb_build_array",
    "num_nulls", "num_nonnulls", "quote_nullable", "array_append", "array_prepend", "int4range",
    "int8range", "numrange", "daterange", "tsrange", "tstzrange", "now", "clock_timestamp",
    "statement_timestamp", "transaction_timestamp", "timeofday", "random", "pi", "version",
    "gen_random_uuid", "uuidv4", "uuidv7", "pg_typeof", "set_config", "pg_notify",
})  # fmt: skip
# Built-ins that are NULL only if every argument is NULL.
_ANY_ARGUMENT = frozenset({"array_cat"})
# Built-ins that are NULL only if the first argument (a separator or format) is NULL.
_FIRST_ARGUMENT = frozenset({"concat_ws", "format", "array_remove", "array_replace"})
# Set-returning built-ins whose rows are never NULL.
NEVER_NULL_SETS = frozenset({
    "generate_series", "generate_subscripts", "regexp_split_to_table", "json_object_keys",
    "jsonb_object_keys", "json_array_elements", "jsonb_array_elements", "jsonb_path_query",
    "jsonb_path_query_tz", "regexp_matches",
})  # fmt: skip


_OF_DIMENSION = frozenset({
    "array_length", "array_lower", "array_upper", "array_ndims", "array_dims",
})  # fmt: skip
_RANGES = frozenset({"int4range", "int8range", "numrange", "daterange", "tsrange", "tstzrange"})
_BOUNDS = {"lower": 0, "upper": 1}
_FIELDS = frozenset({"extract", "date_part"})
_VARLENA = 4  # the length word before a text's bytes
# The numeric fields of an infinite date, timestamp, timestamptz and interval.
_OF_INFINITY = {
    **dict.fromkeys(
        (1082, 1114, 1184),
        frozenset({"century", "decade", "epoch", "isoyear", "julian", "millennium", "year"}),
    ),
    1186: frozenset({"century", "day", "decade", "epoch", "hour", "millennium", "year"}),
}


def infer_call(p: Prover, node: Node, scope: Scope) -> Verdict:
    """Infer whether an operator or a function call (OPEXPR, FUNCEXPR) can be NULL."""
    function = p.facts.functions.get(called(node))
    if function is None:
        return maybe("the function is not in the data from the catalog")
    if function.set:
        return _set_in_target(p, node, function, scope)
    return call_verdict(p, node, function, scope)


def call_verdict(p: Prover, node: Node, function: Function, scope: Scope) -> Verdict:
    """Infer whether a call that returns one value can return NULL."""
    args: list[Node] = node.list_of("args")
    name = p.facts.built_in(function.oid)
    if is_declared(p, function):
        return never("declared-function", f"{function.name}() is declared never NULL")
    if not name:
        return p.resolver.body(p, function, args, scope)
    plain = p.facts.holds(
        "never-null-function", "no VARIADIC array", not node.get("funcvariadic", False)
    )
    listed = p.facts.holds(
        "never-null-function", "the compiler lists the function as never NULL", name in _NEVER_NULL
    )
    if listed and not function.strict and plain:
        return never("never-null-function", f"{name}() never returns NULL")
    if name in _ANY_ARGUMENT:
        return p.any_of(
            "any-argument-function",
            p.all(args, scope),
            f"{name}() is NULL only if all arguments are NULL",
        )
    if name in _FIRST_ARGUMENT and args:
        first = p.infer(args[0], scope)
        plain = not node.get("funcvariadic", False)
        if not p.facts.holds("first-argument-function", "no VARIADIC array", plain):
            return maybe(f"{name}() with VARIADIC is NULL for a NULL array")
        return p.all_of(
            "first-argument-function", [first], f"{name}() is NULL only for a NULL first argument"
        )
    if name in _FIELDS and args[0].kind == "CONST" and p.facts.total:
        everywhere = _field(args[0]) in _OF_INFINITY.get(expression_type(args[1]), ())
        if p.facts.holds(
            "moment-field", "the field has a value for an infinite date or interval", everywhere
        ):
            return p.all_of(
                "moment-field",
                p.all(args, scope),
                "the field has a value for an infinite date or interval",
            )
    if name in _OF_DIMENSION and args:
        place = constant_int(args[1]) if len(args) > 1 else 1
        there = place is not None and 0 < place <= dimensions_of(p, args[0])
        if p.facts.holds("array-dimension", "the array has this dimension", there):
            return p.all_of("array-dimension", p.all(args, scope), "the array has this dimension")
    if name in _BOUNDS and _makes_range(p, args[0]):
        ends, end = args[0].list_of("args"), _BOUNDS[name]
        opened = ends[1 - end].kind == "CONST" and ends[1 - end]["constisnull"]
        if p.facts.holds(
            "range-bound", "the other bound of the range is the constant NULL", opened
        ):
            given = p.infer(ends[end], scope)
            return p.all_of("range-bound", [given], "the range is not empty and has this bound")
    total = p.facts.holds(
        "total-function",
        "the function returns NULL only for NULL arguments",
        p.facts.is_total(function.oid),
    )
    if function.strict and total:
        return p.all_of(
            "total-function", p.all(args, scope), f"{name}() without NULL arguments is not NULL"
        )
    return infer_member(p, node, scope) or maybe(f"{name}() may give NULL")


def _makes_range(p: Prover, node: Node) -> bool:
    """Return whether a call constructs a range whose lower bound is inclusive."""
    made = node.kind == "FUNCEXPR" and p.facts.built_in(node["funcid"]) in _RANGES
    return made and len(node.list_of("args")) == len(_BOUNDS)


def _field(node: Node) -> str:
    value = node["constvalue"]
    return value.data[_VARLENA:].decode("utf-8", "replace") if isinstance(value, Datum) else ""


def is_declared(p: Prover, function: Function) -> bool:
    """Return whether the user declared that the function never returns NULL."""
    declared = p.facts.declared_not_null
    return function.name in declared or f"{function.schema}.{function.name}" in declared


def _set_in_target(p: Prover, node: Node, function: Function, scope: Scope) -> Verdict:
    """Infer whether a set-returning call in the select list can be NULL.

    If another set-returning call has more rows, the server adds NULLs to this call's rows.
    """
    sets = [
        inner
        for target in scope.query.list_of("targetList")
        for inner in walk(target)
        if inner.get("funcretset") is True or inner.get("opretset") is True
    ]
    lengths = {rows_of(each, p.facts) for each in sets} if len(sets) > 1 else set[int | None]()
    even = len(sets) == 1 or (len(lengths) == 1 and not lengths & {None, MANY_ROWS})
    if not p.facts.holds(
        "value-set", "no other set-returning function in the select list returns more rows", even
    ):
        return maybe("shorter set-returning functions in a select list are padded with NULL")
    return set_element_verdict(p, node, function, scope)


def set_element_verdict(p: Prover, node: Node, function: Function, scope: Scope) -> Verdict:
    """Infer whether a row of a set-returning function with one result column can be NULL."""
    name = p.facts.built_in(function.oid)
    if p.facts.holds(
        "value-set", "the compiler lists the function as never NULL", name in NEVER_NULL_SETS
    ):
        return never("value-set", f"{name}() never returns NULL")
    if name == "string_to_table" and len(node.list_of("args")) == 2:
        return never("value-set", "string_to_table() returns no NULL")
    if name == "unnest" and len(node.list_of("args")) == 1:
        return array_elements(p, node["args"][0], scope)
    if is_declared(p, function):
        return never("declared-function", f"{function.name}() is declared never NULL")
    if not name:
        return p.resolver.body(p, function, node.list_of("args"), scope)
    return maybe(f"{function.name}() may give NULL")


def infer_array_operation(p: Prover, node: Node, scope: Scope) -> Verdict:
    """Infer whether `x op ANY (array)` (SCALARARRAYOPEXPR) can be NULL."""
    left, right = node["args"]
    function = p.facts.functions.get(called(node))
    if function is None or not function.strict:
        return maybe("the operator may return NULL")
    if not p.facts.holds(
        "array-comparison", "the operator never returns NULL", p.facts.is_total(function.oid)
    ):
        return maybe("the operator may return NULL")
    parts = [p.infer(left, scope), p.infer(right, scope)]
    if not parts[1].null:
        elements = array_elements(p, right, scope)
        if not p.facts.holds(
            "array-comparison", "the elements of the array are not NULL", not elements.null
        ):
            parts.append(elements)
    return p.all_of("array-comparison", parts, "neither side contains NULL")
