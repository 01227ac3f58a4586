"""What one occurrence of a parameter says: its type, its name, whether NULL means something."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlglot import exp

from aiosqlc.ir import ColumnRef, SqlType
from aiosqlc.mysql import types
from aiosqlc.mysql.expressions import type_of
from aiosqlc.mysql.functions import name_of
from aiosqlc.mysql.placeholders import Place
from aiosqlc.mysql.reader import Reader
from aiosqlc.mysql.relations import Relation
from aiosqlc.mysql.scope import Level, Output, unwrap

_COMPARISONS = (
    exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.NullSafeEQ, exp.Like, exp.RegexpLike,
)  # fmt: skip
_ARITHMETIC = (exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod, exp.IntDiv)
_LOGIC = (exp.And, exp.Or, exp.Not, exp.Xor)
# Functions whose argument of this position, from 0, has a type of its own.
_ARGUMENTS: dict[str, dict[int, SqlType]] = {
    "LEFT": {1: types.BIGINT}, "RIGHT": {1: types.BIGINT},
    "SUBSTRING": {1: types.BIGINT, 2: types.BIGINT},
    "REPEAT": {0: types.VARCHAR, 1: types.BIGINT},
    "SUBSTRING_INDEX": {1: types.VARCHAR, 2: types.BIGINT},
    "ROUND": {1: types.BIGINT}, "TRUNCATE": {1: types.BIGINT}, "FROM_UNIXTIME": {0: types.BIGINT},
    "UPPER": {0: types.VARCHAR}, "LOWER": {0: types.VARCHAR}, "LENGTH": {0: types.VARCHAR},
    "TRIM": {0: types.VARCHAR},
    "MD5": {0: types.VARCHAR}, "SHA1": {0: types.VARCHAR},
    "SHA2": {0: types.VARCHAR, 1: types.BIGINT},
    "HEX": {0: types.VARCHAR}, "UNHEX": {0: types.VARCHAR}, "DATE_FORMAT": {1: types.VARCHAR},
    "STR_TO_DATE": {0: types.VARCHAR, 1: types.VARCHAR}, "UUID_TO_BIN": {0: types.VARCHAR},
    "BIN_TO_UUID": {0: types.VARBINARY}, "GET_LOCK": {0: types.VARCHAR, 1: types.DOUBLE},
    "RELEASE_LOCK": {0: types.VARCHAR}, "SLEEP": {0: types.DOUBLE},
    "INET6_ATON": {0: types.VARCHAR},
    "JSON_EXTRACT": {1: types.VARCHAR}, "JSON_VALUE": {1: types.VARCHAR},
    "SPACE": {0: types.BIGINT},
    "LAST_INSERT_ID": {0: types.BIGINT}, "REPLACE": {1: types.VARCHAR, 2: types.VARCHAR},
    "STRING_TO_VECTOR": {0: types.VARCHAR}, "TO_VECTOR": {0: types.VARCHAR},
    "VECTOR_TO_STRING": {0: types.VARBINARY}, "FROM_VECTOR": {0: types.VARBINARY},
    "IS_UUID": {0: types.VARCHAR},
    "FIND_IN_SET": {0: types.VARCHAR, 1: types.VARCHAR}, "LOCATE": {2: types.BIGINT},
}  # fmt: skip
_ANY_TEXT = frozenset({"CONCAT", "CONCAT_WS"})
# Functions of a moment, which may be a date, and of how much is added to it.
_SHIFTED = (
    exp.DateAdd, exp.DateSub, exp.DatetimeAdd, exp.DatetimeSub, exp.TimestampAdd, exp.TimestampSub,
)  # fmt: skip
_OF_MOMENTS = frozenset(
    {
        "ADDDATE", "DATE", "DATEDIFF", "DATE_FORMAT", "DAY", "DAYNAME", "DAYOFMONTH", "DAYOFWEEK",
        "DAYOFYEAR", "DAY_OF_MONTH", "DAY_OF_WEEK", "DAY_OF_YEAR", "EXTRACT", "LAST_DAY", "MONTH",
        "MONTHNAME", "QUARTER", "SUBDATE", "TIMESTAMPDIFF", "TIMESTAMP_DIFF", "TO_DAYS",
        "TO_SECONDS", "UNIX_TIMESTAMP", "WEEK", "WEEKDAY", "WEEKOFYEAR", "WEEK_OF_YEAR", "YEAR",
        "YEARWEEK",
    }
)  # fmt: skip
# `INTERVAL ? DAY_HOUR` takes a text, such as '1 12'.
_PLAIN_UNITS = frozenset(
    {"MICROSECOND", "SECOND", "MINUTE", "HOUR", "DAY", "WEEK", "MONTH", "QUARTER", "YEAR"}
)


@dataclass(frozen=True, slots=True)
class Use:
    """What one occurrence of a parameter says about it. `optional`: NULL means something here.

    `weak`: any moment fits here, a date as well as a time of a day, or any value at all, where the
    type is ANY; so other places decide.
    """

    place: Place
    type: SqlType | None
    name: str = ""
    origin: ColumnRef | None = None
    optional: bool = False
    weak: bool = False
    part: bool = False


def use_of(node: exp.Placeholder, reader: Reader) -> Use | None:
    """Return what a placeholder's place says, None for a node that is no parameter of ours."""
    place = reader.tree.place(node)
    if place is None:
        return None
    level = reader.level_of(node)
    child: exp.Expr = node
    parent = node.parent
    while isinstance(parent, exp.Paren | exp.Neg | exp.Alias | exp.Collate | exp.TsOrDsToDate):
        child, parent = parent, parent.parent
    return _from_parent(place, child, parent, level, reader)


def _from_parent(
    place: Place, child: exp.Expr, parent: exp.Expr | None, level: Level | None, reader: Reader
) -> Use:
    if isinstance(parent, exp.Limit | exp.Offset):
        return Use(place, types.BIGINT, "limit" if isinstance(parent, exp.Limit) else "offset")
    if isinstance(parent, exp.EQ) and _is_assignment(parent) and parent.expression is child:
        return _assigned(place, parent.this, level)
    if isinstance(parent, exp.Tuple) and isinstance(parent.parent, exp.Values):
        return _inserted(place, parent, child, reader)
    if isinstance(parent, exp.Select):
        return _selected(place, parent, child, reader)
    if isinstance(parent, exp.Tuple):
        return _in_tuple(place, parent, child, level, reader)
    if isinstance(parent, _COMPARISONS):
        other = parent.expression if parent.this is child else parent.this
        use = _compared(place, other, level, reader, optional=isinstance(parent, exp.NullSafeEQ))
        return replace(use, part=isinstance(parent, exp.Like | exp.RegexpLike))
    if isinstance(parent, exp.Between):
        return _between(place, parent, child, level, reader)
    if isinstance(parent, exp.In):
        there = [*parent.expressions, parent.args.get("query")] if parent.this is child else []
        return _compared(place, there[0] if there and there[0] else parent.this, level, reader)
    if _asks_for_null(parent):
        return Use(place, types.ANY, optional=True, weak=True)
    if isinstance(parent, exp.Is):  # `? IS NOT TRUE`
        return Use(place, types.BOOL, optional=True)
    if isinstance(parent, exp.Cast):
        return Use(place, type_of(parent, level, reader), optional=False)
    if isinstance(parent, _LOGIC) or (
        isinstance(parent, exp.If | exp.Where | exp.Having) and parent.this is child
    ):
        return Use(place, types.BOOL)
    if isinstance(parent, _ARITHMETIC):
        return _calculated(place, parent, child, level, reader)
    return _of_moment(place, parent, child) or _argument(place, parent, child, level, reader)


def _asks_for_null(node: exp.Expr | None) -> bool:
    """Whether nothing is asked about a value but whether it is NULL."""
    if isinstance(node, exp.Anonymous):
        return name_of(node) == "ISNULL"
    return isinstance(node, exp.Is) and isinstance(node.expression, exp.Null)


def _of_moment(place: Place, parent: exp.Expr | None, child: exp.Expr) -> Use | None:
    """What date arithmetic says: a moment of any type here, a number of units there."""
    if isinstance(parent, exp.Interval):
        return Use(place, _amount(parent))
    if isinstance(parent, _SHIFTED) and parent.expression is child:
        return Use(place, _amount(parent))
    if isinstance(parent, _SHIFTED) or _takes_moment(parent, child):
        return Use(place, types.DATETIME, weak=True)
    return None


def _amount(node: exp.Expr) -> SqlType:
    unit = node.args.get("unit")
    plain = unit is None or unit.name.upper() in _PLAIN_UNITS
    return types.BIGINT if plain else types.VARCHAR


def _takes_moment(parent: exp.Expr | None, child: exp.Expr) -> bool:
    """Whether a function takes any moment as this argument."""
    if parent is None or name_of(parent) not in _OF_MOMENTS:
        return False
    if isinstance(parent, exp.Extract):
        return parent.expression is child
    both = isinstance(parent, exp.DateDiff | exp.TimestampDiff)
    if isinstance(parent, exp.Anonymous):
        return parent.expressions[:1] == [child] and parent.expressions[0] is child
    return parent.this is child or (both and parent.expression is child)


def _is_assignment(node: exp.EQ) -> bool:
    holder = node.parent
    return (isinstance(holder, exp.Update) and node in holder.expressions) or isinstance(
        holder, exp.OnConflict
    )


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


def _inserted(place: Place, row: exp.Tuple, child: exp.Expr, reader: Reader) -> Use:
    insert = row.find_ancestor(exp.Insert)
    return _to_insert_column(place, insert, _index(row.expressions, child), reader)


def _to_insert_column(place: Place, insert: exp.Insert | None, index: int, reader: Reader) -> Use:
    level = reader.levels.get(id(insert)) if insert is not None else None
    if insert is None or level is None or not level.sources:
        return Use(place, None)
    source = level.sources[0]
    if isinstance(insert.this, exp.Schema):
        names = [part.name for part in insert.this.expressions]
    else:
        names = [output.name for output in source.shown]
    column = source.output(names[index]) if 0 <= index < len(names) else None
    return _stored(place, column, source.relation) if column else Use(place, None)


def _selected(place: Place, select: exp.Select, child: exp.Expr, reader: Reader) -> Use:
    """A bare parameter in a select list: what the list is for says what it is."""
    index = _index(select.expressions, child)
    holder = select.parent
    if isinstance(holder, exp.Insert):
        return _to_insert_column(place, holder, index, reader)
    alias = child.alias if isinstance(child, exp.Alias) else ""
    if isinstance(holder, exp.SetOperation):
        other = holder.left if holder.right is select else holder.right
        if isinstance(other, exp.Select) and 0 <= index < len(other.expressions):
            item = other.expressions[index]
            item = item.this if isinstance(item, exp.Alias) else item
            kind = type_of(item, reader.levels.get(id(other)), reader)
            return Use(place, kind, alias or item.name, optional=False)
    return Use(place, None, alias)


def _in_tuple(
    place: Place, row: exp.Tuple, child: exp.Expr, level: Level | None, reader: Reader
) -> Use:
    """`(a, b) = (?, ?)` and `(a, b) IN ((?, ?))` compare member by member."""
    index = _index(row.expressions, child)
    holder = row.parent
    other = None
    if isinstance(holder, _COMPARISONS):
        other = unwrap(holder.expression if holder.this is row else holder.this)
    elif isinstance(holder, exp.In):
        other = holder.args.get("query") if holder.this is row else unwrap(holder.this)
    if isinstance(other, exp.Subquery | exp.Query):
        return _of_column(place, other, index, level, reader)
    if isinstance(other, exp.Tuple) and 0 <= index < len(other.expressions):
        return _compared(place, other.expressions[index], level, reader)
    return Use(place, None)


def _compared(
    place: Place, other: exp.Expr, level: Level | None, reader: Reader, *, optional: bool = False
) -> Use:
    other = unwrap(other)
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


def _of_column(
    place: Place, query: exp.Expr, index: int, level: Level | None, reader: Reader
) -> Use:
    """Compare with a column of what a sub-select returns."""
    outputs = reader.sub_select(query, level).outputs if level else None
    if not outputs or not 0 <= index < len(outputs):
        return Use(place, None)
    output = outputs[index]
    return Use(place, output.type, "" if output.nameless else output.name)


def _only_column(node: exp.Expr) -> exp.Column | None:
    """Return the column that an expression is about, if it is about one."""
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
    prefix = {id(low): "from_", id(high): "to_"}.get(id(child), "")
    name = f"{prefix}{use.name}" if use.name else ""
    return Use(place, use.type, name, use.origin, use.optional)


def _placeholder(node: exp.Expr) -> bool:
    return isinstance(unwrap(node), exp.Placeholder)


def _calculated(
    place: Place, node: exp.Expr, child: exp.Expr, level: Level | None, reader: Reader
) -> Use:
    other = node.expression if node.this is child else node.this
    kind = type_of(other, level, reader)
    column = _only_column(unwrap(other))
    found = level.resolve(column) if level and column is not None else None
    if kind is None or types.family(kind) not in {"integer", "decimal", "float", "double"}:
        return Use(place, None)
    wide = types.BIGINT if types.family(kind) == "integer" else kind
    return Use(place, wide, found[2].name if found else "")


def _argument(
    place: Place, parent: exp.Expr | None, child: exp.Expr, level: Level | None, reader: Reader
) -> Use:
    if parent is None or isinstance(parent, exp.Ordered | exp.Group):
        return Use(place, None)
    if isinstance(parent, exp.Anonymous):
        routine = reader.schema.routine(str(parent.this))
        index = _index(parent.expressions, child)
        if routine and 0 <= index < len(routine.params):
            name, kind = routine.params[index]
            return Use(place, kind, name)
    if isinstance(parent, exp.Coalesce | exp.Nullif | exp.Greatest | exp.Least):
        return _sibling(
            place, parent, child, level, reader, optional=isinstance(parent, exp.Coalesce)
        )
    if isinstance(parent, exp.Case) or (isinstance(parent, exp.If) and parent.parent is not None):
        return _branch(place, parent, child, level, reader)
    name = name_of(parent)
    arguments = [
        node for node in parent.iter_expressions() if not isinstance(node, exp.Var | exp.DataType)
    ]
    fixed = _ARGUMENTS.get(name, {}).get(_index(arguments, child))
    if fixed is None and name in _ANY_TEXT:
        fixed = types.VARCHAR
    if fixed is not None:
        return Use(place, fixed)
    return _sibling(place, parent, child, level, reader) if name else Use(place, None)


def _sibling(
    place: Place,
    parent: exp.Expr,
    child: exp.Expr,
    level: Level | None,
    reader: Reader,
    *,
    optional: bool = False,
) -> Use:
    """Other arguments of a function are usually of its type: `MOD(id, ?)`, `IFNULL(?, name)`."""
    for node in parent.iter_expressions():
        if node is not child and not _placeholder(node):
            use = _compared(place, node, level, reader)
            if use.type:
                return Use(place, use.type, use.name, use.origin, optional or use.optional)
    above = _from_above(place, parent, level, reader)
    return Use(place, above.type, above.name, above.origin, optional or above.optional)


def _from_above(place: Place, node: exp.Expr, level: Level | None, reader: Reader) -> Use:
    """Type a parameter by where the expression that it is the value of goes."""
    child, parent = node, node.parent
    while isinstance(parent, exp.Paren | exp.Alias):
        child, parent = parent, parent.parent
    if isinstance(parent, exp.Expr) and not isinstance(parent, exp.Select):
        return _from_parent(place, child, parent, level, reader)
    return Use(place, None)


def _branch(
    place: Place, parent: exp.Expr, child: exp.Expr, level: Level | None, reader: Reader
) -> Use:
    case = (
        parent.parent
        if isinstance(parent, exp.If) and isinstance(parent.parent, exp.Case)
        else parent
    )
    if isinstance(parent, exp.If) and parent.this is child:  # WHEN ?
        operand = case.args.get("this") if isinstance(case, exp.Case) else None
        return (
            _compared(place, operand, level, reader)
            if operand is not None
            else Use(place, types.BOOL)
        )
    if isinstance(case, exp.Case) and case.args.get("this") is child:
        return _case_operand(place, case, level, reader)
    kind = type_of(case, level, reader)
    above = _from_above(place, case, level, reader)
    kind = kind or _first_branch(case, level, reader)
    if above.type and (above.origin or not kind):
        return Use(place, above.type, above.name, above.origin, optional=True)
    return Use(place, kind, above.name, optional=True)


def _case_operand(place: Place, case: exp.Case, level: Level | None, reader: Reader) -> Use:
    kinds = [type_of(branch.this, level, reader) for branch in case.args["ifs"]]
    return Use(place, next((kind for kind in kinds if kind), None))


def _first_branch(case: exp.Expr, level: Level | None, reader: Reader) -> SqlType | None:
    if isinstance(case, exp.Case):
        nodes = [*(branch.args["true"] for branch in case.args["ifs"]), case.args.get("default")]
    else:
        nodes = [case.args.get("true"), case.args.get("false")]
    kinds = [type_of(node, level, reader) for node in nodes if node is not None]
    return next((kind for kind in kinds if kind), None)


def _index(nodes: Sequence[exp.Expr], child: exp.Expr) -> int:
    return next((i for i, node in enumerate(nodes) if node is child), -1)
