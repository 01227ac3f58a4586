"""Run a migration's statements as a migration tool does, and observe which tables each locks."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from time import monotonic
from typing import Final

import pymysql
from msgspec import Struct, field
from msgspec.structs import replace

from aiosqlc.analysis.watched.modes import LONGEST_WAIT, TableLock
from aiosqlc.analysis.watched.observed import Held, Observed, Relation
from aiosqlc.diagnostics import Diagnostic
from aiosqlc.ir import SchemaFile
from aiosqlc.mysql.catalog import read_schema
from aiosqlc.mysql.errors import code_of
from aiosqlc.mysql.rights import needs
from aiosqlc.mysql.schema import located
from aiosqlc.mysql.watch.asked import Way, change
from aiosqlc.mysql.watch.clauses import (
    OwnSettings,
    locked,
    outer_words,
    own_settings,
    rebuilds,
    wait_limit,
    without_wait,
)
from aiosqlc.mysql.watch.contents import quoted
from aiosqlc.mysql.watch.rows import changed, copies, works_in_batches
from aiosqlc.mysql.watch.sources import copied_sources
from aiosqlc.parse.scanner import Kind, Token, code_tokens, first_word, unquote
from aiosqlc.servers.mysql.databases import MARK
from aiosqlc.servers.mysql.session import Session
from aiosqlc.source import Dialect, Span

_TIMED_OUT: Final = 1205  # ER_LOCK_WAIT_TIMEOUT
# Errors that only rows cause: NULL, duplicates, values out of range or too long, missing parents,
# violated checks.
_ROWS: Final = frozenset(
    {1022, 1048, 1062, 1138, 1264, 1265, 1292, 1366, 1406, 1451, 1452, 1586, 3819, 4025}
)
_CHANGES: Final = frozenset({"INSERT", "REPLACE", "UPDATE", "DELETE", "WITH"})
_PASSIVE: Final = frozenset({"SET", "SELECT", "BEGIN", "START", "COMMIT", "ROLLBACK", "DEALLOCATE"})
_PREPARE: Final = re.compile(
    r"prepare\s+(?P<name>\S+)\s+from\s+(?P<text>.+)", re.IGNORECASE | re.DOTALL
)
_EXECUTE: Final = re.compile(r"execute\s+(?P<name>[^\s;]+)\s*$", re.IGNORECASE)
_IMMEDIATE: Final = re.compile(r"execute\s+immediate\b\s*(?P<text>.+)", re.IGNORECASE | re.DOTALL)
_OPAQUE: Final = frozenset({"CALL", "EXECUTE"})  # statements that do not name their tables
_TABLE_FOLLOWS: Final = frozenset({"TABLE", "ON", "REFERENCES"})
_SERVERS_OWN: Final = 5.0  # seconds in which the server's own threads let a table go
_MOST_PROBED: Final = 8
_SHOWN: Final = {"SHARED": TableLock.SHARED, "EXCLUSIVE": TableLock.EXCLUSIVE}


class RowsRefuseError(Exception):
    """Raised if a statement fails on rows that the previous schema allows."""

    def __init__(self, problem: Diagnostic) -> None:
        super().__init__(problem.message)
        self.problem = problem


class Watching(Struct):
    """A database in which a migration runs, and a second session whose reads can block it.

    `existing` are the tables in use, which existed before the release. `filled` means that rows
    were inserted into the tables.
    """

    acting: Session
    reading: Session
    database: str
    existing: Mapping[str, Relation]
    filled: bool
    failures: list[Diagnostic] = field(default_factory=list)
    _locked: tuple[Held, ...] = ()  # by LOCK TABLES
    _prepared: dict[str, str] = field(default_factory=dict)

    def run(self, file: SchemaFile) -> list[Observed]:
        """Run a file; return for each statement its locks, copies and other observed effects.

        Raise `RowsRefuseError` if a statement fails only because of rows.
        """
        found = []
        self.reading.run("SET SESSION lock_wait_timeout = 1")
        try:
            for span in file.statements:
                try:
                    found.append(self._statement(file, span, file.sql[span.start : span.end]))
                except pymysql.MySQLError as error:
                    problem = located(self.acting, file, span, error, self.database)
                    if self.filled and code_of(error) in _ROWS:
                        raise RowsRefuseError(problem) from None
                    self.failures.append(problem)
                    break  # MySQL keeps what the earlier statements did, and tools stop here
        finally:
            self.acting.restore()
        return found

    def _statement(self, file: SchemaFile, span: Span, text: str) -> Observed:
        sql = self._executed(text.strip())
        if own := own_settings(sql):
            with self._set(own):
                return self._statement(file, span, own.statement)
        word = first_word(sql)
        if word in _PASSIVE | {"PREPARE", "LOCK", "UNLOCK"}:
            self.acting.run(sql)
            self._remember(span, sql, word)
            return Observed(file, span, self._locked, patience=self._patience(sql))
        if word in _CHANGES:
            return self._rows(file, span, sql)
        # OPTIMIZE TABLE has no clauses, and returns its errors as rows.
        parts = [self._schema(file, span, part, word) for part in rebuilds(sql)]
        return _together(parts) if parts else self._schema(file, span, sql, word)

    @contextmanager
    def _set(self, own: OwnSettings) -> Iterator[None]:
        """Give the session the settings of a SET STATEMENT while the block runs.

        The statement then stands alone, so that clauses can be added to it.
        """
        self.acting.run(f"SET STATEMENT {own.text} FOR DO 0")  # the server refuses some settings
        names = [f"@@SESSION.{name}" for name in own.names]
        (before,) = self.acting.rows(f"SELECT {', '.join(names)}")
        self.acting.run(f"SET SESSION {own.text}")
        try:
            yield
        finally:
            self.acting.rows(f"SET {', '.join(f'{name} = %s' for name in names)}", *before)

    def _executed(self, sql: str) -> str:
        """Return the text that an EXECUTE runs, or `sql` itself for any other statement."""
        if (found := _IMMEDIATE.match(sql)) and self.acting.is_mariadb:
            with suppress(pymysql.MySQLError):  # it has parameters, or the server refuses it
                ((text,),) = self.acting.rows(f"SELECT {found['text']}")
                return sql if text is None else str(text)
        if found := _EXECUTE.match(sql):
            return self._prepared.get(found["name"].lower(), sql)
        return sql

    def _remember(self, span: Span, sql: str, word: str) -> None:
        """Record the text of each PREPARE by its name, and the tables that LOCK TABLES locks."""
        if word == "PREPARE" and (found := _PREPARE.match(sql.strip())):
            ((text,),) = self.acting.rows(f"SELECT {found['text']}")
            self._prepared[found["name"].lower()] = str(text)
        if word == "LOCK":
            modes = locked(sql)
            tables = {name: name.lower() for name in self.existing if name.lower() in modes}
            self._locked = tuple(
                Held(self.existing[name], modes[lower], span) for name, lower in tables.items()
            )
        if word in {"UNLOCK", "BEGIN", "START"}:  # a new transaction releases the locks
            self._locked = ()

    def _schema(self, file: SchemaFile, span: Span, sql: str, word: str) -> Observed:
        """Run a change of the schema, and observe its locks, copies and new indexes."""
        patience = self._patience(sql)
        before, indexes = self._files(), self._indexes()
        sources = self._known(copied_sources(self.acting, sql))
        rows = copies(self.acting, self._known(self._tables())) if word in _OPAQUE else {}
        batches = bool(rows) and works_in_batches(self.acting, sql)
        way, brief = (change(self.acting, sql), []) if word in _OPAQUE else self._probed(sql)
        after = self._files()
        # TRUNCATE replaces a table by an empty one.
        rewritten = set() if word == "TRUNCATE" else _rewritten(before, after)
        if way.algorithm == "COPY":
            rewritten |= set(brief[:1])
        grown = {number for number, _ in self._indexes() - indexes}
        built = {table for table, numbers in before.items() if numbers & grown}
        assumed = rewritten
        if word in _OPAQUE:
            assumed = rewritten | built
            brief = list(self._known(assumed))
        for table in rewritten:
            rows.pop(table, None)
        counts = {} if batches else changed(self.acting, rows)
        kept = tuple(t for t, count in counts.items() if count and 2 * count >= len(rows[t].rows))
        # Without the clause, a copied table can be read but not written.
        unasked = assumed and way.algorithm in {"", "COPY"}
        lock = _SHOWN.get(way.lock or ("SHARED" if unasked else ""))
        held = [] if lock is None else [t for t in brief if t in rewritten | built]
        return Observed(
            file,
            span,
            (
                *(Held(self.existing[table], lock, span) for table in held if lock is not None),
                *(Held(self.existing[table], TableLock.ROWS, span) for table in sources),
                *self._locked,
            ),
            tuple(Held(self.existing[table], TableLock.EXCLUSIVE, span) for table in brief),
            rewritten=self._known(rewritten),
            indexed=self._known(built - rewritten),
            scanned=sources,
            changed=kept,
            kept=kept,
            patience=patience,
        )

    def _probed(self, sql: str) -> tuple[Way, list[str]]:
        """Run a statement.

        Return how the server ran it, and the tables on which readers blocked it.
        """
        brief: list[str] = []
        for table in self._mentioned(sql):
            with self._read(table), self._impatient():
                try:
                    return change(self.acting, without_wait(sql)), brief
                except pymysql.MySQLError as error:
                    if code_of(error) != _TIMED_OUT:
                        raise
                    brief.append(table)
        return self._alone(sql), brief

    def _alone(self, sql: str) -> Way:
        """Run a statement while no table is read, and return the algorithm and lock.

        The statement waits for locks and is repeated, because the server's own threads briefly lock
        tables.
        """
        deadline = monotonic() + _SERVERS_OWN
        while True:
            try:
                return change(self.acting, sql)
            except pymysql.MySQLError as error:
                if code_of(error) != _TIMED_OUT or monotonic() > deadline:
                    raise

    def _mentioned(self, sql: str) -> list[str]:
        """Return the existing tables that a statement names; the one that it changes is first."""
        names = list(dict.fromkeys(_names(sql)))
        known = {name.lower(): name for name in self.existing if name in self._tables()}
        return [known[name] for name in names if name in known][:_MOST_PROBED]

    @contextmanager
    def _read(self, table: str) -> Iterator[None]:
        """Read a table in the other session, and keep its transaction open during the block.

        A table that LOCK TABLES has locked cannot be read.
        """
        self.reading.run("BEGIN")
        try:
            with suppress(pymysql.OperationalError):
                self.reading.rows(f"SELECT 1 FROM {quoted(table)} LIMIT 0")  # noqa: S608 - a quoted name
            yield
        finally:
            self.reading.run("ROLLBACK")

    @contextmanager
    def _impatient(self) -> Iterator[None]:
        """Make statements in the block fail if they would have to wait for a lock."""
        ((timeout,),) = self.acting.rows("SELECT @@SESSION.lock_wait_timeout")
        shortest = 0 if self.acting.is_mariadb else 1  # seconds
        self.acting.run(f"SET SESSION lock_wait_timeout = {shortest}")
        try:
            yield
        finally:
            self.acting.run(f"SET SESSION lock_wait_timeout = {timeout}")

    def _rows(self, file: SchemaFile, span: Span, sql: str) -> Observed:
        """Run a change of rows, and find out whether it locks most rows of a table."""
        tables = [one.table for one in read_schema(self.acting, self.database).relations]
        rights = needs(tables, [sql]).rights
        found = {r.name for r in rights if r.privilege in {"UPDATE", "DELETE"}}
        found &= self.existing.keys()
        sizes = {table: self._count(table) for table in found}
        sources = self._known(copied_sources(self.acting, sql))
        with self.acting.connection.cursor() as cursor:
            count = cursor.execute(sql)
        bare = "WHERE" not in outer_words(sql)
        inserts = first_word(sql) in {"INSERT", "REPLACE"}
        # A replaced row counts twice, and a new row once.
        counts = {
            table: (count - (self._count(table) - rows)) // 2 if inserts else count
            for table, rows in sizes.items()
        }
        kept = {
            t
            for t, rows in sizes.items()
            if (2 * counts[t] >= rows if rows else bare and not inserts)
        }
        found = kept if inserts else found
        return Observed(
            file,
            span,
            (
                *self._locked,
                *(Held(self.existing[table], TableLock.ROWS, span) for table in sources),
            ),
            scanned=sources,
            changed=tuple(sorted(found)),
            kept=tuple(sorted(kept)),
        )

    def _count(self, table: str) -> int:
        ((count,),) = self.acting.rows(f"SELECT count(*) FROM {quoted(table)}")  # noqa: S608 - a quoted name
        return int(count)

    def _tables(self) -> set[str]:
        return {row[0] for row in self.acting.rows("SHOW TABLES")}

    def _files(self) -> dict[str, frozenset[int]]:
        """Return each table's InnoDB numbers, one per partition; a copied table has new numbers."""
        source = "innodb_sys_tables" if self.acting.is_mariadb else "innodb_tables"
        found: dict[str, frozenset[int]] = {}
        for name, number in self.acting.rows(
            f"SELECT name, table_id FROM information_schema.{source} WHERE name LIKE %s",  # noqa: S608 - one of two names
            self.database.replace("_", "\\_") + "/%",
        ):
            table = re.split(r"#p#", str(name).partition("/")[2], flags=re.IGNORECASE)[0]
            if "@" in table:  # InnoDB encodes names as the server encodes the names of files
                ((table,),) = self.acting.rows("SELECT CONVERT(_filename %s USING utf8mb4)", table)
            found[table] = found.get(table, frozenset()) | {int(number)}
        return found

    def _indexes(self) -> set[tuple[int, int]]:
        """Return the InnoDB IDs of each index: the table's ID and the index's ID.

        A renamed index keeps its ID. A new index has a new ID, even if it has the name of a former
        index.
        """
        tables, indexes = (
            ("innodb_sys_tables", "innodb_sys_indexes")
            if self.acting.is_mariadb
            else ("innodb_tables", "innodb_indexes")
        )
        rows = self.acting.rows(
            f"SELECT i.table_id, i.index_id FROM information_schema.{indexes} i"  # noqa: S608 - one of two names
            f" JOIN information_schema.{tables} t ON t.table_id = i.table_id WHERE t.name LIKE %s",
            self.database.replace("_", "\\_") + "/%",
        )
        return {(int(table), int(index)) for table, index in rows}

    def _known(self, tables: set[str]) -> tuple[str, ...]:
        return tuple(sorted(tables & self.existing.keys()))

    def _patience(self, sql: str) -> bool:
        limit = wait_limit(sql)
        if limit is None:
            ((timeout,),) = self.acting.rows("SELECT @@SESSION.lock_wait_timeout")
            limit = int(timeout)
        return limit < LONGEST_WAIT


def _together(parts: Sequence[Observed]) -> Observed:
    """Merge the observations of the changes that one statement makes.

    If some of the changes block reads or writes, only the tables that these changes copy are kept.
    """
    waiting = [part for part in parts if part.stopping] or parts
    return replace(
        parts[0],
        held=tuple(dict.fromkeys(held for part in parts for held in part.held)),
        brief=tuple(dict.fromkeys(held for part in parts for held in part.brief)),
        rewritten=tuple(name for part in waiting for name in part.rewritten),
    )


def tables_in(session: Session) -> dict[str, Relation]:
    """Return the tables of a database by name."""
    rows = session.rows("SHOW FULL TABLES WHERE table_type IN ('BASE TABLE', 'SYSTEM VERSIONED')")
    names = [str(name) for name, _ in rows if name != MARK]
    return {name: Relation(number, name, name) for number, name in enumerate(names)}


def _rewritten(
    before: Mapping[str, frozenset[int]], after: Mapping[str, frozenset[int]]
) -> set[str]:
    """Return the tables whose InnoDB numbers are not the same as before: these were copied."""
    everything = frozenset[int]().union(*after.values(), frozenset())
    known = frozenset[int]().union(*before.values(), frozenset())
    return {
        table
        for table, numbers in before.items()
        if numbers - everything and after.get(table, frozenset()) - known
    }


def _names(sql: str) -> Iterator[str]:
    """Yield the words of a statement in lower case, first those after TABLE, ON or REFERENCES.

    Only the first ones name tables. An index, constraint or trigger may have the name of a table.
    """
    tokens = code_tokens(sql, Dialect.MYSQL)
    names = [at for at, token in enumerate(tokens) if token.kind in {Kind.NAME, Kind.QUOTED}]
    for at in sorted(names, key=lambda at: _before_name(tokens, at) not in _TABLE_FOLLOWS):
        yield unquote(tokens[at]).lower()


def _before_name(tokens: Sequence[Token], at: int) -> str:
    """Return the word before a table's name; skip the database (`db.`) and IF EXISTS."""
    while at >= 2 and tokens[at - 1].text == ".":
        at -= 2
    while at >= 1 and tokens[at - 1].text.upper() in {"IF", "NOT", "EXISTS"}:
        at -= 1
    return tokens[at - 1].text.upper() if at else ""
