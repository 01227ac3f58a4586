"""Schema statements that failed, and the objects that are therefore missing or uncertain.

The compiler infers no fact that a failed statement could have changed. So queries can be analysed
on an incomplete schema.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from aiosqlc.diagnostics import Diagnostic
from aiosqlc.postgres.schema_impact import changed_by, is_procedural, table_of, words_of
from aiosqlc.servers.postgres.connection import Connection, ServerError

_STATES_OF_ABSENCE = frozenset({"42P01", "42703", "42883", "42704", "3F000", "42846"})
_NAMED = re.compile(
    r'"((?:[^"]|"")+)"'
    r"|(?:function|procedure|column|aggregate) ([\w.]+)(?:\(| )|operator does not exist: (.+)"
)


class Failure(Struct, frozen=True):
    """A schema statement that the server refused, and the objects that it concerns.

    `names` are all words of the statement, and `tables` are the tables that the statement extends.
    `changes` are the names of existing objects that the statement would have changed, or None if
    these may be any objects. `followers` counts later statements that failed only because of this
    one.
    """

    problem: Diagnostic
    sql: str
    error: ServerError
    names: frozenset[str]
    tables: frozenset[str]
    changes: frozenset[str] | None = frozenset()
    followers: int = 0

    def explains(self, error: ServerError, words: frozenset[str]) -> bool:
        """Return whether an error is due to an object that the failed statement did not create."""
        if error.state not in _STATES_OF_ABSENCE:
            return False
        missing = named_in(error.message)
        if error.state == "42703":  # the query may refer to that column in another table
            return bool(self.names & missing) and bool(self.tables & words)
        return bool(self.names & missing)

    def unsettles(self, words: frozenset[str]) -> bool:
        """Return whether a query uses an object that the failed statement would have changed.

        `words` are the words of the query.
        """
        return self.changes is None or bool(self.changes & words)


def named_in(message: str) -> frozenset[str]:
    """Return the object names that a server message quotes."""
    found: set[str] = set()
    for match in _NAMED.finditer(message):
        found.update(re.findall(r"\w+", next(group for group in match.groups() if group)))
    return frozenset(found)


def failure_of(sql: str, error: ServerError, problem: Diagnostic) -> Failure:
    """Create the `Failure` of a statement, with the names that occur in the statement's text."""
    names = words_of(sql, inside_strings=is_procedural(sql))
    return Failure(problem, sql, error, names, table_of(sql))


def settle(connection: Connection, failures: Sequence[Failure]) -> tuple[Failure, ...]:
    """Merge failures with one cause; find the objects that each statement would have changed."""
    roots: list[Failure] = []
    for failure in failures:
        failure = replace(failure, changes=changed_by(connection, failure.sql, failure.names))
        at = next(
            (i for i, root in enumerate(roots) if root.explains(failure.error, failure.names)), None
        )
        if at is None:
            roots.append(failure)
        else:
            roots[at] = _with_follower(roots[at], failure)
    return tuple(roots)


def _with_follower(root: Failure, other: Failure) -> Failure:
    changes = (
        None if root.changes is None or other.changes is None else root.changes | other.changes
    )
    followers = root.followers + other.followers + 1
    return replace(
        root,
        names=root.names | other.names,
        tables=root.tables | other.tables,
        changes=changes,
        followers=followers,
    )


def diagnoses(
    failures: Iterable[Failure], lost: dict[Failure, list[str]]
) -> tuple[Diagnostic, ...]:
    """Return the diagnostic of each failed statement, with the queries that it affects."""
    return tuple(
        replace(
            failure.problem,
            costs=tuple(lost.get(failure, ())),
            notes=(*failure.problem.notes, *_followers(failure)),
        )
        for failure in failures
    )


def _followers(failure: Failure) -> tuple[str, ...]:
    if not failure.followers:
        return ()
    plural = "s" if failure.followers > 1 else ""
    return (f"{failure.followers} later statement{plural} of the schema failed because of this",)
