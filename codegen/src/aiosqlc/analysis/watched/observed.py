"""Observations of a migration's statements that ran, as values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from aiosqlc.analysis.watched.modes import Mode
from aiosqlc.diagnostics import Diagnostic
from aiosqlc.ir import SchemaFile
from aiosqlc.source import Span


@dataclass(frozen=True, slots=True)
class Relation:
    """A relation that existed before the migration: its own `name`, and the `table` it belongs to.

    `written` is whether queries can write it: they cannot write a materialized view.
    """

    oid: int
    name: str
    table: str
    written: bool = True

    @property
    def is_index(self) -> bool:
        """Return whether the relation is an index."""
        return self.name != self.table


@dataclass(frozen=True, slots=True)
class Held:
    """A lock held when a statement ends; `since` is the statement that acquired the lock."""

    relation: Relation
    mode: Mode
    since: Span


@dataclass(frozen=True, slots=True)
class Observed:
    """A statement of a migration that was executed, with its observed effects.

    `held` are the locks of its transaction on relations that were there before the release.
    `rewritten`, `scanned`, `indexed` and `changed` name the tables whose every row it copied, read,
    put into an index, or looked at to change it; `kept` those of the last whose rows it changed for
    the most part: they stay locked. `lone` is whether it cannot run in a transaction block,
    `refused_in_block` what the server says if its tool runs it in one, `unwatched` why nothing was
    measured, `patience` whether a lock_timeout was set, `waiting` the queries that wait.
    """

    file: SchemaFile
    span: Span
    held: tuple[Held, ...] = ()
    rewritten: tuple[str, ...] = ()
    scanned: tuple[str, ...] = ()
    indexed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    lone: bool = False
    refused_in_block: str = ""
    unwatched: str = ""
    patience: bool = False
    waiting: tuple[str, ...] = ()

    @property
    def sql(self) -> str:
        """Return its text."""
        return self.file.sql[self.span.start : self.span.end]

    @property
    def works(self) -> bool:
        """Return whether the statement's duration grows with the size of a table."""
        return bool(self.rewritten or self.scanned or self.indexed or self.changed)

    @property
    def stopping(self) -> tuple[Held, ...]:
        """Return the locks that block reads or writes, the strongest first."""
        found = [
            held
            for held in self.held
            if held.mode.stops_reads or (held.mode.stops_writes and held.relation.written)
        ]
        return tuple(sorted(found, key=lambda held: (-held.mode, held.relation.name)))


@dataclass(frozen=True, slots=True)
class ObservedFile:
    """A migration that ran, with the observations for each statement.

    `failures` are what the server refused, `on_rows` what it refused only with rows in the tables.
    `broken` are the queries that could be planned before it and cannot be after it, `lost` what of
    the data its rollback does not bring back (None: there is no rollback), `back` what is wrong
    with the rollback itself.
    """

    file: SchemaFile
    statements: tuple[Observed, ...] = ()
    failures: tuple[Diagnostic, ...] = ()
    on_rows: tuple[Diagnostic, ...] = ()
    broken: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    lost: tuple[str, ...] | None = None
    back: tuple[Diagnostic, ...] = field(default=())


class SchemaFailsError(Exception):
    """Raised if the schema has errors even before the pending migrations."""

    def __init__(self, problems: Sequence[Diagnostic]) -> None:
        super().__init__(problems[0].message)
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class Pending:
    """A migration to observe, and its rollback file or section if there is one.

    `in_block` is whether its tool runs it in a transaction, `alone` whether it is a release by
    itself: what the ones before it made is in use then.
    """

    file: SchemaFile
    back: SchemaFile | None
    in_block: bool
    alone: bool = False
