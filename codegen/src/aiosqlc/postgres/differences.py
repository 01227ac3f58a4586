"""Find schema changes that may make writes fail although the analysed queries stay the same."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from aiosqlc.postgres.catalog.facts import Facts

Obstacles = dict[str, list[str]]
"""By table name, descriptions of the schema changes that may make the server refuse a write."""


def obstacles(here: Facts, there: Facts) -> Obstacles:
    """Return what can make a write fail in the schema `there` although it succeeds in `here`.

    These are changed constraints, changed domains and new triggers.

    A constraint is returned only if `here` has a constraint with this name and another definition.
    Constraints with new names are omitted, because `TypedQuery.violable` covers them.
    """
    found: Obstacles = defaultdict(list)
    for oid, relation in there.relations.items():
        name = f"{relation.schema}.{relation.name}"
        before = _oid(here, relation.schema, relation.name)
        if before is None:
            continue
        for table, why in (
            *_changed_constraints(here, before, there, oid),
            *((name, why) for why in _changed_domains(here, there, oid)),
            *((name, why) for why in _new_triggers(here, before, there, oid)),
        ):
            found[table].append(why)
    return found


def _oid(facts: Facts, schema: str, name: str) -> int | None:
    named = (oid for oid, r in facts.relations.items() if (r.schema, r.name) == (schema, name))
    return next(named, None)


def _changed_constraints(
    here: Facts, before: int, there: Facts, after: int
) -> Iterator[tuple[str, str]]:
    known = {(c.kind, c.name): c.definition for c in here.constraints.get(before, ())}
    for item in there.constraints.get(after, ()):
        if known.get((item.kind, item.name), item.definition) == item.definition:
            continue
        for oid in {after, item.foreign_relation} & there.relations.keys():
            table = there.relations[oid]
            why = f"is affected by the changed constraint {item.name}"
            yield f"{table.schema}.{table.name}", why


def _changed_domains(here: Facts, there: Facts, after: int) -> Iterator[str]:
    known = {
        (here.types[oid].schema, here.types[oid].name): check
        for oid, check in here.domain_checks.items()
        if oid in here.types
    }
    for column in there.columns.get(after, ()):
        check, kind = there.domain_checks.get(column.type), there.types.get(column.type)
        if check and kind and known.get((kind.schema, kind.name)) != check:
            yield f"has other CHECK conditions for the column {column.name} of type {kind.name}"


def _new_triggers(here: Facts, before: int, there: Facts, after: int) -> Iterator[str]:
    known = {_function(here, t.function) for t in here.triggers.get(before, ())}
    for item in there.triggers.get(after, ()):
        function = _function(there, item.function)
        if function not in known:
            yield f"has a new trigger that calls {function[1]}"


def _function(facts: Facts, oid: int) -> tuple[str, str, str]:
    found = facts.functions.get(oid)
    return (found.schema, found.name, found.source) if found else ("", str(oid), "")
