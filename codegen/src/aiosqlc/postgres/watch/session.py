"""Run a migration's statements as a migration tool does; a second connection observes each one."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Self

from psycopg import pq

from aiosqlc.analysis.watched.modes import LONGEST_WAIT, Mode
from aiosqlc.analysis.watched.observed import Held, Observed, Relation
from aiosqlc.diagnostics import Diagnostic
from aiosqlc.ir import SchemaFile
from aiosqlc.parse.scanner import Kind, scan
from aiosqlc.postgres.lenient import without_effect
from aiosqlc.postgres.schema import apply_schema, schema_problem
from aiosqlc.postgres.watch import observer
from aiosqlc.servers.postgres.connection import Connection, ServerError, server_error
from aiosqlc.source import Span

_IN_A_BLOCK = "25001"  # active_sql_transaction
_NEW_LABEL = "55P04"  # unsafe_new_enum_value_usage
# Invalid_transaction_termination, raised by a procedure or DO block that commits.
_COMMITS = "2D000"
_NEED_NO_BLOCK = frozenset({_IN_A_BLOCK, _NEW_LABEL, _COMMITS})
_NONE = observer.Counts()
_PATIENCE = 30.0  # longest run time, in seconds, of a statement outside a transaction
_POLL = 0.002
_I = re.IGNORECASE
_OPENS = re.compile(r"(?:begin|start\s+transaction)\b", _I)
_CLOSES = re.compile(r"(?:commit|end|rollback)\b(?!\s+(?:to|prepared)\b)", re.IGNORECASE)
_CHANGES = frozenset({"UPDATE", "DELETE", "MERGE", "WITH", "DO", "CALL"})
_QUERIES = _CHANGES | {"INSERT", "SELECT"}
_ROWS = frozenset({"22", "23"})  # classes of SQLSTATE: data exceptions, and violated constraints
# Full scans are counted apart from index scans, so that a validation is not hidden by an index.
# Usable indexes are used even if the table is small here.
_SCANS = (
    "reset enable_seqscan; set enable_indexscan = off; set enable_indexonlyscan = off;"
    " set enable_bitmapscan = off"
)
_LOOKS_UP = (
    "set enable_seqscan = off; reset enable_indexscan; reset enable_indexonlyscan;"
    " reset enable_bitmapscan"
)
_LIMIT = "select extract(epoch from current_setting('lock_timeout')::interval)"
# The production server's time zone is unknown, so the test uses one other than UTC.
ZONE = "set timezone = 'Asia/Kathmandu'"


class RowsRefuseError(Exception):
    """Raised if a statement fails on rows that the previous schema allows."""

    def __init__(self, problem: Diagnostic) -> None:
        super().__init__(problem.message)
        self.problem = problem


@dataclass
class Watching:
    """A database in which a migration runs, and a second connection that observes it.

    `existing` are the relations that existed before the release, and that queries may use. `filled`
    means that rows were inserted into the tables. This is a context manager.
    """

    acting: Connection
    existing: Mapping[int, Relation]
    own_server: bool
    filled: bool
    poll: float = _POLL  # seconds between observations of a statement outside a transaction
    failures: list[Diagnostic] = field(default_factory=list)
    _stack: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> Self:
        self._looking = self._stack.enter_context(self.acting.another())
        self._since: dict[tuple[int, Mode], Span] = {}
        self._session = self.acting.pg.backend_pid
        self.acting.run(ZONE)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def run(self, file: SchemaFile, *, in_block: bool) -> list[Observed]:
        """Run a file, and return the observed locks and effects of each statement.

        Raise `RowsRefuseError` if a statement fails only because of rows.
        """
        found = []
        self._block(opened=in_block)
        for span in file.statements:
            sql = file.sql[span.start : span.end]
            head = sql.lstrip()
            if _OPENS.match(head):
                self._block(opened=True)
            elif _CLOSES.match(head):
                self._block(opened=False)
            elif not without_effect(sql):
                found.append(self._statement(file, span, sql))
        problem = self._end()
        if problem is not None:
            self._refused(file, file.statements[-1], problem)
        self.acting.run(f"reset all; {ZONE}")
        return found

    def _block(self, *, opened: bool) -> None:
        if self.acting.in_transaction != opened:
            self._end()
            if opened:
                self.acting.run("begin")

    def _end(self) -> ServerError | None:
        """Commit the transaction, which releases its locks; return the error, if any."""
        self._since.clear()
        return self.acting.run("commit") if self.acting.in_transaction else None

    def _refused(self, file: SchemaFile, span: Span, error: ServerError) -> None:
        problem = schema_problem(file, span, error)
        if self.filled and error.state[:2] in _ROWS:
            raise RowsRefuseError(problem)
        self.failures.append(problem)

    def _statement(self, file: SchemaFile, span: Span, sql: str) -> Observed:
        in_block = self.acting.in_transaction
        self.acting.run("savepoint watched" if in_block else "begin")
        seen = self._watched(file, span, sql)
        if isinstance(seen, Observed):
            if in_block:
                self.acting.run("release watched")
            elif error := self._end():
                self._refused(file, span, error)
            return seen
        self.acting.run("rollback to watched" if in_block else "rollback")
        if seen.state in _NEED_NO_BLOCK:
            self._end()
            refused = seen.message if in_block else ""
            alone = self._alone(file, span, sql, refused)
        else:
            self._end()
            alone = self._leniently(file, span, seen)
        self._block(opened=in_block)
        return alone

    def _watched(self, file: SchemaFile, span: Span, sql: str) -> Observed | ServerError:
        """Run a statement in the open transaction; return its locks and effects, or its error."""
        acting = self.acting
        word = first_word(sql)
        before, read = observer.files(acting), observer.counts(acting)
        acting.run(_LOOKS_UP if word in _QUERIES else _SCANS)
        error = acting.run(sql)
        if error is not None:
            return error
        held = self._held(span)
        after, reads = observer.files(acting), observer.counts(acting)
        done = {oid: count.since(read.get(oid, _NONE)) for oid, count in reads.items()}
        patience = self._patience()
        # TRUNCATE assigns a new file to the table and rebuilds its indexes, all of them empty.
        emptied = word == "TRUNCATE"
        replaced = set() if emptied else _replaced(before, after)
        whole = set() if emptied else {oid for oid, count in done.items() if count.scans}
        copied = {oid for oid in replaced if before[oid][0] == oid}
        indexed = (whole & _indexed(before, after, replaced)) - copied
        writing = {item.relation.oid for item in held if item.mode is Mode.ROW_EXCLUSIVE}
        changed = whole & writing if word in _CHANGES else set()
        return Observed(
            file,
            span,
            held,
            rewritten=self._named(copied),
            indexed=self._named(indexed),
            scanned=self._named(whole - copied - indexed - changed),
            changed=self._named(changed),
            kept=self._named({oid for oid in changed if self._mostly(oid, done[oid], sql)}),
            patience=patience,
        )

    def _mostly(self, table: int, done: observer.Counts, sql: str) -> bool:
        """Return whether a statement changed most rows of a table.

        If the table is empty, the text of the statement decides.
        """
        if table not in self.existing:
            return False
        named = self._sql_name(table)
        ((count,),) = self.acting.rows(f"select count(*) from only {named}")  # noqa: S608 - the server's own name
        rows = int(str(count)) + done.deleted
        return 2 * done.changed >= rows if rows else not re.search(r"\bwhere\b", sql, _I)

    def _sql_name(self, table: int) -> str:
        ((name,),) = self.acting.rows("select $1::oid::regclass::text", (str(table),))
        return str(name)

    def _held(self, span: Span) -> tuple[Held, ...]:
        """Return the session's locks on existing relations, and which statement acquired each."""
        found = []
        for oid, mode in observer.locks(self._looking, self._session):
            if oid in self.existing:
                since = self._since.setdefault((oid, mode), span)
                found.append(Held(self.existing[oid], mode, since))
        return tuple(sorted(found, key=lambda held: (-held.mode, held.relation.name)))

    def _named(self, oids: set[int]) -> tuple[str, ...]:
        return tuple(sorted({self.existing[oid].table for oid in oids if oid in self.existing}))

    def _leniently(self, file: SchemaFile, span: Span, error: ServerError) -> Observed:
        """Run a refused statement as the schema analysis does, which replaces unsupported syntax.

        If they fail too, report a failure.
        """
        if self.filled and error.state[:2] in _ROWS:
            raise RowsRefuseError(schema_problem(file, span, error))
        one = SchemaFile(file.file, file.sql, (span,), file.transactional)
        applied = apply_schema(self.acting, [one], (), own_server=self.own_server)
        self.acting.run(ZONE)
        self.failures += [failure.problem for failure in applied.failures]
        return Observed(file, span, unwatched=error.message)

    def _alone(self, file: SchemaFile, span: Span, sql: str, refused: str) -> Observed:
        """Run a statement outside a transaction, and observe its locks while it waits for a lock.

        The other session holds a lock that allows reads and writes but blocks schema changes. So
        even a short statement waits, and is observed at its first lock.
        """
        before = observer.files(self.acting)
        patience = self._patience()
        seen: set[tuple[int, Mode]] = set()
        with self.acting.another() as holder:
            tables = observer.tables(holder)
            holder.run("begin")
            if tables:
                holder.run(f"lock table {', '.join(tables)} in share update exclusive mode")
            self.acting.pg.send_query(sql.encode())
            deadline, released = time.monotonic() + _PATIENCE, False
            while self._busy() and time.monotonic() < deadline:
                now = observer.locks(self._looking, self._session)
                seen |= set(now)
                if not released and not all(now.values()):
                    holder.run("rollback")
                    released = True
                time.sleep(self.poll)
        error = self._answer()
        if error is not None:
            self._refused(file, span, error)
        after = observer.files(self.acting)
        replaced = _replaced(before, after)
        copied = {oid for oid in replaced if before[oid][0] == oid}
        # The CONCURRENTLY forms drop an index that no query can still use.
        held = tuple(
            Held(self.existing[oid], mode, span)
            for oid, mode in seen
            if oid in self.existing and not (self.existing[oid].is_index and oid not in after)
        )
        return Observed(
            file,
            span,
            tuple(sorted(held, key=lambda item: (-item.mode, item.relation.name))),
            rewritten=self._named(copied),
            indexed=self._named(_indexed(before, after, replaced) - copied),
            lone=True,
            refused_in_block=refused,
            patience=patience,
        )

    def _patience(self) -> bool:
        """Return whether the session limits its wait for a lock to less than `LONGEST_WAIT`."""
        ((seconds,),) = self.acting.rows(_LIMIT)
        return 0 < float(seconds or 0) < LONGEST_WAIT

    def _busy(self) -> bool:
        self.acting.pg.consume_input()
        return bool(self.acting.pg.is_busy())

    def _answer(self) -> ServerError | None:
        """Wait until the statement that was sent has ended, and return its error, if any."""
        error = None
        while (result := self.acting.pg.get_result()) is not None:
            if result.status == pq.ExecStatus.FATAL_ERROR:
                error = error or server_error(result)
        return error


_Files = Mapping[int, tuple[int, int]]


def _replaced(before: _Files, after: _Files) -> set[int]:
    """Return the tables and indexes that were rewritten, which have another file afterwards."""
    return {oid for oid, (_, node) in before.items() if oid in after and after[oid][1] != node}


def _indexed(before: _Files, after: _Files, replaced: set[int]) -> set[int]:
    """Return the tables on which an index was built."""
    made = {table for oid, (table, _) in after.items() if oid not in before and table != oid}
    return made | {before[oid][0] for oid in replaced if before[oid][0] != oid}


def first_word(sql: str) -> str:
    """Return the verb of a statement in upper case."""
    for token in scan(sql):
        if token.kind is not Kind.COMMENT:
            return token.text.upper()
    return ""
