"""Find the constraints that a writing statement can violate.

A constraint counts as violable unless it is certain that the statement cannot violate it, because a
user's trigger or function may write anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

from aiosqlc.ir import Constraint
from aiosqlc.postgres.catalog.facts import Facts
from aiosqlc.postgres.catalog.rows import ConstraintRow
from aiosqlc.postgres.catalog.types import constraints_of
from aiosqlc.postgres.infer import kinds
from aiosqlc.postgres.tree import Node

_FIRES = {  # bits of pg_trigger.tgtype
    kinds.Command.INSERT: 4,
    kinds.Command.DELETE: 8,
    kinds.Command.UPDATE: 16,
    kinds.Command.MERGE: 4 | 8 | 16,
}
_COLUMN = re.compile(r" :varattno (-?\d+)")
# The end of pg_get_constraintdef's text: the foreign key's actions.
_ACTIONS = re.compile(
    r"\)(?P<full> MATCH FULL)?"
    r"(?: ON UPDATE (?P<update>CASCADE|SET NULL|SET DEFAULT|RESTRICT))?"
    r"(?: ON DELETE (?P<delete>CASCADE|SET NULL|SET DEFAULT|RESTRICT)(?P<listed> \(.*\))?)?"
    r"(?: (?:NOT )?(?:DEFERRABLE|VALID|ENFORCED)| INITIALLY (?:DEFERRED|IMMEDIATE))*$"
)


def violable(facts: Facts, query: Node, relation: int, *, calls: bool) -> Iterator[Constraint]:
    """Yield the constraints of the written table that a statement can violate.

    `calls` means that the statement calls functions that may also write.
    """
    command = query["commandType"]
    conflict = query["onConflict"]
    updates = conflict is not None and conflict["action"] == kinds.ON_CONFLICT_UPDATE
    events = _FIRES[command] | (_FIRES[kinds.Command.UPDATE] if updates else 0)
    if calls or command == kinds.Command.MERGE or _triggered(facts, relation, events):
        yield from _everything(facts, relation)
        return
    if command == kinds.Command.DELETE:
        yield from _by_delete(facts, relation, set())
    elif command == kinds.Command.UPDATE:
        changed = _assigned(query.list_of("targetList"))
        yield from _own(facts, relation, _with_generated(facts, relation, changed))
        yield from _by_new_keys(facts, relation, changed, set())
    else:
        changed = _assigned(conflict.list_of("onConflictSet")) if updates else set()
        covered = _covered(facts, relation, conflict, changed) if conflict is not None else set()
        values = {t["resno"] for t in query.list_of("targetList") if _is_value(t["expr"])}
        values -= changed
        covered |= {
            row.name
            for row in facts.constraints.get(relation, ())
            if row.kind == "n" and values.issuperset(row.columns)
        }
        yield from (c for c in constraints_of(facts, relation) if c.name not in covered)
        yield from _by_new_keys(facts, relation, changed, set())


def _assigned(targets: list[Node]) -> set[int]:
    return {target["resno"] for target in targets if not target["resjunk"]}


def _is_value(node: Node) -> bool:
    return node.kind == "CONST" and not node["constisnull"]


def _triggered(facts: Facts, relation: int, events: int) -> bool:
    return any(
        trigger.type & events
        for oid in (relation, *facts.descendants(relation))
        for trigger in facts.triggers.get(oid, ())
    )


def _everything(facts: Facts, relation: int) -> Iterator[Constraint]:
    yield from constraints_of(facts, relation)
    for key in facts.referring.get(relation, ()):
        yield from _described(facts, key)


def _described(facts: Facts, key: ConstraintRow) -> Iterator[Constraint]:
    yield from (c for c in constraints_of(facts, key.relation) if c.name == key.name)


def _with_generated(facts: Facts, relation: int, changed: set[int]) -> set[int]:
    return changed | {a.number for a in facts.columns.get(relation, ()) if a.generated}


def _own(facts: Facts, relation: int, changed: set[int]) -> Iterator[Constraint]:
    """Yield a table's constraints that the server checks when these columns change."""
    looks_at = _looks_at(facts, relation)
    for constraint in constraints_of(facts, relation):
        columns = looks_at.get(constraint.name)
        if columns is None or columns & changed:
            yield constraint


def _looks_at(facts: Facts, relation: int) -> dict[str, set[int]]:
    """Return each constraint that only a change of its own columns can violate, with these columns.

    The server checks every CHECK of a changed row. A CHECK that was true can only become false by a
    change of its columns if it was validated and depends only on the row.
    """
    found: dict[str, set[int]] = {}
    for row in facts.constraints.get(relation, ()):
        whole = bool(row.columns) and min(row.columns) > 0
        settled = row.kind not in "cn" or (row.settled and row.validated)
        if whole and settled and not (row.kind == "x" and " WHERE (" in row.definition):
            found[row.name] = set(row.columns)
    for index in facts.indexes.get(relation, ()):
        found.pop(index.name, None)
        trees = index.expressions + index.predicate
        columns = {number for number in index.columns[: index.keys] if number}
        columns |= {int(number) for number in _COLUMN.findall(trees)}
        if columns and min(columns) > 0:  # no whole row
            found[index.name] = columns
    return found


class _Action(Struct, frozen=True):
    """The action of a foreign key (ON DELETE or ON UPDATE).

    `own` is true if the action can violate the foreign key itself.
    """

    name: str
    own: bool


def _action(key: ConstraintRow, event: str) -> _Action:
    found = _ACTIONS.search(key.definition)
    if found is None:
        return _Action("SET DEFAULT", own=True)  # unknown, so every effect is possible
    name = found[event] or ""
    partly = name == "SET NULL" and (found["full"] or found["listed"])
    return _Action(name, own=name not in {"CASCADE", "SET NULL"} or bool(partly))


def _by_delete(facts: Facts, relation: int, seen: set[int]) -> Iterator[Constraint]:
    """Yield the constraints that a DELETE can violate, through foreign keys and their cascades."""
    seen.add(relation)
    for key in facts.referring.get(relation, ()):
        action = _action(key, "delete")
        if action.own:
            yield from _described(facts, key)
        if action.name == "CASCADE" and key.relation not in seen:
            if _triggered(facts, key.relation, _FIRES[kinds.Command.DELETE]):
                yield from _everything(facts, key.relation)
            yield from _by_delete(facts, key.relation, seen)
        elif action.name.startswith("SET"):
            yield from _by_action(facts, key, own=action.own, seen=set())


def _by_new_keys(
    facts: Facts, relation: int, changed: set[int], seen: set[int]
) -> Iterator[Constraint]:
    """Yield the constraints that a change of referenced columns can violate in referring tables."""
    seen.add(relation)
    for key in facts.referring.get(relation, ()):
        if not changed & set(key.foreign_columns):
            continue
        action = _action(key, "update")
        if action.own:
            yield from _described(facts, key)
        if action.name not in {"", "RESTRICT"}:
            yield from _by_action(facts, key, own=action.own, seen=seen)


def _by_action(
    facts: Facts, key: ConstraintRow, *, own: bool, seen: set[int]
) -> Iterator[Constraint]:
    """Yield the constraints that the action of a foreign key can violate when it changes rows."""
    if _triggered(facts, key.relation, _FIRES[kinds.Command.UPDATE]):
        yield from _everything(facts, key.relation)
        return
    changed = set(key.columns)
    for constraint in _own(facts, key.relation, _with_generated(facts, key.relation, changed)):
        if own or constraint.name != key.name:
            yield constraint
    if key.relation not in seen:
        yield from _by_new_keys(facts, key.relation, changed, seen)


def _covered(facts: Facts, relation: int, conflict: Node, changed: set[int]) -> set[str]:
    """Return the unique and exclusion constraints whose violations ON CONFLICT handles."""
    arbiters = conflict.list_of("arbiterElems")
    named = conflict["constraint"]
    rows = facts.constraints.get(relation, ())
    if not arbiters and not named:  # DO NOTHING for any conflict
        found = {row.name for row in rows if row.kind in "pux"}
        found |= {index.name for index in facts.indexes.get(relation, ())}
    elif named:
        found = {row.name for row in rows if row.oid == named}
    elif conflict["arbiterWhere"] is not None or any(
        item["expr"].kind != "VAR" or item["infercollid"] or item["inferopclass"]
        for item in arbiters
    ):
        return set()
    else:
        columns = {item["expr"]["varattno"] for item in arbiters}
        found = {
            index.name
            for index in facts.indexes.get(relation, ())
            if not index.expressions
            and not index.predicate
            and set(index.columns[: index.keys]) == columns
        }
    looks_at = _looks_at(facts, relation)  # the update of the existing row may conflict again
    return {name for name in found if not changed or not looks_at.get(name, changed) & changed}
