"""Run scripts on a MariaDB and compare the claims about each statement with its result."""

from __future__ import annotations

import contextlib
import re
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import pymysql
from aiosqlc.diagnostics import Diagnostic
from aiosqlc.ir import TypedQuery
from aiosqlc.mysql import types
from aiosqlc.mysql.analyzer import AnalysisContext, type_one
from aiosqlc.mysql.catalog import read_schema
from aiosqlc.mysql.executable import kin_of
from aiosqlc.mysql.relations import Schema
from aiosqlc.servers.mysql.session import SQL_MODE, SYSTEM, Session, _warm, open_session
from aiosqlc.servers.private import NoServerError

from tests.fuzz_mysql.refuted import mistyped, refuted
from tests.proofs.judge import parsed
from tests.regress_mysql.script import Step, steps

_COMMENT = r"(?:\s|\(|/\*(?!!|M!).*?\*/)*"
_RETURNS_ROWS = re.compile(
    rf"{_COMMENT}(?:(?:select|with|values|table)\b|(?:insert|delete|replace)\b.*\breturning\b)",
    re.IGNORECASE | re.DOTALL,
)
_CHANGES_NO_FACTS = re.compile(
    rf"{_COMMENT}(?:select|with|values|insert|update|delete|replace|explain|analyze|show|set"
    r"|begin|start|commit|rollback|savepoint|flush|lock|unlock|desc|describe|check|optimize"
    r"|truncate|handler|fetch|open|close|kill|do|help|grant|revoke|cache|repair|checksum|xa)\b",
    re.IGNORECASE | re.DOTALL,
)
_TEMPORARY = re.compile(
    r"\s*create\s+(?:or\s+replace\s+)?temporary\s+(?:table|sequence)\s+(?:if\s+not\s+exists\s+)?"
    r"(?:`?\w+`?\.)?`?(\w+)`?",
    re.IGNORECASE,
)
# What would leave the server's folder, end it, or wait.
_LEFT_OUT = re.compile(
    r"\b(?:outfile|dumpfile|load_file|infile|shutdown|install|uninstall|kill|sleep|benchmark"
    r"|get_lock|release_all_locks|debug_sync|debug_dbug|debug|dbug|chained|master_pos_wait"
    r"|change\s+master|start\s+slave|stop\s+slave|\w*log_file|\w*_dir|\w*datadir|read_only"
    r"|secure_auth|old_passwords?|global_priv|directory|backup\s+stage|secure_\w+|init_\w+|connect_string|federated)\b",
    re.IGNORECASE,
)
_OTHER_MODES = {
    "ANSI_QUOTES", "PIPES_AS_CONCAT", "NO_BACKSLASH_ESCAPES", "IGNORE_SPACE", "HIGH_NOT_PRECEDENCE",
    "ORACLE", "EMPTY_STRING_IS_NULL", "NO_UNSIGNED_SUBTRACTION", "REAL_AS_FLOAT",
    "PAD_CHAR_TO_FULL_LENGTH", "TIME_ROUND_FRACTIONAL",
}  # fmt: skip
_STATE = "SELECT @@sql_mode, @@sql_select_limit, @@character_set_results, DATABASE() LIMIT 1"
_LIMITS = (
    "SET GLOBAL max_statement_time = 5",
    "SET GLOBAL lock_wait_timeout = 1",
    "SET GLOBAL innodb_lock_wait_timeout = 1",
    "SET GLOBAL default_storage_engine = MyISAM",
)
_OWN_TABLES = (
    "SELECT table_name, column_name, column_type FROM information_schema.columns"
    " WHERE table_schema = 'mysql' ORDER BY 1, 2"
)
_NAMES = re.compile(r"`[^`]+`|'[^']*'")
_LOST = {2006, 2013, 2014, 0}


@dataclass
class Verdicts:
    """The results of a run. `false` has each claim that rows disproved, with its place."""

    statements: int = 0
    dropped: int = 0
    asked: int = 0
    failed: int = 0
    unjudged: Counter[str] = field(default_factory=Counter)
    judged: int = 0
    columns: int = 0
    claimed: int = 0
    never_null: int = 0
    counted: int = 0
    false: list[str] = field(default_factory=list)
    internal: list[str] = field(default_factory=list)
    other_numbers: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    refusals: list[str] = field(default_factory=list)

    def add(self, other: Verdicts) -> None:
        """Add the results of another run."""
        for item in fields(self):
            setattr(self, item.name, getattr(self, item.name) + getattr(other, item.name))

    def line(self) -> str:
        """Return one line with the numbers."""
        return (
            f"{self.statements} statements, {self.asked} asked, {self.failed} fail,"
            f" {self.judged} judged, {self.columns} columns, {self.claimed}/{self.never_null}"
            f" claimed, {self.counted} counted, {len(self.false)} false,"
            f" {len(self.internal)} internal, {self.refused.total()} refused"
        )

    def report(self) -> str:
        """Return a summary in a few lines."""
        lines = [
            self.line(),
            f"dropped with mysqltest's own commands: {self.dropped}",
            f"not judged: {self.unjudged.total()}",
            *(f"  {count} x {cause}" for cause, count in self.unjudged.most_common()),
            f"FALSE CLAIMS: {len(self.false)}",
            *self.false,
            f"internal errors: {len(self.internal)}",
            *self.internal,
            f"rows with another number than 0 and 1 in a tinyint(1): {self.other_numbers}",
            f"refused, though the server takes them: {self.refused.total()}",
            *(f"  {count} x {cause}" for cause, count in self.refused.most_common(40)),
        ]
        return "\n".join(lines)


def judge(
    cache: Path, scripts: Iterable[Path], tell: Callable[[str], None] = lambda line: None
) -> Verdicts:
    """Run scripts one after the other, each in a new database; report a line for each."""
    total, servers = Verdicts(), _Servers(cache)
    for script in scripts:
        started, verdicts = time.monotonic(), Verdicts()
        try:
            text = script.read_text("utf-8")
        except UnicodeDecodeError:
            tell(f"{script.stem}: left out, it is not in UTF-8")
            continue
        try:
            run = _Script(servers.whole(), script.stem, verdicts)
        except pymysql.MySQLError:  # the script before has left a lock or worse
            run = _Script(servers.next(), script.stem, verdicts)
        try:
            for step in steps(text):
                verdicts.dropped += step is None
                if step is not None:
                    run.step(step)
        except Exception as error:  # a script may take anything away: the others go on
            verdicts.unjudged[f"the script ended: {type(error).__name__}"] += 1
        finally:
            run.close()
        total.add(verdicts)
        tell(f"{script.stem}: {verdicts.line()}, {time.monotonic() - started:.0f} s")
        for place in (*verdicts.false, *verdicts.internal, *verdicts.refusals):
            tell(place)
    servers.next()  # without the settings of scripts, for others in this process
    return total


class _Servers:
    """One server after the other, because a script may remove tables of the server itself."""

    def __init__(self, cache: Path) -> None:
        self._cache, self._number = cache, 0
        self._tables = self._own_tables()

    def whole(self) -> Path:
        """Return the folder of a server with all of its own tables: the last one, or a new one."""
        intact = self._own_tables() == self._tables
        return self._folder() if intact else self.next()

    def next(self) -> Path:
        """Stop the server and the holders of its locks; return the folder of a new one."""
        _warm.stop()
        self._number += 1
        return self._folder()

    def _folder(self) -> Path:
        return self._cache / str(self._number)

    def _own_tables(self) -> list[tuple[Any, ...]]:
        try:
            session = open_session(None, self._folder(), "mariadb")
        except NoServerError:  # a script has locked everybody out
            return []
        with session.connection, contextlib.suppress(pymysql.MySQLError):
            return session.rows(_OWN_TABLES)
        return []


class _Script:
    """One script's connections, and the facts about the databases at this point of the script."""

    def __init__(self, cache: Path, name: str, verdicts: Verdicts) -> None:
        self._cache, self._name, self._verdicts = cache, name, verdicts
        self._sessions: dict[str, Session] = {}
        self._schema: Schema | None = None
        self._schema_of = ""
        self._temporary: set[str] = set()
        first = self._open()
        self._clean(first)
        for limit in _LIMITS:
            first.run(limit)
        first.run("CREATE DATABASE test CHARACTER SET latin1")
        first.connection.close()
        self._use("default")

    def _open(self) -> Session:
        session = open_session(None, self._cache, "mariadb")
        session.connection._read_timeout = 30  # a statement may wait for ever
        return session

    def _clean(self, session: Session) -> None:
        session.run("SET foreign_key_checks = 0")
        for (name,) in session.rows("SHOW DATABASES"):
            if name not in SYSTEM:
                session.run(f"DROP DATABASE `{name.replace('`', '``')}`")

    def _use(self, name: str, database: str = "test") -> None:
        if name not in self._sessions:
            self._sessions[name] = session = self._open()
            with contextlib.suppress(pymysql.MySQLError):
                session.connection.select_db(database)
        self._session = self._sessions[name]

    def close(self) -> None:
        """Close all connections."""
        for session in self._sessions.values():
            with contextlib.suppress(pymysql.MySQLError):
                session.connection.close()

    def step(self, step: Step) -> None:
        """Analyse a step, and then run it as in the script."""
        if step.connection:
            if step.opens and step.opens[0] != "root":
                return
            self._use(step.connection, step.opens[1] if step.opens else "test")
            return
        self._verdicts.statements += 1
        if _LEFT_OUT.search(step.sql):
            self._verdicts.dropped += 1
            return
        temporary = _TEMPORARY.match(step.sql)
        if temporary:
            self._temporary.add(temporary[1].lower())
        try:
            if _RETURNS_ROWS.match(step.sql):
                self._judged(step)
            else:
                self._run(step.sql)
        except (pymysql.MySQLError, OSError) as error:
            if not self._session.connection.open or error.args[0] in _LOST:
                self.close()  # a crash: another server takes over; else nobody may keep a lock
                self._sessions.clear()
                self._schema = None
                self._reopen()
        if not _CHANGES_NO_FACTS.match(step.sql):
            self._schema = None

    def _reopen(self) -> None:
        self._verdicts.unjudged["the connection was lost"] += 1
        session = self._open()
        with contextlib.suppress(pymysql.MySQLError):
            session.run("CREATE DATABASE IF NOT EXISTS test CHARACTER SET latin1")
        session.connection.close()
        self._use("default")

    def _run(self, sql: str) -> list[tuple[Any, ...]] | None:
        """Run a statement and return its rows, or None if it returns none."""
        try:
            with self._session.connection.cursor() as cursor:
                cursor.execute(sql)
                return list(cursor.fetchall()) if cursor.description else None
        except (UnicodeError, ValueError, LookupError):  # rows that the driver cannot decode
            self._verdicts.unjudged["the driver cannot decode a row"] += 1
            return None

    def _judged(self, step: Step) -> None:
        mode, limit, shown, database = map(_text, self._session.rows(_STATE)[0])
        why = self._why_not(step.sql, mode, limit, database)
        if why:
            self._verdicts.unjudged[why] += 1
            self._run(step.sql)
            return
        self._session.run(f"SET sql_mode = '{SQL_MODE}', character_set_results = utf8mb4")
        try:
            claimed, problems = self._ask(step, database)
            rows = self._run(claimed.sql if claimed else step.sql)
        except pymysql.MySQLError:
            self._verdicts.failed += 1
            raise
        finally:
            with contextlib.suppress(pymysql.MySQLError):
                self._session.run(
                    f"SET sql_mode = '{mode}', character_set_results = {shown or 'NULL'}"
                )
        if claimed is not None and rows is not None:
            self._compare(step, claimed, rows)
        elif problems and rows is not None:
            cause = f"{problems[0].code} {problems[0].message}"
            sql = " ".join(step.sql.split())
            self._verdicts.refused[_NAMES.sub("`…`", cause)] += 1
            self._verdicts.refusals.append(f"{self._place(step)}: {cause}: {sql}")

    def _why_not(self, sql: str, mode: str, limit: str, database: str) -> str:
        if set(mode.split(",")) & _OTHER_MODES:
            return "another sql_mode reads it otherwise"
        if int(limit) < 2**63:
            return "sql_select_limit is set"
        if not database:
            return "no database"
        if self._temporary & {word.lower() for word in re.findall(r"\w+", sql)}:
            return "of a temporary table"
        return ""

    def _ask(self, step: Step, database: str) -> tuple[TypedQuery | None, list[Diagnostic]]:
        self._verdicts.asked += 1
        session = self._session
        try:
            if self._schema is None or self._schema_of != database:
                names = [name for (name,) in session.rows("SHOW DATABASES")]
                others = [name for name in names if name not in SYSTEM | {database}]
                self._schema = read_schema(session, database, others)
                self._schema_of = database
            asking = AnalysisContext(self._schema, session, database, kin=kin_of(session.version))
            return type_one(asking, parsed(step.sql, "Q"))
        except pymysql.MySQLError as error:
            if not session.connection.open or error.args[0] in _LOST:
                raise
            self._verdicts.unjudged[f"the catalog cannot be read: {error.args[-1]}"] += 1
        except Exception:  # whatever it is: nothing that a server takes may break us
            self._verdicts.internal.append(f"{self._place(step)}\n{traceback.format_exc()}")
        return None, []

    def _compare(self, step: Step, claimed: TypedQuery, rows: list[tuple[Any, ...]]) -> None:
        verdicts = self._verdicts
        verdicts.judged += 1
        nulls = {i for row in rows for i, value in enumerate(row) if value is None}
        verdicts.columns += len(claimed.columns)
        verdicts.claimed += sum(column.not_null for column in claimed.columns)
        verdicts.never_null += len(claimed.columns) - len(nulls)
        verdicts.counted += claimed.cardinality.at_most_one
        sql = " ".join(claimed.sql.split())
        found = refuted("server", sql, claimed, rows, nulls)
        bools = {i for i, c in enumerate(claimed.columns) if c.type == types.BOOL and c.origin}
        read = [_as_bools(row, bools) for row in rows]
        verdicts.other_numbers += sum(a != b for a, b in zip(read, rows, strict=True))
        found += mistyped(sql, claimed, read) if claimed.columns else []
        verdicts.false += [f"{self._place(step)}: {line}" for line in found]

    def _place(self, step: Step) -> str:
        return f"{self._name}:{step.line}"


def _as_bools(row: tuple[Any, ...], bools: set[int]) -> tuple[Any, ...]:
    """Convert columns declared `tinyint(1)` to false or true, as in the manual."""
    return tuple(
        int(value != 0) if i in bools and isinstance(value, int) else value
        for i, value in enumerate(row)
    )


def _text(value: object) -> str:
    """Return a setting as a text; it arrives as bytes if results have no character set."""
    if isinstance(value, bytes):
        return value.decode()
    return "" if value is None else str(value)
