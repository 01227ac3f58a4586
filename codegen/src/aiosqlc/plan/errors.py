"""Plan an exception class for each constraint that a query can violate."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain, count

from aiosqlc.drivers import Violations
from aiosqlc.ir import Constraint
from aiosqlc.plan.model import PyError
from aiosqlc.plan.naming import camel

ErrorKey = tuple[str, str, str, str]

# The endings of PostgreSQL's default constraint names: `author_name_key`.
_ENDINGS = {"primary": "Pkey", "unique": "Key", "foreign": "Fkey", "check": "Check"}
_KINDS = {
    "unique": "unique constraint",
    "primary": "primary key",
    "foreign": "foreign key",
    "check": "check constraint",
    "exclude": "exclusion constraint",
}


def plan_errors(
    constraints: Iterable[Constraint],
    known: dict[ErrorKey, PyError],
    violations: Violations,
) -> tuple[PyError, ...]:
    """Return the exceptions for the constraints; `known` has the exceptions of earlier queries."""
    found = []
    for constraint in constraints:
        if constraint.kind not in violations.by_kind or not constraint.identifiable:
            continue
        key = (constraint.schema, constraint.table, constraint.name, constraint.kind)
        if key not in known:
            taken = {error.name for error in known.values()} | _own_names(violations)
            known[key] = _error(constraint, taken, violations)
        found.append(known[key])
    return tuple(found)


def _own_names(violations: Violations) -> set[str]:
    """Return the names of the classes that `errors.py` imports or uses."""
    imported = {name for _, name in {violations.root, *violations.imports}}
    return {"Final", "Mapping", *imported, *violations.by_kind.values()}


def _error(constraint: Constraint, taken: set[str], violations: Violations) -> PyError:
    """Name an exception after its constraint, and also after the table if the name is ambiguous."""
    base, columns = violations.by_kind[constraint.kind], ", ".join(constraint.columns)
    # Servers report the column of a NOT NULL violation but no name.
    if constraint.kind == "not_null":
        table, doc = constraint.table, f"NOT NULL of {constraint.table} ({columns}) was violated."
        plain = f"{camel(table)}{camel(columns)}NotNull"
        names = chain((plain,), (f"{plain}{n}" for n in count(2)))
        name = next(name for name in names if name not in taken)
        return PyError(name, base, constraint.kind, table, columns, doc)
    name = camel(constraint.name)
    if violations.named_in_table and constraint.table.lower() not in constraint.name.lower():
        name = _in_table(constraint)
    whole = camel(constraint.table) + name
    names = chain((name, whole), (f"{whole}{n}" for n in count(2)))
    name = next(name for name in names if name not in taken)
    listed = f" ({columns})" if columns else ""
    kind = _KINDS[constraint.kind]
    doc = f"The {kind} {constraint.name} of {constraint.table}{listed} was violated."
    return PyError(name, base, constraint.kind, constraint.table, constraint.name, doc)


def _in_table(constraint: Constraint) -> str:
    """Return a class name that combines a constraint's short name with the name of its table."""
    ending = _ENDINGS[constraint.kind]
    own = "" if constraint.kind == "primary" else camel(constraint.name).removesuffix(ending)
    return camel(constraint.table) + own + ending
