"""Prove the number of rows of a query, from unique keys, aggregates and LIMIT."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from sqlglot import exp

from aiosqlc.mysql import types
from aiosqlc.mysql.expressions import type_of
from aiosqlc.mysql.fixed import is_constant
from aiosqlc.mysql.rules import Premises
from aiosqlc.mysql.scope import ColumnKey, Level, Output, Result, Source, unwrap

if TYPE_CHECKING:
    from aiosqlc.mysql.reader import Reader


def of_select(
    node: exp.Select, level: Level, outputs: tuple[Output, ...] | None, reader: Reader
) -> Result:
    """Return the columns and the proved row count of a SELECT whose sources are all known."""
    one, least, why = _rows(node, level, reader)
    return limited(node, Result(outputs, one, least, why, node), level.premises)


def _rows(node: exp.Select, level: Level, reader: Reader) -> tuple[bool, bool, str]:
    holds = level.premises.holds
    having = node.args.get("having")
    if level.aggregated:
        certain = holds("some-row", "no HAVING", having is None)
        return True, certain, "an aggregate without GROUP BY returns one row [some-row]"
    if not level.sources:
        certain = holds("some-row", "no WHERE", node.args.get("where") is None)
        certain = certain and not level.bare_is_null
        certain = certain and holds("some-row", "no HAVING", having is None)
        return True, certain, "there is no FROM [some-row]"
    least = reads_a_row(node, level) and holds("some-row", "no HAVING", having is None)
    one, why = _one_row(node, level, reader, set())
    return one, least, why


def _one_row(
    node: exp.Select, level: Level, reader: Reader, given: set[ColumnKey]
) -> tuple[bool, str]:
    """Return whether at most one row has the same values in the `given` columns, and why."""
    holds = level.premises.holds
    bound = _closure(level, _condition(node), reader, given)
    open_ = [s for s in level.sources if not _determined(s, bound, level, reader)]
    plain = holds("unique-key", "no super-aggregate row", not level.rollup)
    if not open_ and plain:
        return True, "every table is bound by a unique key [unique-key]"
    group = node.args.get("group")
    if group is not None and not level.rollup and _have_one_value(group.expressions, level, bound):
        return True, "every column of GROUP BY is bound to one value [group-keys]"
    if (
        node.args.get("distinct") is not None
        and not level.rollup
        and _have_one_value(filter(_is_no_literal, map(_shown, node.expressions)), level, bound)
    ):
        return True, "every column of DISTINCT is bound to one value [group-keys]"
    if not open_:
        return False, "ROLLUP adds rows"
    return False, f"`{open_[0].alias}` is not bound by a unique key"


def _condition(node: exp.Expr) -> exp.Expr | None:
    where = node.args.get("where")
    return where.this if where else None


def reads_a_row(node: exp.Select, level: Level) -> bool:
    """Return whether at least one row is read before grouping."""
    holds = level.premises.holds
    return holds("some-row", "no WHERE", node.args.get("where") is None) and holds(
        "some-row", "FROM has a row", _from_has_row(node, level)
    )


def _from_has_row(node: exp.Select, level: Level) -> bool:
    """Return whether FROM has at least one row: no join can remove the only row of a source."""
    if not level.sources or node.args.get("laterals"):
        return False
    free = all(
        join.side in {"LEFT", "RIGHT"} or not (join.on or join.using or join.natural)
        for join in level.joins
    )
    return free and all(source.at_least_one or source.nulled_by for source in level.sources)


def limited(node: exp.Expr, result: Result, premises: Premises) -> Result:
    """Apply LIMIT and OFFSET."""
    holds = premises.holds
    limit, offset = node.args.get("limit"), node.args.get("offset")
    if limit is None and offset is None:
        return result
    count = _most(limit)
    number = isinstance(count, exp.Literal) and not count.is_string
    cut = number and count is not None and int(count.this) <= 1
    start = holds("some-row", "no OFFSET", offset is None)
    if holds("limit", "the limit is 0 or 1", cut):
        least = result.at_least_one and count is not None and count.this == "1" and start
        return replace(result, at_most_one=True, at_least_one=least, why="LIMIT 1 [limit]")
    certain = isinstance(count, exp.Literal) and start
    return replace(result, at_least_one=result.at_least_one and certain)


def _most(limit: exp.Expr | None) -> exp.Expr | None:
    """Return the row limit of LIMIT or FETCH, where `FETCH FIRST ROW ONLY` means 1."""
    if isinstance(limit, exp.Limit) and limit.expression:
        return unwrap(limit.expression)
    options = limit.args.get("limit_options") if isinstance(limit, exp.Fetch) else None
    if (
        limit is None
        or options is None
        or options.args.get("percent")
        or options.args.get("with_ties")
    ):
        return None
    count = limit.args.get("count")
    return unwrap(count) if count else exp.Literal.number(1)


def of_set_operation(
    node: exp.SetOperation,
    left: Result,
    right: Result,
    outputs: tuple[Output, ...],
    premises: Premises,
) -> Result:
    """Return the row count of UNION, INTERSECT and EXCEPT."""
    union = isinstance(node, exp.Union)
    sides = [left] if isinstance(node, exp.Except) else [left, right]
    least = any(side.at_least_one for side in sides) and premises.holds(
        "some-row", "no EXCEPT or INTERSECT", union
    )
    if not premises.holds("set-operation-rows", "no UNION", not union):
        return Result(outputs, at_least_one=least, why="a UNION adds rows")
    one = next((side for side in sides if side.at_most_one), None)
    if one is None:
        return Result(outputs, at_least_one=least, why=left.why)
    return Result(outputs, True, least, "no part returns a row twice [set-operation-rows]")


def of_change(node: exp.Update | exp.Delete, level: Level, reader: Reader) -> str:
    """Return the reason why an UPDATE or DELETE changes at most one row, or an empty string."""
    limit = node.args.get("limit")
    if isinstance(limit, exp.Limit) and str(limit.expression) in {"0", "1"}:
        return "LIMIT 1"
    bound = _closure(level, _condition(node), reader)
    return (
        "found by a unique key"
        if all(_determined(s, bound, level, reader) for s in level.sources)
        else ""
    )


def of_insert(node: exp.Insert, outputs: tuple[Output, ...] | None, premises: Premises) -> Result:
    """Return the number of rows of INSERT … RETURNING."""
    holds = premises.holds
    values = node.expression
    single = isinstance(values, exp.Values) and len(values.expressions) == 1
    if not holds("one-row", "there is one row", single):
        return Result(outputs, why="several rows may be inserted")
    kept = holds("some-row", "no IGNORE", not node.args.get("ignore"))
    return Result(outputs, at_most_one=True, at_least_one=kept, why="one row is inserted [one-row]")


def _determined(source: Source, bound: set[ColumnKey], level: Level, reader: Reader) -> bool:
    """Return whether at most one row of a source matches the bound columns."""
    holds = level.premises.holds
    if source.at_most_one:
        return True
    if source.relation is None:
        return source.select is not None and _narrowed(source, source.select, bound, reader)
    if not holds("unique-key", "it reads current rows, not older versions", not source.historic):
        return False
    keys = [[(source.number, column) in bound for column in key] for key in source.relation.unique]
    return any(any(key) and holds("unique-key", "every column is bound", all(key)) for key in keys)


def _narrowed(source: Source, select: exp.Select, bound: set[ColumnKey], reader: Reader) -> bool:
    """Return whether a sub-select has at most one row for fixed values of the bound columns.

    Under GROUP BY, a column that is not a key has the value of any row of the group.
    """
    inside = reader.levels.get(id(select))
    if inside is None or inside.rollup or select.args.get("laterals"):
        return False
    given = {
        output.column
        for output in source.outputs or ()
        if output.column is not None and (source.number, output.name.lower()) in bound
    }
    group = select.args.get("group")
    if group is not None:
        keys = map(unwrap, group.expressions)
        found = (inside.local(key) for key in keys if isinstance(key, exp.Column))
        given &= {(at[0].number, at[1].name.lower()) for at in found if at}
    return bool(given) and _one_row(select, inside, reader, given)[0]


def _closure(
    level: Level, where: exp.Expr | None, reader: Reader, given: Iterable[ColumnKey] = ()
) -> set[ColumnKey]:
    """Collect the columns that have only one value, starting with `column = constant`."""
    everywhere = _conjuncts(where)
    conditions: list[tuple[exp.Expr, frozenset[int] | None]] = [(c, None) for c in everywhere]
    for join in level.joins:
        # The ON of an outer join fixes only the optional side, because the other side keeps all
        # rows.
        side = {"LEFT": join.right, "RIGHT": join.left, "FULL": frozenset[int]()}.get(join.side)
        conditions += [(c, side) for c in _conjuncts(join.on)]
    bound = set(given)
    grown = True
    while grown:
        before = len(bound)
        for condition, side in conditions:
            _bind(condition, side, level, bound, reader)
        for source in level.sources:
            if _determined(source, bound, level, reader):
                bound |= {(source.number, o.name.lower()) for o in source.outputs or ()}
        grown = len(bound) > before
    return bound


def _conjuncts(node: exp.Expr | None) -> list[exp.Expr]:
    if node is None:
        return []
    node = unwrap(node)
    if isinstance(node, exp.And):
        return _conjuncts(node.this) + _conjuncts(node.expression)
    return [node]


def _bind(
    node: exp.Expr, side: frozenset[int] | None, level: Level, bound: set[ColumnKey], reader: Reader
) -> None:
    if (
        isinstance(node, exp.In)
        and len(node.expressions) == 1
        and not reader.is_slice(node.expressions[0])
    ):
        pairs = [(node.this, node.expressions[0])]
    elif isinstance(node, exp.EQ):
        pairs = _pairs(node)
    else:
        return
    for left, right in pairs:
        for column, value in ((unwrap(left), unwrap(right)), (unwrap(right), unwrap(left))):
            found = level.local(column) if isinstance(column, exp.Column) else None
            if found is None:
                continue
            inside = side is None or found[0].number in side
            if not level.premises.holds("unique-key", "ON binds only the optional side", inside):
                continue
            if _one_value(value, level, bound, reader) and level.premises.holds(
                "unique-key",
                "the comparison is that of the key",
                _compares_alike(found[1], value, level, reader),
            ):
                bound.add((found[0].number, found[1].name.lower()))


def _pairs(node: exp.Expr) -> list[tuple[exp.Expr, exp.Expr]]:
    """Take `(a, b) = (1, 2)` apart."""
    left, right = unwrap(node.this), unwrap(node.expression)
    if isinstance(left, exp.Tuple) and isinstance(right, exp.Tuple):
        return list(zip(left.expressions, right.expressions, strict=False))
    return [(left, right)]


def _one_value(node: exp.Expr, level: Level, bound: set[ColumnKey], reader: Reader) -> bool:
    """Return whether an expression has the same value throughout the statement."""
    if isinstance(node, exp.Literal | exp.Placeholder | exp.Boolean | exp.HexString):
        return True
    if isinstance(node, exp.Column):
        found = level.local(node)
        if found:
            source, output = found
            # An outer join adds NULL as a second value, but NULL is not equal to anything.
            return (source.number, output.name.lower()) in bound
        return not level.may_have(node) and level.resolve(node) is not None
    if isinstance(node, exp.Query) and isinstance(level.node, exp.Select):
        return level.premises.holds(
            "unique-key", "the sub-select has one value", is_constant(node, level, reader)
        )
    return False


def _compares_alike(column: Output, value: exp.Expr, level: Level, reader: Reader) -> bool:
    """Return whether `column = value` uses the same comparison as the column's unique index.

    A text column and a number are compared as numbers, and many texts have the same number. A
    comparison under another collation may treat more texts as equal. An empty label of an enum or
    set is also the text of number 0, which stands for an invalid enum or an empty set.
    """
    if column.type is None or any(map(_may_be_empty, column.type.labels)):
        return False
    mine = types.family(column.type)
    if isinstance(value, exp.Placeholder):
        given = reader.parameter_type(value)
        return mine != "timestamp" and given is not None and types.family(given) == mine
    if isinstance(value, exp.Literal):
        if value.is_string:
            return mine in {"text", "bytes", "date", "datetime"}
        rounded = "e" in str(value.this).lower()  # several keys may round to the same number
        return mine in {"integer", "decimal"} and not rounded
    if isinstance(value, exp.Boolean):
        return mine == "integer"
    kind = type_of(value, level, reader)
    if kind is None or types.family(kind) != mine or mine in {"timestamp", "float", "double"}:
        return False
    if mine == "text" and isinstance(value, exp.Query):
        made = reader.sub_select(value, level).outputs
        return bool(made) and (made or ())[0].collation == column.collation != ""
    if mine != "text" or not isinstance(value, exp.Column):
        return True
    found = level.resolve(value)
    return found is not None and found[2].collation == column.collation != ""


def _may_be_empty(label: str) -> bool:
    """Return whether a collation may treat a label as empty, ignoring all its characters."""
    return not any(sign.isalnum() or "!" <= sign <= "~" for sign in label)


def _have_one_value(items: Iterable[exp.Expr], level: Level, bound: set[ColumnKey]) -> bool:
    bare = all(
        isinstance(key, exp.Column)
        and (found := level.local(key)) is not None
        and (found[0].number, found[1].name.lower()) in bound
        and not found[0].nulled_by
        for key in map(unwrap, items)
    )
    return level.premises.holds("group-keys", "every key has one value", bare)


def _is_no_literal(item: exp.Expr) -> bool:
    return not isinstance(item, exp.Literal)


def _shown(item: exp.Expr) -> exp.Expr:
    return unwrap(item.this if isinstance(item, exp.Alias) else item)
