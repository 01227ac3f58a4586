"""Find the locks that the project's queries need, as the server's planner acquires them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from aiosqlc.analysis.watched.modes import Mode
from aiosqlc.analysis.watched.observed import Held
from aiosqlc.postgres.watch import observer
from aiosqlc.servers.postgres.connection import Connection

Needed = frozenset[tuple[int, Mode]]
"""The locks that a query needs, by relation and mode."""

_KEYS = """
select conrelid, confrelid, confdeltype, confupdtype from pg_constraint where contype = 'f'
"""

_EXPLAIN = "explain (generic_plan, format json) "
_TAKES_NOTHING = frozenset({"a", "r"})  # NO ACTION and RESTRICT only read


def needed_locks(connection: Connection, queries: Mapping[str, Sequence[str]]) -> dict[str, Needed]:
    """Return the locks that each query needs, in any of its variants.

    A query is left out if one of its texts cannot be planned, because it needs another state of the
    schema. Locks of triggers are not included, except those of foreign keys.
    """
    keys = _keys(connection)
    found: dict[str, Needed] = {}
    for name, texts in queries.items():
        locks: set[tuple[int, Mode]] = set()
        for text in texts:
            one = _of_text(connection, text, keys)
            if one is None:
                break
            locks |= one
        else:
            found[name] = frozenset(locks)
    return found


def refusals(connection: Connection, queries: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Return the SQLSTATE of each query that cannot be planned."""
    found: dict[str, str] = {}
    for name, texts in queries.items():
        for text in texts:
            if name not in found and (error := connection.run(_EXPLAIN + text)):
                found[name] = error.state
    return found


def waiting(needed: Mapping[str, Needed], held: Sequence[Held]) -> tuple[str, ...]:
    """Return the queries that must wait while a session holds the given locks."""
    return tuple(
        name
        for name, locks in needed.items()
        if any(
            oid == lock.relation.oid and isinstance(lock.mode, Mode) and mode.conflicts(lock.mode)
            for lock in held
            for oid, mode in locks
        )
    )


def _of_text(
    connection: Connection, text: str, keys: Sequence[tuple[int, int, str, str]]
) -> set[tuple[int, Mode]] | None:
    connection.run("begin")
    try:
        rows = connection.rows(_EXPLAIN + text)
        locks = set(observer.locks(connection, connection.pg.backend_pid))
    except RuntimeError:
        return None
    finally:
        connection.run("rollback")
    verbs = set(_verbs(json.loads("".join(row[0] or "" for row in rows))[0].get("Plan", {})))
    written = {oid for oid, mode in locks if mode is Mode.ROW_EXCLUSIVE} if verbs else set()
    for child, parent, deleted, updated in keys:
        if child in written and verbs & {"Insert", "Update", "Merge"}:
            locks.add((parent, Mode.ROW_SHARE))
        actions = {deleted} if verbs & {"Delete", "Merge"} else set()
        actions |= {updated} if verbs & {"Update", "Merge"} else set()
        if parent in written and actions:
            quiet = actions <= _TAKES_NOTHING
            locks.add((child, Mode.ROW_SHARE if quiet else Mode.ROW_EXCLUSIVE))
    return locks


def _keys(connection: Connection) -> list[tuple[int, int, str, str]]:
    return [
        (int(str(child)), int(str(parent)), str(deleted), str(updated))
        for child, parent, deleted, updated in connection.rows(_KEYS)
    ]


def _verbs(node: dict[str, Any]) -> Iterator[str]:
    if node.get("Node Type") == "ModifyTable":
        yield node["Operation"]
    for inner in node.get("Plans", ()):
        yield from _verbs(inner)
