"""Infer a parameter's type and name, and whether it may be NULL, from one of its uses."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace
from sqlglot import exp

from aiosqlc.ir import ColumnRef, SqlType
from aiosqlc.mysql import types
from aiosqlc.mysql.arguments import argument_of
from aiosqlc.mysql.choices import (
    best_of,
    is_choice,
    is_literal,
    is_row,
    literal_type,
    named_value,
    values_of,
)
from aiosqlc.mysql.expressions import type_of
from aiosqlc.mysql.functions import name_of
from aiosqlc.mysql.moments import MOVES, Shift, amount, shift_of
from aiosqlc.mysql.reader import Reader
from aiosqlc.mysql.relations import Relation
from aiosqlc.mysql.scope import Level, Output, unwrap
from aiosqlc.mysql.written import Call, calls
from aiosqlc.parse.placeholders import Place

_COMPARISONS = (
    exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.NullSafeEQ,
)  # fmt: skip
_ARITHMETIC = (exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod, exp.IntDiv)
_NUMBERS = frozenset({"integer", "decimal", "float", "double"})
_LOGIC = (exp.And, exp.Or, exp.Not, exp.Xor)
_BITS = (
    exp.BitwiseAnd, exp.BitwiseOr, exp.BitwiseXor, exp.BitwiseNot, exp.BitwiseLeftShift,
    exp.BitwiseRightShift,
)  # fmt: skip
_NO_DATE = (
    "TIMEDIFF takes two times or two datetimes, and returns NULL for a date and a datetime:"
    " write `CAST(… AS DATETIME)` around the date, or count the days with DATEDIFF"
)
_MATCHES = (exp.Like, exp.RegexpLike, exp.Escape, exp.Soundex)


class Use(Struct, frozen=True):
    """The type and the name that one use of a parameter suggests.

    `optional` means that the parameter may be NULL at this position.

    `weak` means that other uses take precedence, because any date or time fits this use, or any
    value at all if the type is ANY. `hint` is the suggested correction if no use determines the
    type.
    """

    place: Place
    type: SqlType | None
    name: str = ""
    origin: ColumnRef | None = None
    optional: bool = False
    weak: bool = False
    part: bool = False
    hint: str = ""


def use_of(node: exp.Placeholder, reader: Reader) -> Use | None:
    """Return the use of a parameter in its context, or None for a node that is not a parameter."""
    place = reader.tree.place(node)
    if place is None:
        return None
    level = reader.level_of(node)
    child, parent = _holder(node)
    call = calls(reader.tree.filled.sql).get(str(node.this))
    said = argument_of(call) if call and not _is_amount(call) else None
    if call is None or said is None:
        use = _from_parent(place, child, parent, level, reader)
        return _negated(use) if _is_negated(node) else use
    if said.alike and parent is not None:
        return _alike(place, parent, child, level, reader, call)
    return Use(place, said.type, weak=said.weak)


def _holder(node: exp.Expr) -> tuple[exp.Expr, exp.Expr | None]:
    """Return the operator around a node, and its operand without signs and parentheses."""
    child, parent = node, node.parent
    while isinstance(parent, exp.Paren | exp.Neg | exp.Alias | exp.Collate | exp.TsOrDsToDate):
        child, parent = parent, parent.parent
    return child, parent


def _is_negated(node: exp.Expr) -> bool:
    parent = node.parent
    while isinstance(parent, exp.Paren):
        parent = parent.parent
    return isinstance(parent, exp.Neg)


def _negated(use: Use) -> Use:
    """Return the use of a parameter after a sign, as in `-?`, without its type if not numeric."""
    is_number = use.type is not None and types.family(use.type) in _NUMBERS
    return use if is_number else Use(use.place, None)


def _is_amount(call: Call) -> bool:
    """Return whether text that looks like a call is an interval's amount: `INTERVAL (?) DAY`."""
    return call.name == "INTERVAL" and call.count == 1


def _from_parent(
    place: Place, child: exp.Expr, parent: exp.Expr | None, level: Level | None, reader: Reader
) -> Use:
    if parent is None:
        return Use(place, None)
    return (
        _of_clause(place, child, parent, level, reader)
        or _of_comparison(place, child, parent, level, reader)
        or _of_operator(place, child, parent, level, reader)
        or _argument(place, parent, child, level, reader)
    )


def _of_clause(
    place: Place, child: exp.Expr, parent: exp.Expr, level: Level | None, reader: Reader
) -> Use | None:
    """Infer the type from a clause: LIMIT takes a number, WHERE a boolean, SET a column value."""
    if isinstance(parent, exp.Limit | exp.Fetch | exp.Offset):
        return Use(place, types.BIGINT, "offset" if isinstance(parent, exp.Offset) else "limit")
    if isinstance(parent, exp.WindowSpec):
        return Use(place, types.BIGINT)
    if isinstance(parent, exp.JSONTable):
        return Use(place, types.JSON)
    if is_assignment(parent) and parent.expression is child:
        return _assigned(place, parent.this, level)
    if is_row(parent) and _is_inserted(parent):
        return _inserted(place, parent, child, reader)
    if isinstance(parent, exp.Select):
        return _selected(place, parent, child, reader)
    if isinstance(parent, exp.Where | exp.Having):
        return Use(place, types.BOOL)
    return None


def _of_comparison(
    place: Place, child: exp.Expr, parent: exp.Expr, level: Level | None, reader: Reader
) -> Use | None:
    """Infer the type from the operand with which a parameter is compared or matched."""
    if is_row(parent):
        return _in_tuple(place, parent, child, level, reader)
    if isinstance(parent, _MATCHES):
        return _matched(place, parent, child, level, reader)
    if isinstance(parent, _COMPARISONS):
        other = parent.expression if parent.this is child else parent.this
        return _compared(place, other, level, reader, optional=isinstance(parent, exp.NullSafeEQ))
    if isinstance(parent, exp.Between):
        return _between(place, parent, child, level, reader)
    if isinstance(parent, exp.In):
        return _listed(place, parent, child, level, reader)
    if _asks_for_null(parent):
        return Use(place, types.ANY, optional=True, weak=True)
    if isinstance(parent, exp.Is):  # `? IS NOT TRUE`
        return Use(place, types.BOOL, optional=True)
    return None


def _of_operator(
    place: Place, child: exp.Expr, parent: exp.Expr, level: Level | None, reader: Reader
) -> Use | None:
    """Infer the type from the operator around a parameter; CASE and casts count as operators."""
    if isinstance(parent, exp.Cast):
        return Use(place, type_of(parent, level, reader), optional=False)
    if isinstance(parent, exp.Case | exp.If):
        return _of_case(place, parent, child, level, reader)
    if isinstance(parent, _LOGIC):
        return Use(place, types.BOOL)
    if isinstance(parent, _BITS):
        return Use(place, types.BIGINT, _compared(place, _other(parent, child), level, reader).name)
    if isinstance(parent, exp.Interval) or (
        isinstance(parent, MOVES) and parent.expression is child
    ):
        return Use(place, amount(parent))
    if (shift := shift_of(parent)) and shift.moment is child:
        return _moved(place, parent, shift, level, reader)
    if isinstance(parent, _ARITHMETIC):
        return _calculated(place, parent, child, level, reader)
    return None


def _other(node: exp.Expr, child: exp.Expr) -> exp.Expr:
    """Return the other operand of the operator `node`, or `child` itself if there is none."""
    other = node.args.get("expression") if node.this is child else node.this
    return unwrap(other) if isinstance(other, exp.Expr) else child


def _asks_for_null(node: exp.Expr | None) -> bool:
    """Return whether an expression is `x IS NULL`, `x IS NOT NULL` or `ISNULL(x)`."""
    if isinstance(node, exp.Anonymous):
        return name_of(node) == "ISNULL"
    return isinstance(node, exp.Is) and isinstance(node.expression, exp.Null)


def _moved(
    place: Place, parent: exp.Expr, shift: Shift, level: Level | None, reader: Reader
) -> Use:
    """Infer the type of `born > ? - INTERVAL 1 DAY`: the parameter has the type of `born`.

    A time of day is sent as text, which date arithmetic does not accept.
    """
    above = _from_above(place, parent, level, reader)
    name = above.type.name if above.type else ""
    if name == "time":
        return Use(place, None)
    if name == "date" and shift.by_days:
        return Use(place, types.DATE, above.name)
    if name in types.MOMENTS:
        return Use(place, types.DATETIME, above.name)
    return Use(place, types.DATETIME, weak=True)


def is_assignment(node: exp.Expr) -> bool:
    """Return whether a `=` is an assignment."""
    holder = node.parent
    if not isinstance(node, exp.EQ) or not isinstance(holder, exp.Update | exp.OnConflict):
        return False
    return any(node is item for item in holder.expressions)


def _assigned(place: Place, target: exp.Expr, level: Level | None) -> Use:
    column = unwrap(target)
    found = level.local(column) if level and isinstance(column, exp.Column) else None
    if found is None:
        return Use(place, None)
    return _stored(place, found[1], found[0].relation)


def _stored(place: Place, column: Output, relation: Relation | None) -> Use:
    known = relation.column(column.name) if relation else None
    nullable = known is not None and not known.not_null
    return Use(place, column.type, column.name, column.origin, optional=nullable)


def _is_inserted(row: exp.Expr) -> bool:
    """Return whether a row is an item of VALUES: `(1, 2)`, or MySQL's `ROW(1, 2)`."""
    holder = row.parent
    if isinstance(holder, exp.Tuple) and len(holder.expressions) == 1 and holder is not row:
        holder = holder.parent
    return isinstance(holder, exp.Values)


def _inserted(place: Place, row: exp.Expr, child: exp.Expr, reader: Reader) -> Use:
    insert = row.find_ancestor(exp.Insert)
    return _to_insert_column(place, insert, _index(row.expressions, child), reader)


def _to_insert_column(place: Place, insert: exp.Insert | None, index: int, reader: Reader) -> Use:
    level = reader.levels.get(id(insert)) if insert is not None else None
    if insert is None or level is None or not level.sources:
        return Use(place, None)
    source = level.sources[0]
    listed = insert.this.expressions if isinstance(insert.this, exp.Schema) else []
    names = [part.name for part in listed] or [output.name for output in source.shown]
    column = source.output(names[index]) if 0 <= index < len(names) else None
    return _stored(place, column, source.relation) if column else Use(place, None)


def _selected(place: Place, select: exp.Select, child: exp.Expr, reader: Reader) -> Use:
    """Infer the type of a parameter in a select list.

    The type comes from the column into which INSERT writes the value, or from the other operand of
    a UNION.
    """
    index = _index(select.expressions, child)
    holder = select.parent
    target = _inserting(select)
    if target is not None:
        return _to_insert_column(place, target, index, reader)
    alias = child.alias if isinstance(child, exp.Alias) else ""
    if isinstance(holder, exp.SetOperation):
        other = holder.left if holder.right is select else holder.right
        if isinstance(other, exp.Select) and 0 <= index < len(other.expressions):
            item = other.expressions[index]
            item = item.this if isinstance(item, exp.Alias) else item
            if _is_number(item):  # a number with a fraction may be beside the parameter
                return Use(place, None, alias)
            kind = type_of(item, reader.levels.get(id(other)), reader)
            return Use(place, kind, alias or item.name, optional=False)
    return Use(place, None, alias)


def _inserting(select: exp.Expr) -> exp.Insert | None:
    """Return the INSERT whose rows come from a SELECT, directly or through a set operation."""
    holder = select.parent
    while isinstance(holder, exp.SetOperation | exp.Paren):
        holder = holder.parent
    return holder if isinstance(holder, exp.Insert) else None


def _in_tuple(
    place: Place, row: exp.Expr, child: exp.Expr, level: Level | None, reader: Reader
) -> Use:
    """Infer the types in `(a, b) = (?, ?)` and `(a, b) IN ((?, ?))` member by member."""
    index = _index(row.expressions, child)
    holder = row.parent
    while isinstance(holder, exp.Paren):
        row, holder = holder, holder.parent
    other = None
    if isinstance(holder, _COMPARISONS):
        other = unwrap(holder.expression if holder.this is row else holder.this)
    elif isinstance(holder, exp.In):
        among = [holder.args.get("query"), *(unwrap(node) for node in holder.expressions)]
        rows = [node for node in among if node is not None]
        other = unwrap(holder.this) if holder.this is not row else rows[0] if rows else None
    if isinstance(other, exp.Subquery | exp.Query):
        return _of_column(place, other, index, level, reader)
    if other is not None and is_row(other) and 0 <= index < len(other.expressions):
        return _compared(place, other.expressions[index], level, reader)
    return Use(place, None)


def _compared(
    place: Place, other: exp.Expr, level: Level | None, reader: Reader, *, optional: bool = False
) -> Use:
    other = named_value(unwrap(other))
    if isinstance(other, exp.Any | exp.All):
        other = unwrap(other.this)
    if isinstance(other, exp.Null):
        return Use(place, types.ANY, optional=True, weak=True)
    if isinstance(other, exp.Subquery | exp.Query):
        return replace(_of_column(place, other, 0, level, reader), optional=optional)
    kind = type_of(other, level, reader)
    column = _only_column(other)
    found = level.resolve(column) if level and column is not None else None
    if found is None:
        return Use(place, kind, "", optional=optional)
    _, _, output = found
    exact = unwrap(other) is column or isinstance(other, exp.Min | exp.Max)
    return Use(
        place,
        kind,
        output.name,
        output.origin if exact else None,
        optional,
    )


def _listed(
    place: Place, node: exp.In, child: exp.Expr, level: Level | None, reader: Reader
) -> Use:
    """Return the type that IN compares the parameter with, considering every literal.

    `'123abc' IN (1, ?)` accepts a number or a text.
    """
    there = [*node.expressions, node.args.get("query")]
    if node.this is not child:
        there = [] if _placeholder(node.this) else [node.this, *there]
    others = [one for one in there if one and one is not child and not _placeholder(one)]
    first = others[0] if others else node.this
    use = _compared(place, first, level, reader)
    kind = literal_type(first) if is_literal(first) else None
    if kind is None:
        return use
    best = best_of(None, kind, [literal_type(one) for one in others if is_literal(one)])
    return use if best == kind else replace(use, type=best)


def _matched(
    place: Place, parent: exp.Expr, child: exp.Expr, level: Level | None, reader: Reader
) -> Use:
    """Infer the type of an operand of LIKE: bytes if the other operand is bytes, otherwise text."""
    if isinstance(parent, exp.Escape | exp.Soundex):
        return Use(place, types.VARCHAR)
    use = _compared(place, _other(parent, child), level, reader)
    is_bytes = use.type is not None and types.family(use.type) == "bytes"
    return Use(place, use.type if is_bytes else types.VARCHAR, use.name, part=True)


def _of_column(
    place: Place, query: exp.Expr, index: int, level: Level | None, reader: Reader
) -> Use:
    """Infer the type and name of a parameter from a comparison with a sub-select's column."""
    outputs = reader.sub_select(query, level).outputs if level else None
    if not outputs or not 0 <= index < len(outputs):
        return Use(place, None)
    output = outputs[index]
    return Use(place, output.type, "" if output.nameless else output.name)


def _only_column(node: exp.Expr) -> exp.Column | None:
    """Return the column in an expression if it has exactly one."""
    if isinstance(node, exp.Column):
        return node
    if isinstance(node, exp.Query):
        return None
    columns = list(node.find_all(exp.Column))
    return columns[0] if len(columns) == 1 else None


def _between(
    place: Place, node: exp.Between, child: exp.Expr, level: Level | None, reader: Reader
) -> Use:
    low, high = node.args["low"], node.args["high"]
    other = low if node.this is child else node.this
    if _placeholder(other):
        other = high
    use = _compared(place, other, level, reader)
    if _is_read_as_number(use, [one for one in (node.this, low, high) if one is not child]):
        return Use(place, None)
    prefix = {id(low): "from_", id(high): "to_"}.get(id(child), "")
    name = f"{prefix}{use.name}" if use.name else ""
    return Use(place, use.type, name, use.origin, use.optional)


def _is_read_as_number(use: Use, operands: Sequence[exp.Expr]) -> bool:
    """Return whether BETWEEN has texts and numbers, so that the server compares them as numbers."""
    is_text = use.type is not None and types.family(use.type) == "text"
    return is_text and any(map(_is_number, operands))


def _placeholder(node: exp.Expr) -> bool:
    return isinstance(unwrap(node), exp.Placeholder)


def _calculated(
    place: Place, node: exp.Expr, child: exp.Expr, level: Level | None, reader: Reader
) -> Use:
    """Infer a number's type from the other operand; if the other is a literal, any number fits.

    In `total * (1 + ?)` the outer operand is more informative than the literal.
    """
    other = _other(node, child)
    if is_literal(other):
        outer_child, outer = _holder(node)
        if not isinstance(outer, _ARITHMETIC) or shift_of(outer):
            return Use(place, None)
        use = _calculated(place, outer, outer_child, level, reader)
        return Use(place, None) if use.type == types.BIGINT else use
    kind = type_of(other, level, reader)
    column = _only_column(unwrap(other))
    found = level.resolve(column) if level and column is not None else None
    if kind is None or types.family(kind) not in _NUMBERS:
        return Use(place, None)
    wide = types.BIGINT if types.family(kind) == "integer" else kind
    return Use(place, wide, found[2].name if found else "")


def _alike(
    place: Place,
    parent: exp.Expr,
    child: exp.Expr,
    level: Level | None,
    reader: Reader,
    call: Call,
) -> Use:
    """Infer the type from the other arguments: `MOD(id, ?)`, `FIELD(name, ?)`."""
    if isinstance(parent, _ARITHMETIC):
        return _calculated(place, parent, child, level, reader)
    others = [node for node in parent.iter_expressions() if node is not child]
    known = [node for node in others if not _placeholder(node) and not is_literal(node)]
    uses = [use for node in known if (use := _compared(place, node, level, reader)).type]
    if call.name == "INTERVAL":
        uses = [use for use in uses if use.type and types.family(use.type) in _NUMBERS]
    if call.name == "TIMEDIFF" and any(use.type == types.DATE for use in uses):
        return Use(place, None, hint=_NO_DATE)
    if uses and uses[0].type and uses[0].type.labels:
        return Use(place, types.VARCHAR, uses[0].name)  # beside labels, any text is possible
    if uses:
        return uses[0]
    texts = [node for node in others if isinstance(node, exp.Literal) and node.is_string]
    return Use(place, types.VARCHAR if call.name == "FIELD" and texts else None)


def _argument(
    place: Place, parent: exp.Expr, child: exp.Expr, level: Level | None, reader: Reader
) -> Use:
    """Infer the type of an argument of a schema function, a choice such as CASE, or MATCH."""
    if isinstance(parent, exp.Anonymous):
        routine = reader.schema.routine(parent.name)
        index = _index(parent.expressions, child)
        if routine and 0 <= index < len(routine.params):
            name, kind = routine.params[index]
            return Use(place, kind, name)
    if isinstance(parent, exp.Nvl2) and parent.this is child:
        return Use(place, types.ANY, optional=True, weak=True)
    if is_choice(parent):
        return _chosen(place, parent, child, level, reader)
    if isinstance(parent, exp.MatchAgainst):
        use = _compared(place, parent.expressions[0], level, reader)
        return Use(place, use.type or types.TEXT, use.name, use.origin)
    return Use(place, None)


def _chosen(
    place: Place, parent: exp.Expr, child: exp.Expr, level: Level | None, reader: Reader
) -> Use:
    """Infer the type of a parameter that is one of the values of CASE, COALESCE and so on.

    The type comes from the other values, or from the expression around them. A literal is less
    informative: beside `0`, any number is possible.
    """
    optional = isinstance(parent, exp.Coalesce | exp.Case | exp.If | exp.Nvl2)
    others = [node for node in values_of(parent) if node is not child and not _placeholder(node)]
    literals = [node for node in others if is_literal(node)]
    known = [
        use
        for node in others
        if not is_literal(node) and (use := _compared(place, node, level, reader)).type
    ]
    above = Use(place, None)
    if not (isinstance(parent, exp.Nullif) and parent.expression is child):
        above = _from_above(place, parent, level, reader)
    best = best_of(
        known[0].type if known else None, above.type, [literal_type(n) for n in literals]
    )
    if best is None:
        return Use(place, None)
    chosen = above if above.type and best == above.type else known[0] if known else above
    return Use(place, best, chosen.name, chosen.origin, optional or chosen.optional)


def _from_above(place: Place, node: exp.Expr, level: Level | None, reader: Reader) -> Use:
    """Infer the type of a parameter from the comparison or assignment around its expression.

    If the expression is compared with a literal, or is a function's argument, nothing is inferred.
    """
    child, parent = node, node.parent
    while isinstance(parent, exp.Paren | exp.Alias):
        child, parent = parent, parent.parent
    nothing = Use(place, None)
    if parent is None or isinstance(parent, _MATCHES):
        return nothing
    if isinstance(parent, exp.Select):
        stored = _inserting(parent) is not None
        return _from_parent(place, child, parent, level, reader) if stored else nothing
    if isinstance(parent, (*_COMPARISONS, exp.In, exp.Between)):
        if not is_assignment(parent) and all(map(is_literal, _compared_with(parent, child))):
            return nothing
        return _from_parent(place, child, parent, level, reader)
    passing = (exp.Tuple, exp.Interval, *_LOGIC, exp.Where, exp.Having, *_ARITHMETIC)
    if isinstance(parent, passing) or is_choice(parent) or isinstance(parent, exp.If | exp.Case):
        return _from_parent(place, child, parent, level, reader)
    return nothing


def _compared_with(node: exp.Expr, child: exp.Expr) -> list[exp.Expr]:
    operands = [
        node.this, *node.expressions,
        *(node.args.get(key) for key in ("expression", "low", "high", "query")),
    ]  # fmt: skip
    return [unwrap(one) for one in operands if isinstance(one, exp.Expr) and one is not child]


def _of_case(
    place: Place, parent: exp.Expr, child: exp.Expr, level: Level | None, reader: Reader
) -> Use:
    """Infer a type in CASE from the compared values or the other results; WHEN is boolean."""
    holder = parent.parent if isinstance(parent, exp.If) else None
    if isinstance(parent, exp.Case) and parent.this is child:
        return _case_operand(place, parent, level, reader)
    if isinstance(parent, exp.If) and parent.this is child:
        operand = holder.this if isinstance(holder, exp.Case) else None
        if operand is None:
            return Use(place, types.BOOL)
        return _compared(place, operand, level, reader)
    case = holder if isinstance(holder, exp.Case) and child is parent.args.get("true") else parent
    return _chosen(place, case, child, level, reader)


def _case_operand(place: Place, case: exp.Case, level: Level | None, reader: Reader) -> Use:
    values = [branch.this for branch in case.args["ifs"] if not _placeholder(branch.this)]
    values.sort(key=is_literal)
    uses = [use for value in values if (use := _compared(place, value, level, reader)).type]
    kinds = {types.family(use.type) for use in uses if use.type}
    alike = len(kinds) == 1 or kinds <= _NUMBERS
    return replace(uses[0], origin=None) if uses and alike else Use(place, None)


def _is_number(node: exp.Expr) -> bool:
    kind = literal_type(node) if is_literal(node) else None
    return kind is not None and types.family(kind) in _NUMBERS


def _index(nodes: Sequence[exp.Expr], child: exp.Expr) -> int:
    return next((i for i, node in enumerate(nodes) if node is child), -1)
