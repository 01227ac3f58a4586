"""Infer an expression's type from its SQL text: None if the text does not show the type."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sqlglot import exp

from aiosqlc.ir import SqlType
from aiosqlc.mysql import types
from aiosqlc.mysql.choices import is_choice, named_value
from aiosqlc.mysql.functions import RETURNS, name_of, routine_name
from aiosqlc.mysql.moments import Shift, shift_of
from aiosqlc.mysql.scope import Level, unwrap

if TYPE_CHECKING:
    from aiosqlc.mysql.reader import Reader

PREDICATES = (
    exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Like, exp.RegexpLike, exp.And, exp.Or,
    exp.Xor, exp.Not, exp.Is,
    exp.NullSafeEQ, exp.Exists, exp.Between, exp.In, exp.Boolean,
)  # fmt: skip
# Functions that return one of their arguments.
_GIVEN = (
    exp.Min, exp.Max, exp.AnyValue, exp.Lag, exp.Lead, exp.FirstValue, exp.LastValue, exp.NthValue,
)  # fmt: skip
_BITS = (
    exp.BitwiseAnd, exp.BitwiseOr, exp.BitwiseXor, exp.BitwiseNot, exp.BitwiseLeftShift,
    exp.BitwiseRightShift,
)  # fmt: skip
_BIT = SqlType("", "bigint", unsigned=True)
_ROUNDED = frozenset({"ABS", "CEIL", "CEILING", "FLOOR", "ROUND", "TRUNCATE"})
_CALLED = re.compile(r"(\w+)\(")
_CASTS = {
    "BIGINT": types.BIGINT,
    "UBIGINT": SqlType("", "bigint", unsigned=True),
    "INT": types.BIGINT,
    "CHAR": types.VARCHAR,
    "VARCHAR": types.VARCHAR,
    "NCHAR": types.VARCHAR,
    "TEXT": types.TEXT,
    "CHARACTER SET": types.VARCHAR,
    "BINARY": types.VARBINARY,
    "DATE": types.DATE,
    "TIME": types.TIME,
    "DATETIME": types.DATETIME,
    "TIMESTAMP": types.DATETIME,
    "DOUBLE": types.DOUBLE,
    "FLOAT": SqlType("", "float"),
    "JSON": types.JSON,
    "YEAR": SqlType("", "year"),
}


def type_of(node: exp.Expr | None, level: Level | None, reader: Reader) -> SqlType | None:
    """Return the type of an expression, or None if only a server can determine the type."""
    if node is None:
        return None
    node = unwrap(node)
    if isinstance(node, exp.Column):
        found = level.resolve(node) if level else None
        if found or not level:
            return found[2].type if found else None
        return type_of(_made_above(node, level), level, reader)
    if isinstance(node, exp.Placeholder):
        return _sent(reader.parameter_type(node))
    if isinstance(node, PREDICATES):
        return types.BOOL
    if isinstance(node, exp.Literal):
        return _literal(node)
    if isinstance(node, exp.Cast):
        return _cast(node)
    if isinstance(node, exp.Subquery | exp.Query):
        outputs = reader.sub_select(node, level).outputs if level else None
        return outputs[0].type if outputs and len(outputs) == 1 else None
    if isinstance(node, exp.Window):
        return type_of(node.this, level, reader)
    if isinstance(node, exp.HexString | exp.BitString):
        return types.VARBINARY
    return _computed(node, level, reader)


def _sent(kind: SqlType | None) -> SqlType | None:
    """Return the type in which the driver sends a value: a text for an address or UUID."""
    return types.VARCHAR if kind and kind.name in types.PARSED else kind


def _made_above(column: exp.Column, level: Level) -> exp.Expr | None:
    """Return the select-list expression that a name in HAVING refers to by its alias, or None."""
    if column.table or not isinstance(column.find_ancestor(exp.Having, exp.Query), exp.Having):
        return None
    items = level.node.expressions if isinstance(level.node, exp.Select) else []
    named = (item for item in items if isinstance(item, exp.Alias))
    return next((item.this for item in named if item.alias.lower() == column.name.lower()), None)


def _literal(node: exp.Literal) -> SqlType:
    if node.is_string:
        return types.VARCHAR
    text = str(node.this)
    if "e" in text.lower():
        return types.DOUBLE
    if "." in text:
        return types.DECIMAL
    return types.INT if int(text) < 2**31 else types.BIGINT


def _cast(node: exp.Cast) -> SqlType | None:
    target = node.to
    name = target.this.value
    if name in {"DECIMAL", "UDECIMAL"}:
        return types.DECIMAL
    return _CASTS.get(name)


def _computed(node: exp.Expr, level: Level | None, reader: Reader) -> SqlType | None:
    name = name_of(node)
    if isinstance(node, _GIVEN):
        return type_of(node.this, level, reader)
    if isinstance(node, _BITS):
        return _BIT
    if isinstance(node, exp.Interval):  # the function INTERVAL(n, 1, 5)
        return types.INT if isinstance(node.this, exp.Tuple) else None
    if isinstance(node, exp.Sum | exp.Avg):
        kind = type_of(node.this, level, reader)
        return _sum(kind) if kind else None
    if found := _called(node, name, level, reader):
        return found
    if moved := shift_of(node):
        return _moved(type_of(moved.moment, level, reader), moved)
    if name in {"ADDTIME", "SUBTIME"} and isinstance(node, exp.Anonymous):
        return _moved(type_of(node.expressions[0], level, reader), Shift(node, by_days=False))
    if name in _ROUNDED or isinstance(node, exp.Abs):
        return _rounded(name, type_of(node.this, level, reader))
    if isinstance(node, exp.GroupConcat):
        return types.TEXT
    if isinstance(node, exp.Neg):
        kind = type_of(node.this, level, reader)
        return types.BIGINT if kind == types.BOOL else kind
    if isinstance(node, exp.Collate | exp.Ordered | exp.Distinct):
        return type_of(node.this, level, reader)
    if isinstance(node, exp.Add | exp.Sub | exp.Mul | exp.Mod | exp.Div | exp.IntDiv):
        return _arithmetic(node, level, reader)
    return _common(_branches(node), level, reader)


def _called(node: exp.Expr, name: str, level: Level | None, reader: Reader) -> SqlType | None:
    """Return the result type of a built-in function, a stored function or VALUES(x), or None."""
    if name in RETURNS:
        return RETURNS[name]
    if isinstance(node, exp.Anonymous):
        value = named_value(node)
        if value is not node:
            return type_of(value, level, reader)
        routine = reader.schema.routine(routine_name(name))
        return routine.returns if routine else None
    if isinstance(node, exp.Func) and not is_choice(node) and not isinstance(node, exp.Binary):
        written = _CALLED.match(node.sql(dialect="mysql"))
        return RETURNS.get(written[1].upper()) if written else None
    return None


def _moved(kind: SqlType | None, moved: Shift) -> SqlType | None:
    """Return the type of date arithmetic: a date plus days stays a date."""
    name = kind.name if kind else ""
    if name == "date":
        return types.DATE if moved.by_days else types.DATETIME
    return {"datetime": types.DATETIME, "timestamp": types.DATETIME, "time": types.TIME}.get(name)


def _rounded(name: str, kind: SqlType | None) -> SqlType | None:
    """Return the result type of ABS, CEIL, FLOOR and similar functions for a number."""
    family = types.family(kind) if kind else ""
    if family == "integer":
        return types.BIGINT
    if family == "decimal":
        return types.BIGINT if name in {"CEIL", "CEILING", "FLOOR"} else types.DECIMAL
    return types.DOUBLE if family in {"float", "double", "text"} else None


def _sum(kind: SqlType) -> SqlType:
    return types.DOUBLE if types.family(kind) in {"float", "double", "text"} else types.DECIMAL


def _arithmetic(node: exp.Expr, level: Level | None, reader: Reader) -> SqlType | None:
    if isinstance(node, exp.IntDiv):
        return types.BIGINT
    sides = [type_of(side, level, reader) for side in (node.this, node.expression)]
    families = {types.family(side) if side else "" for side in sides}
    if "" in families or families & types.MOMENTS:
        return None
    if families & {"float", "double", "text"}:
        return types.DOUBLE
    if isinstance(node, exp.Div) or "decimal" in families:
        return types.DECIMAL
    return types.BIGINT


def _branches(node: exp.Expr) -> list[exp.Expr | None]:
    if isinstance(node, exp.Coalesce | exp.Greatest | exp.Least):
        return [node.this, *node.expressions]
    if isinstance(node, exp.If):
        return [node.args.get("true"), node.args.get("false")]
    if isinstance(node, exp.Case):
        return [*(branch.args["true"] for branch in node.args["ifs"]), node.args.get("default")]
    if isinstance(node, exp.Nullif):
        return [node.this]
    return []


def _common(nodes: list[exp.Expr | None], level: Level | None, reader: Reader) -> SqlType | None:
    """Return the result type of CASE, COALESCE and so on, one of whose operands is the result."""
    present = [
        node for node in nodes if node is not None and not isinstance(unwrap(node), exp.Null)
    ]
    return common([type_of(node, level, reader) for node in present])


def common(kinds: Sequence[SqlType | None]) -> SqlType | None:
    """Return the common type of several types, or None if it is unknown."""
    known = [kind for kind in kinds if kind]
    parsed = [kind for kind in known if kind.name in types.PARSED]
    if parsed:  # the texts beside the parameter are parsed as that type
        return parsed[0]
    if not known or len(known) < len(kinds):
        return None
    families = {types.family(kind) for kind in known}
    if len(families) == 1:
        return known[0] if all(kind == known[0] for kind in known) else _widest(known)
    if families <= {"integer", "decimal", "float", "double"}:
        return types.DECIMAL if families == {"integer", "decimal"} else types.DOUBLE
    return types.DATETIME if families <= {"date", "datetime", "timestamp"} else None


def of_rows(kinds: Sequence[SqlType | None]) -> SqlType | None:
    """Return the type of a UNION's column, which is a text if one operand's column is a text."""
    families = {types.family(kind) if kind else "" for kind in kinds}
    mixed = len(families) > 1 and "text" in families
    if mixed and families <= {"text", *types.MOMENTS, "integer", "decimal", "float", "double"}:
        return common([kind for kind in kinds if kind and kind.name in types.PARSED]) or types.TEXT
    return common(kinds)


def _widest(kinds: list[SqlType]) -> SqlType | None:
    family = types.family(kinds[0])
    widest = {
        "text": types.TEXT, "integer": types.BIGINT, "decimal": types.DECIMAL,
        "bytes": types.VARBINARY,
    }  # fmt: skip
    return widest.get(family, kinds[0] if family in types.MOMENTS else None)


def collation_of(node: exp.Expr, level: Level) -> str:
    """Return the collation of an expression, if the expression is a text column."""
    found = level.resolve(node) if isinstance(node, exp.Column) else None
    return found[2].collation if found else ""
