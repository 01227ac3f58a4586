"""Runs scripts on a server and compares, at each statement, what is claimed with what comes."""

from __future__ import annotations

import re
import traceback
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from aiosqlc.postgres.catalog.bodies import look_into_bodies
from aiosqlc.postgres.catalog.facts import Facts, load_facts
from aiosqlc.postgres.describe import Described, describe, prepare_session
from aiosqlc.postgres.server.connection import Connection, ConnectionFailedError, ServerError
from aiosqlc.postgres.server.embedded import Server
from aiosqlc.postgres.typed import Typist
from aiosqlc.postgres.written import Fingerprint, Starred, write_stars
from aiosqlc.stages import TypedQuery
from psycopg import pq

from tests.codegen.proofs.judge import denied, parsed, seen_in
from tests.codegen.regress.script import Statement, statements
from tests.codegen.regress.suite import ROWS

_RETURNS_ROWS = re.compile(
    r"\s*\(*\s*(?:select|with|values|table|insert|update|delete|merge)\b", re.IGNORECASE
)
_CHANGES_NO_FACTS = re.compile(
    r"\s*\(*\s*(?:select|values|table|insert|update|delete|merge|explain|show)\b", re.IGNORECASE
)
_ANSWERED = (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK)
_DATABASE = "regression"


@dataclass
class Verdicts:
    """What a run has seen. `false` names each claim that rows refuted, with its place."""

    asked: int = 0
    judged: int = 0
    columns: int = 0
    claimed: int = 0
    never_null: int = 0
    unlike: list[str] = field(default_factory=list)
    false: list[str] = field(default_factory=list)
    internal: list[str] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)

    def report(self) -> str:
        """Say it in a few lines."""
        recall = self.claimed / self.never_null if self.never_null else 1.0
        lines = [
            f"{self.asked} statements that return rows, {self.judged} judged",
            f"{self.columns} columns, {self.never_null} never NULL: {recall:.1%} of these claimed",
            f"FALSE CLAIMS: {len(self.false)}",
            *self.false,
            f"WRITTEN UNLIKE: {len(self.unlike)}",
            *self.unlike,
            f"internal errors: {len(self.internal)}",
            *self.internal,
            f"refused, though the server takes them: {self.refused.total()}",
            *(f"  {count} x {cause}" for cause, count in self.refused.most_common(20)),
        ]
        return "\n".join(lines)


def judge(server: Server, scripts: Iterable[Path], verdicts: Verdicts) -> None:
    """Run scripts one after the other in one database, as the suite does."""
    with Connection(server.admin) as admin:
        admin.run(f"drop database if exists {_DATABASE} with (force)")
        admin.run(f"create database {_DATABASE} template template0")
    for script in scripts:
        session = _Session(server, script.stem, verdicts)
        for statement in statements(script.read_text("utf-8", "replace")):
            session.run(statement)
        if script.stem == "test_setup":
            for sql in ROWS:
                session.run(Statement(sql, 0))
        session.connection.close()


class _Session:
    """One script's connection, and what is known of the database at this point of it."""

    def __init__(self, server: Server, name: str, verdicts: Verdicts) -> None:
        self._server, self._name, self._verdicts = server, name, verdicts
        self._facts: Facts | None = None
        self.connection = self._connect()

    def _connect(self) -> Connection:
        connection = Connection(self._server.conninfo(_DATABASE))
        prepare_session(connection)
        connection.run("set statement_timeout = '20s'")
        return connection

    def run(self, statement: Statement) -> None:
        """Run a statement as the script has it; before, ask what is claimed of it."""
        if not statement.sql:
            self.connection.close()
            self.connection, self._facts = self._connect(), None
            return
        claimed: TypedQuery | ServerError | None = None
        try:
            if _RETURNS_ROWS.match(statement.sql):
                claimed = self._ask(statement)
            result = self.connection.execute(
                claimed.sql if isinstance(claimed, TypedQuery) else statement.sql
            )
            if result.status == pq.ExecStatus.COPY_IN:
                self.connection.pg.put_copy_data(statement.data)
                self.connection.pg.put_copy_end()
                while self.connection.pg.get_result() is not None:
                    pass
        except ConnectionFailedError:
            self.connection, self._facts = self._connect(), None
            return
        if not _CHANGES_NO_FACTS.match(statement.sql) or result.status not in _ANSWERED:
            self._facts = None
        self._compare(statement, claimed, result)

    def _ask(self, statement: Statement) -> TypedQuery | ServerError | None:
        pg = self.connection.pg
        if pg.transaction_status == pq.TransactionStatus.INERROR:
            return None
        inside = pg.transaction_status == pq.TransactionStatus.INTRANS
        if inside:
            self.connection.run("savepoint judge")
        try:
            return self._claims(statement)
        except (RuntimeError, ConnectionFailedError):
            return None  # this role may not read the catalog
        except Exception:  # whatever it is: nothing that a server takes may break us
            self._verdicts.internal.append(f"{self._place(statement)}\n{traceback.format_exc()}")
            return None
        finally:
            if inside:
                self.connection.run("rollback to savepoint judge")
                self.connection.run("release savepoint judge")

    def _claims(self, statement: Statement) -> TypedQuery | ServerError:
        self._verdicts.asked += 1
        if self._facts is None:
            facts = load_facts(self.connection)
            look_into_bodies(self.connection, facts)
            self._facts = facts
        self.connection.run("set client_min_messages = log")
        self.connection.run("set debug_print_rewritten = on")
        [answer] = describe(self.connection, [statement.sql])
        if not isinstance(answer, Described):
            return answer
        judged = Typist(self._facts).type_query(parsed(statement.sql, "Q"), answer)
        if judged.failure:
            self._verdicts.internal.append(f"{self._place(statement)}: {judged.failure}")
        stars = judged.stars[0] if judged.stars else ()
        starred = [Starred(0, 0, statement.sql, stars, Fingerprint.of(answer))] if stars else []
        [written], _ = write_stars(self.connection, [judged.query], starred)
        return written

    def _compare(
        self,
        statement: Statement,
        claimed: TypedQuery | ServerError | None,
        result: pq.abc.PGresult,
    ) -> None:
        verdicts = self._verdicts
        if result.status not in _ANSWERED or claimed is None:
            return
        if isinstance(claimed, ServerError):
            verdicts.refused[claimed.message] += 1
            return
        if result.nfields != len(claimed.columns):
            verdicts.unlike.append(f"{self._place(statement)}: {claimed.sql}")
            return
        verdicts.judged += 1
        if not claimed.columns:
            return
        seen = seen_in(claimed, result)
        verdicts.columns += len(claimed.columns)
        verdicts.claimed += sum(column.not_null for column in claimed.columns)
        verdicts.never_null += sum(f"NULL in {c.name}" not in seen for c in claimed.columns)
        verdicts.false += [
            f"{self._place(statement)}: {fact}: {' '.join(claimed.sql.split())}"
            for fact in sorted(seen & denied(claimed))
        ]

    def _place(self, statement: Statement) -> str:
        return f"{self._name}:{statement.line}"
