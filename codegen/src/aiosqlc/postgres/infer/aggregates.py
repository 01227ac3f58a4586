"""Nullability rules for aggregates and window functions, whose results depend on several rows."""

from __future__ import annotations

from aiosqlc.postgres.infer import kinds
from aiosqlc.postgres.infer.conditions import NOTHING, FactSet, known
from aiosqlc.postgres.infer.grouping import groups_have_rows
from aiosqlc.postgres.infer.prover import Prover
from aiosqlc.postgres.infer.scope import Scope
from aiosqlc.postgres.infer.verdict import Verdict, maybe, never
from aiosqlc.postgres.tree import Node

_COUNTS = frozenset({"count", "regr_count"})
# Aggregates that are NULL only over no rows.
_COLLECTORS = frozenset({
    "array_agg", "json_agg", "jsonb_agg", "json_object_agg", "jsonb_object_agg",
    "json_agg_strict", "jsonb_agg_strict", "json_object_agg_strict", "jsonb_object_agg_strict",
    "json_object_agg_unique", "jsonb_object_agg_unique", "json_object_agg_unique_strict",
    "jsonb_object_agg_unique_strict",
})  # fmt: skip
# Aggregates that are NULL only if every value is NULL. Excluded are those that are NULL for one row
# (stddev, variance, corr, covar_samp) or for degenerate rows (regr_*).
_SAFE = frozenset({
    "sum", "avg", "min", "max", "bool_and", "bool_or", "every", "bit_and", "bit_or", "bit_xor",
    "string_agg", "any_value", "range_agg", "range_intersect_agg", "var_pop", "stddev_pop",
    "mode", "percentile_cont", "percentile_disc",
})  # fmt: skip
_ROW_NUMBERS = frozenset({"row_number", "rank", "dense_rank", "percent_rank", "cume_dist"})
_EDGES = frozenset({"first_value", "last_value"})
_WITH_DEFAULT = 3  # lag(value, offset, default)

# The server's constants FRAMEOPTION_*.
_ROWS, _GROUPS = 0x4, 0x8
_START_UNBOUNDED, _START_CURRENT, _START_BEFORE = 0x20, 0x200, 0x800
_END_UNBOUNDED, _END_CURRENT, _END_AFTER = 0x100, 0x400, 0x4000
_EXCLUDE_CURRENT, _EXCLUDE_GROUP = 0x8000, 0x10000


def infer_aggregate(p: Prover, node: Node, scope: Scope) -> Verdict:
    """Infer whether an aggregate (AGGREF) can be NULL."""
    name = p.facts.built_in(node["aggfnoid"])
    if not name:
        return maybe("user-defined aggregates are not analysed")
    if name in _COUNTS:
        return never("count", f"{name}() is a number")
    owner = scope.up(node["agglevelsup"])
    keys = _keys_with_values(p, owner) if owner is scope else None
    keyed = p.facts.holds("group-key", "the key is not NULL", keys is not None)
    filled = (
        keyed or groups_have_rows(owner.query, p.facts) or p.resolver.reads_a_row(p.facts, owner)
    )
    if not p.facts.holds("aggregate", "every group has a row", filled):
        return maybe(f"{name}() over no rows is NULL")
    if not p.facts.holds("aggregate", "no FILTER", node["aggfilter"] is None):
        return maybe(f"{name}() is NULL if FILTER excludes every row")
    if name in _COLLECTORS:
        return never("aggregate", f"every group has a row, so {name}() has input", *_by_key(keys))
    if not p.facts.holds(
        "aggregate", "the aggregate is NULL only if all its inputs are NULL", name in _SAFE
    ):
        return maybe(f"{name}() may be NULL even for values that are not NULL")
    args = [a["expr"] for a in node.list_of("args")[:1]] + node.list_of("aggdirectargs")
    parts = _per_row(p, args, scope, keys or NOTHING)
    return p.all_of(
        "aggregate",
        [*_by_key(keys), *parts],
        f"{name}() over a group without NULL values is not NULL",
    )


def _by_key(keys: FactSet | None) -> list[Verdict]:
    found = never("group-key", "the key is not NULL, and every row of its group has the same key")
    return [found] if keys is not None else []


def _keys_with_values(p: Prover, scope: Scope) -> FactSet | None:
    """Return the expressions that are not NULL in each row of a group with a non-null key.

    A key that a grouping set omits is NULL. So a key that is not NULL has the same value in all
    rows of the group. Return None if no key is known to be not NULL.
    """
    found: FactSet | None = None
    for fact in (fact for facts in (scope.known, *scope.assumed) for fact in facts):
        if isinstance(fact, Node) or fact[1] <= 0:
            continue
        entry = scope.entry(fact[0])
        if entry["rtekind"] == kinds.Rte.GROUP:
            key = entry["groupexprs"][fact[1] - 1]
            found = (found or NOTHING) | known(key, p.facts)
    return found


def infer_window(p: Prover, node: Node, scope: Scope) -> Verdict:
    """Infer whether a window function (WINDOWFUNC) can be NULL."""
    name = p.facts.built_in(node["winfnoid"])
    args = node.list_of("args")
    if not name:
        return maybe("user-defined window functions are not analysed")
    if name in _COUNTS or name in _ROW_NUMBERS:
        return never("count", f"{name}() is a number")
    if name == "ntile":
        return p.all_of("window", _per_row(p, args, scope), "ntile() of a number is a number")
    if name in {"lag", "lead"}:
        if not p.facts.holds(
            "window",
            "the function has a default value for the edge of the window",
            len(args) >= _WITH_DEFAULT,
        ):
            return maybe(f"{name}() without a default is NULL at the edge of the window")
        return p.all_of(
            "window",
            _per_row(p, args, scope),
            f"{name}() uses its default at the edge of the window",
        )
    if name in _EDGES | _SAFE | _COLLECTORS:
        if not p.facts.holds("window", "no FILTER", node["aggfilter"] is None):
            return maybe(f"{name}() is NULL if FILTER excludes every row")
        framed = _frame_has_current_row(node, scope)
        if not p.facts.holds("window", "the window frame contains the current row", framed):
            return maybe(f"{name}() is NULL if the window frame is empty")
        if name in _COLLECTORS:
            return never("window", f"the frame has a row, so {name}() has input")
        return p.all_of(
            "window",
            _per_row(p, args[:1], scope),
            f"{name}() over a window frame without NULL values is not NULL",
        )
    return maybe(f"{name}() may be NULL")


def _per_row(
    p: Prover, args: list[Node], scope: Scope, everywhere: FactSet = NOTHING
) -> list[Verdict]:
    """Infer whether arguments can be NULL in any row.

    The conditions of an enclosing CASE are ignored, because they hold only for the current row.
    """
    if not p.facts.holds("case", "each branch is checked under its own condition only", False):
        assumed, scope.assumed = scope.assumed, [everywhere]
    else:
        assumed = scope.assumed
    try:
        with p.assuming(scope, "every row", everywhere):
            return p.all(args, scope)
    finally:
        scope.assumed = assumed


def _frame_has_current_row(node: Node, scope: Scope) -> bool:
    clauses = scope.query.list_of("windowClause")
    clause = next((c for c in clauses if c["winref"] == node["winref"]), None)
    if clause is None:
        return False
    options = clause["frameOptions"]
    if options & (_EXCLUDE_CURRENT | _EXCLUDE_GROUP):
        return False
    exact = bool(options & (_ROWS | _GROUPS))  # RANGE offsets depend on the type's arithmetic
    start = options & (_START_UNBOUNDED | _START_CURRENT) or (exact and options & _START_BEFORE)
    end = options & (_END_UNBOUNDED | _END_CURRENT) or (exact and options & _END_AFTER)
    return bool(start and end)
