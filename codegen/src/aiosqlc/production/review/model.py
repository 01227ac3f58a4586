"""Data classes for the result of a review."""

from __future__ import annotations

from msgspec import Struct

from aiosqlc.analysis.grants import Right
from aiosqlc.diagnostics import Diagnostic
from aiosqlc.ir import ParsedQuery
from aiosqlc.production.migrations.check import Checked
from aiosqlc.production.recorded.changes import Change
from aiosqlc.source import SourceFile


class Queries(Struct, frozen=True):
    """The difference between the queries of two versions.

    `changed` has pairs of the old and the new query. A query that only moved to another file is not
    a difference.
    """

    added: tuple[ParsedQuery, ...] = ()
    changed: tuple[tuple[ParsedQuery, ParsedQuery], ...] = ()
    removed: tuple[ParsedQuery, ...] = ()

    def __bool__(self) -> bool:
        """Return whether the versions differ."""
        return bool(self.added or self.changed or self.removed)

    @property
    def current(self) -> tuple[ParsedQuery, ...]:
        """Return the new and the changed queries."""
        return (*self.added, *(new for _, new in self.changed))


class Broken(Struct, frozen=True):
    """A deployed query that fails after a pending migration, with the reason.

    If `migration` is empty, an edited schema file breaks the query.
    """

    query: str
    migration: SourceFile | None
    reason: str


class Order(Struct, frozen=True):
    """The order of deployment: a sentence (`advice`), and whether a safe order exists (`safe`).

    `broken` are the deployed queries that fail after a migration. `waiting` are the new queries
    that need a migration first. `failing` are the new queries that fail even after all migrations.
    """

    advice: str
    safe: bool
    broken: tuple[Broken, ...] = ()
    waiting: tuple[str, ...] = ()
    failing: tuple[Diagnostic, ...] = ()


class Grants(Struct, frozen=True):
    """The privileges that only the new queries need, and those that only the old queries needed.

    `granted` and `revoked` are the exact privileges to grant and to revoke. `added` and `removed`
    are summaries. They list no columns if a privilege on a table is completely new or removed. They
    omit a change from some columns to the whole table, or back.
    """

    granted: frozenset[Right] = frozenset()
    revoked: frozenset[Right] = frozenset()
    added: frozenset[Right] = frozenset()
    removed: frozenset[Right] = frozenset()
    reserved: frozenset[str] = frozenset()
    quote: str = '"'

    def __bool__(self) -> bool:
        """Return whether a privilege changed."""
        return bool(self.granted or self.revoked)


class PlanChanges(Struct, frozen=True):
    """The plans that changed; `basis` describes the statistics with which they were made."""

    changes: tuple[Change, ...] = ()
    basis: str = ""


class EntryReview(Struct, frozen=True):
    """The review of one configuration entry.

    `now` are all queries of the new version, and `pending` are its new schema files. `migrations`
    are the pending migrations that were run. `errors` are the errors of the new version. `advice`
    are the new findings of `vet`. `skipped` has the reasons why checks were left out.
    """

    name: str = ""
    now: tuple[ParsedQuery, ...] = ()
    pending: tuple[SourceFile, ...] = ()
    migrations: tuple[Checked, ...] = ()
    queries: Queries = Queries()
    order: Order | None = None
    plans: PlanChanges = PlanChanges()
    grants: Grants = Grants()
    advice: tuple[Diagnostic, ...] = ()
    errors: tuple[Diagnostic, ...] = ()
    skipped: tuple[str, ...] = ()

    @property
    def changed(self) -> bool:
        """Return whether this entry differs from the deployed version."""
        parts = (self.pending, self.queries, self.plans.changes, self.errors, self.advice)
        return any(map(bool, parts)) or self.order is not None


class Review(Struct, frozen=True):
    """The reviews of all entries, compared with the git reference `base`."""

    base: str
    entries: tuple[EntryReview, ...]

    @property
    def touched(self) -> tuple[EntryReview, ...]:
        """Return the reviews of the entries that the change affects."""
        return tuple(entry for entry in self.entries if entry.changed)
