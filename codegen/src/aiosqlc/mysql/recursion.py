"""Infer the columns of a recursive query: assume types, and correct them until none changes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec.structs import replace
from sqlglot import exp

from aiosqlc.analysis.json_shapes import ANY
from aiosqlc.analysis.rules import EVERY_PART
from aiosqlc.analysis.verdict import Verdict, maybe, never
from aiosqlc.ir import SqlType
from aiosqlc.mysql import types
from aiosqlc.mysql.expressions import of_rows
from aiosqlc.mysql.rules import Premises
from aiosqlc.mysql.scope import NULLABLE, Output

Columns = tuple[Output, ...]
_ASSUMED = never("recursion", "no term of the recursive query returns NULL")


def only_adds(node: exp.Expr) -> bool:
    """Return whether every set operation of a query is a UNION without LIMIT and OFFSET."""
    if not isinstance(node, exp.SetOperation):
        return True
    cut = any(node.args.get(clause) for clause in ("limit", "offset"))
    union = isinstance(node, exp.Union) and not cut
    return union and only_adds(node.left) and only_adds(node.right)


def assumed(begin: Sequence[Columns], *, adds: bool) -> Columns:
    """Return a recursive query's assumed columns, from its non-recursive operands.

    With `adds` (every operand only adds rows), the columns are assumed to be not NULL.
    """
    verdict = _ASSUMED if adds else NULLABLE
    return tuple(
        Output(
            these[0].name,
            of_rows([o.type for o in these]),
            verdict,
            unsure=True,
            shape=ANY if any(o.shape for o in these) else None,
            padded=any(o.padded for o in these),
        )
        for these in zip(*begin, strict=True)
    )


def corrected_by(arms: Sequence[Columns | None], columns: Columns, premises: Premises) -> Columns:
    """Return the assumed columns, corrected by the columns of the recursive operands."""
    return tuple(
        _corrected(
            column,
            [arm[index] if arm is not None and index < len(arm) else None for arm in arms],
            premises,
        )
        for index, column in enumerate(columns)
    )


def _corrected(column: Output, made: Sequence[Output | None], premises: Premises) -> Output:
    """Correct a column's assumed type and nullability by the columns of the recursive operands.

    A boolean becomes a number if an operand does not return a boolean.
    """
    kind = column.type
    if kind == types.BOOL and any(one is None or one.type != types.BOOL for one in made):
        kind = types.INT
    verdict = column.verdict if column.verdict.null else of_rounds(kind, made, premises)
    return replace(column, type=kind, verdict=verdict)


def of_rounds(wanted: SqlType | None, made: Iterable[Output | None], premises: Premises) -> Verdict:
    """Infer the nullability of a recursive query's column from the columns of its operands.

    The server converts the recursive operands' values to the types of the first operand.
    """
    for one in made:
        same = one is not None and _stays(one.type, wanted)
        if not premises.holds("recursion", "no value is converted to another type", same):
            return maybe(
                "the recursive term may convert a value, and a failed conversion returns NULL"
            )
        value = one is not None and one.not_null
        if not premises.holds("recursion", EVERY_PART, value):
            return maybe("a term of the recursive query may return NULL")
    return _ASSUMED


def _stays(kind: SqlType | None, wanted: SqlType | None) -> bool:
    """Return whether values of one type convert to another type without becoming NULL."""
    if kind is None or wanted is None or {kind.name, wanted.name} & {*types.PARSED, "json"}:
        return False
    if kind.labels or wanted.labels:
        return False
    family = types.family(wanted)
    return family in {"integer", "decimal", "text"} and types.family(kind) == family
