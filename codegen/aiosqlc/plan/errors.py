"""Plans an exception class for each constraint that some query can violate."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from aiosqlc.ir import Constraint
from aiosqlc.plan.model import PyError
from aiosqlc.plan.naming import camel

_KINDS = {
    "unique": "unique constraint",
    "primary": "primary key",
    "foreign": "foreign key",
    "check": "check constraint",
    "exclude": "exclusion constraint",
}


def plan_errors(
    constraints: Iterable[Constraint],
    known: dict[tuple[str, str, str], PyError],
    bases: Mapping[str, str],
) -> tuple[PyError, ...]:
    """Return the exceptions of these constraints.

    `known` are those planned before, `bases` the driver's classes by kind of constraint.
    """
    found = []
    for constraint in constraints:
        if constraint.kind not in bases:  # the server names no constraint for NOT NULL
            continue
        key = (constraint.schema, constraint.table, constraint.name)
        if key not in known:
            known[key] = _error(constraint, {error.name for error in known.values()}, bases)
        found.append(known[key])
    return tuple(found)


def _error(constraint: Constraint, taken: set[str], bases: Mapping[str, str]) -> PyError:
    """Name an exception after its constraint, and after its table too where two share a name."""
    name = camel(constraint.name)
    if name in taken:
        name = camel(constraint.table) + name
    columns = f" ({', '.join(constraint.columns)})" if constraint.columns else ""
    kind = _KINDS[constraint.kind]
    doc = f"Violates the {kind} {constraint.name} of {constraint.table}{columns}."
    return PyError(name, bases[constraint.kind], constraint.table, constraint.name, doc)
