"""Find the date from which a date calculation starts, and the unit of its interval."""

from __future__ import annotations

from msgspec import Struct
from sqlglot import exp

from aiosqlc.ir import SqlType
from aiosqlc.mysql import types
from aiosqlc.mysql.functions import name_of

MOVES = (
    exp.DateAdd, exp.DateSub, exp.DatetimeAdd, exp.DatetimeSub, exp.TimestampAdd, exp.TimestampSub,
)  # fmt: skip
# Units that take a number; `INTERVAL ? DAY_HOUR` takes a text such as '1 12'.
_PLAIN = frozenset(
    {"MICROSECOND", "SECOND", "MINUTE", "HOUR", "DAY", "WEEK", "MONTH", "QUARTER", "YEAR"}
)
_DAYS = frozenset({"DAY", "WEEK", "MONTH", "QUARTER", "YEAR", "YEAR_MONTH"})


class Shift(Struct, frozen=True):
    """A date or time to which an interval is added or subtracted.

    `by_days` means that the interval has only whole days, so that a date stays a date.
    """

    moment: exp.Expr
    by_days: bool


def shift_of(node: exp.Expr | None) -> Shift | None:
    """Return the date or time that a date calculation starts from, or None for other nodes."""
    if isinstance(node, MOVES):
        return Shift(node.this, _by_days(node))
    if isinstance(node, exp.Add | exp.Sub):
        for moment, interval in ((node.this, node.expression), (node.expression, node.this)):
            if isinstance(interval, exp.Interval):
                return Shift(moment, _by_days(interval))
    if isinstance(node, exp.Anonymous) and name_of(node) in {"ADDDATE", "SUBDATE"}:
        by = node.expressions[1] if len(node.expressions) == 2 else None
        by_days = not isinstance(by, exp.Interval) or _by_days(by)
        return Shift(node.expressions[0], by_days) if node.expressions else None
    return None


def _by_days(node: exp.Expr) -> bool:
    unit = node.args.get("unit")
    return unit is None or unit.name.upper() in _DAYS


def amount(node: exp.Expr) -> SqlType:
    """Return the type of an interval's amount: a number for one unit, a text for `DAY_HOUR`."""
    unit = node.args.get("unit")
    return types.BIGINT if unit is None or unit.name.upper() in _PLAIN else types.VARCHAR
