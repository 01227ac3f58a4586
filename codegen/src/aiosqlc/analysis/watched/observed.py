"""The effects and locks that were observed while the statements of a migration ran."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct, field

from aiosqlc.analysis.watched.modes import Lock
from aiosqlc.diagnostics import Diagnostic
from aiosqlc.ir import SchemaFile
from aiosqlc.source import Span


class Relation(Struct, frozen=True):
    """A table or index that existed before the migration; `table` is the table of an index.

    `written` is false for a materialized view, to which queries cannot write.
    """

    oid: int
    name: str
    table: str
    written: bool = True

    @property
    def is_index(self) -> bool:
        """Return whether the relation is an index."""
        return self.name != self.table


class Held(Struct, frozen=True):
    """A lock that is held when a statement ends; `since` is the statement that acquired it."""

    relation: Relation
    mode: Lock
    since: Span


class Observed(Struct, frozen=True):
    """A statement of a migration that was executed, with its observed effects.

    `held` are the locks, at the statement's end, on relations that existed before the release.
    `brief` are exclusive locks that the statement holds only for a short time, whatever the size of
    the table. `rewritten`, `scanned` and `indexed` name the tables whose rows were all copied,
    read, or put into an index. `changed` names the tables of which the statement read all rows to
    change some of them. `kept` names the tables of which the statement changed most rows and which
    stay locked. `lone` means that the statement cannot run in a transaction block.
    `refused_in_block` is the server's error when the migration tool runs the statement in a
    transaction block. `unwatched` is the reason why nothing was measured. `patience` means that the
    wait for a lock was limited to less than `LONGEST_WAIT`. `waiting` are the queries that wait for
    the locks.
    """

    file: SchemaFile
    span: Span
    held: tuple[Held, ...] = ()
    brief: tuple[Held, ...] = ()
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
        """Return the statement's text."""
        return self.file.sql[self.span.start : self.span.end]

    @property
    def works(self) -> bool:
        """Return whether the statement takes longer if a table has more rows."""
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


class ObservedFile(Struct, frozen=True):
    """A migration that ran, with the observed effects and locks of each statement.

    `failures` are the errors of refused statements. `on_rows` are the errors of statements that are
    refused only if the tables have rows. `broken` are the queries that could be planned before the
    migration but not after it. `dropped` is the data that the migration removes. `causes` has, for
    each of these queries and data, the statement that breaks or removes it. `lost` is the data that
    the rollback does not restore, or None if there is no rollback. `back` are the errors of the
    rollback itself. `lost_later` is data that was written after the migration and that the rollback
    changes. `back_later` are the errors of the rollback that this data causes. `stand_in` names the
    server if it is not of the kind that the project uses.
    """

    file: SchemaFile
    statements: tuple[Observed, ...] = ()
    failures: tuple[Diagnostic, ...] = ()
    on_rows: tuple[Diagnostic, ...] = ()
    broken: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    causes: Mapping[str, Span] = field(default_factory=dict)
    lost: tuple[str, ...] | None = None
    back: tuple[Diagnostic, ...] = field(default=())
    lost_later: tuple[str, ...] = ()
    back_later: tuple[Diagnostic, ...] = ()
    stand_in: str = ""


class SchemaFailsError(Exception):
    """Raised if the schema has errors even without the pending migrations."""

    def __init__(self, problems: Sequence[Diagnostic]) -> None:
        super().__init__(problems[0].message)
        self.problems = tuple(problems)


class Pending(Struct, frozen=True):
    """A migration to observe, and the file or section that rolls it back, if there is one.

    `in_block` means that the migration tool runs the migration in a transaction. `alone` means that
    the migration is a release of its own, so that the results of earlier migrations are already in
    use.
    """

    file: SchemaFile
    back: SchemaFile | None
    in_block: bool
    alone: bool = False
