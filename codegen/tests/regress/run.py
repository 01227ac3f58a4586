"""Run scripts on a server and compare the claims about each statement with its result."""

from __future__ import annotations

import re
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, fields
from pathlib import Path

from aiosqlc.ir import TypedQuery
from aiosqlc.layout.statement import LayoutStyle, lay_out
from aiosqlc.postgres.catalog.bodies import is_closed, look_into_bodies
from aiosqlc.postgres.catalog.facts import FIRST_USER_OID, Facts, load_facts
from aiosqlc.postgres.catalog.rows import Function
from aiosqlc.postgres.describe import Described, describe, prepare_session
from aiosqlc.postgres.typed import QueryTyper
from aiosqlc.postgres.written import Fingerprint, Starred, write_stars
from aiosqlc.servers.postgres.connection import Connection, ConnectionFailedError, ServerError
from aiosqlc.servers.postgres.embedded import Server
from aiosqlc.source import Dialect
from msgspec.structs import replace
from psycopg import pq

from tests.proofs.judge import denied, names_of, parsed, seen_in
from tests.regress.script import Statement, statements
from tests.regress.suite import ROWS

_RETURNS_ROWS = re.compile(
    r"\s*\(*\s*(?:select|with|values|table|insert|update|delete|merge)\b", re.IGNORECASE
)
# What leaves the catalog as it is; of queries those without INTO, which can make a table.
_CHANGES_NO_FACTS = re.compile(
    r"\s*\(*\s*(?:(?:select|with)\b(?!.*\binto\b)|values|table|insert|update|delete|merge|explain"
    r"|show|set|reset|begin|start|savepoint|release|commit|end|analyze|vacuum|copy|declare|fetch"
    r"|move|close|prepare|execute|deallocate|lock|listen|notify|checkpoint|grant|revoke|truncate"
    r"|refresh|reindex|cluster)\b",
    re.IGNORECASE | re.DOTALL,
)
_BOUNDS = re.compile(rb"(?:\[[^\]]*\])+=")
_RELATION = re.compile(r":relid (\d+)")
_ANSWERED = (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK)
_DATABASE = "regression"


@dataclass
class Verdicts:
    """The results of a run. `false` has each claim that rows disproved, with its place."""

    asked: int = 0
    judged: int = 0
    columns: int = 0
    claimed: int = 0
    never_null: int = 0
    laid_out: int = 0
    laid_out_unlike: list[str] = field(default_factory=list)
    unlike: list[str] = field(default_factory=list)
    false: list[str] = field(default_factory=list)
    internal: list[str] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    failed: int = 0
    unread: Counter[str] = field(default_factory=Counter)
    other_depths: list[str] = field(default_factory=list)

    def add(self, other: Verdicts) -> None:
        """Add the results of another run."""
        for item in fields(self):
            mine, theirs = getattr(self, item.name), getattr(other, item.name)
            setattr(self, item.name, mine + theirs)

    def line(self) -> str:
        """Return one line with the numbers."""
        return (
            f"{self.asked} asked, {self.failed} fail, {self.judged} judged,"
            f" {self.claimed}/{self.never_null} claimed, {len(self.false)} false,"
            f" {len(self.unlike)} unlike, {len(self.internal)} internal,"
            f" {len(self.laid_out_unlike)}/{self.laid_out} laid out unlike,"
            f" {self.refused.total()} refused"
        )

    def report(self) -> str:
        """Return a summary in a few lines."""
        recall = self.claimed / self.never_null if self.never_null else 1.0
        lines = [
            f"{self.asked} statements that return rows, {self.judged} judged",
            f"{self.columns} columns, {self.never_null} never NULL: {recall:.1%} of these claimed",
            f"FALSE CLAIMS: {len(self.false)}",
            *self.false,
            f"WRITTEN UNLIKE: {len(self.unlike)}",
            *self.unlike,
            f"LAID OUT UNLIKE: {len(self.laid_out_unlike)} of {self.laid_out}",
            *self.laid_out_unlike,
            f"internal errors: {len(self.internal)}",
            *self.internal,
            f"refused, though the server takes them: {self.refused.total()}",
            *(f"  {count} x {cause}" for cause, count in self.refused.most_common(20)),
            f"not asked, for the catalog could not be read: {self.unread.total()}",
            *(f"  {count} x {cause}" for cause, count in self.unread.most_common(20)),
            f"arrays of another depth than the type says: {len(self.other_depths)}",
            *self.other_depths,
        ]
        return "\n".join(lines)


def _depth(array: bytes) -> int:
    """Return the number of dimensions of an array, or 0 for an empty one."""
    array = _BOUNDS.sub(b"", array)
    return 0 if array == b"{}" else len(array) - len(array.lstrip(b"{"))


def judge(
    server: Server, scripts: Iterable[Path], tell: Callable[[str], None] = lambda line: None
) -> Verdicts:
    """Run scripts one after the other in one database; report a line for each."""
    with Connection(server.admin) as admin:
        admin.run(f"drop database if exists {_DATABASE} with (force)")
        admin.run(f"create database {_DATABASE} template template0")
    total, bodies = Verdicts(), _Bodies()
    for script in scripts:
        started, verdicts = time.monotonic(), Verdicts()
        session = _Session(server, script.stem, verdicts, bodies)
        for statement in statements(script.read_text("utf-8", "replace")):
            session.run(statement)
        if script.stem == "test_setup":
            for sql in ROWS:
                session.run(Statement(sql, 0))
        session.connection.close()
        total.add(verdicts)
        tell(f"{script.stem}: {verdicts.line()}, {time.monotonic() - started:.0f} s")
        for place in (*verdicts.false, *verdicts.unlike, *verdicts.internal):
            tell(place)
    return total


class _Bodies:
    """The trees of functions' bodies, each requested only once because that is the slowest part.

    A tree that names a relation which no longer exists is requested again.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[int, str], str] = {}

    def give(self, connection: Connection, facts: Facts) -> None:
        """Add the trees of the functions' bodies to `facts`."""
        closed = [f for f in facts.functions.values() if is_closed(f)]
        if not connection.in_transaction and any(self._body(f, facts) is None for f in closed):
            look_into_bodies(connection, facts)
            self._known |= {(f.oid, f.source): facts.functions[f.oid].body for f in closed}
        for function in closed:
            body = self._body(function, facts)
            if body:
                facts.functions[function.oid] = replace(function, body=body)

    def _body(self, function: Function, facts: Facts) -> str | None:
        body = self._known.get((function.oid, function.source))
        relations = map(int, _RELATION.findall(body or ""))
        lost = any(oid not in facts.relations for oid in relations if oid >= FIRST_USER_OID)
        return None if lost else body


class _Session:
    """One script's connection, and the facts about the database at this point of the script."""

    def __init__(self, server: Server, name: str, verdicts: Verdicts, bodies: _Bodies) -> None:
        self._server, self._name, self._verdicts = server, name, verdicts
        self._bodies = bodies
        self._facts: Facts | None = None
        self.connection = self._connect()

    def _connect(self) -> Connection:
        connection = Connection(self._server.conninfo(_DATABASE))
        prepare_session(connection)
        connection.run("set statement_timeout = '20s'")
        return connection

    def run(self, statement: Statement) -> None:
        """Analyse a statement, and then run it as in the script."""
        if not statement.sql:
            self.connection.close()
            self.connection, self._facts = self._connect(), None
            return
        claimed: TypedQuery | ServerError | None = None
        try:
            if _RETURNS_ROWS.match(statement.sql):
                claimed = self._ask(statement)
            if isinstance(claimed, TypedQuery):  # by the protocol that drivers speak
                result = self.connection.execute(claimed.sql, ())
            else:
                result = self.connection.execute(statement.sql)
            if result.status == pq.ExecStatus.COPY_IN:
                self.connection.pg.put_copy_data(statement.data)
                self.connection.pg.put_copy_end()
                while self.connection.pg.get_result() is not None:
                    pass
        except ConnectionFailedError:
            self.connection, self._facts = self._connect(), None
            return
        if not _CHANGES_NO_FACTS.match(statement.sql):
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
        except (RuntimeError, ConnectionFailedError) as error:  # this role may not read the catalog
            self._verdicts.unread[str(error)] += 1
            return None
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
            self._bodies.give(self.connection, facts)
            self._facts = facts
        self.connection.run("set client_min_messages = log")
        self.connection.run("set debug_print_rewritten = on")
        [answer] = describe(self.connection, [statement.sql])
        if not isinstance(answer, Described):
            return answer
        self._lay_out(statement, answer)
        judged = QueryTyper(self._facts).type_query(parsed(statement.sql, "Q"), answer)
        if judged.failure:
            self._verdicts.internal.append(f"{self._place(statement)}: {judged.failure}")
        stars = judged.stars[0] if judged.stars else ()
        starred = [Starred(0, 0, statement.sql, stars, Fingerprint.of(answer))] if stars else []
        [written], _ = write_stars(self.connection, [judged.query], starred)
        return written

    def _lay_out(self, statement: Statement, before: Described) -> None:
        """Check whether the server reads a statement in another layout as the same statement."""
        texts = [lay_out(statement.sql, Dialect.POSTGRESQL, style) for style in LayoutStyle]
        *answers, again = describe(self.connection, [*texts, statement.sql])
        if not isinstance(again, Described) or Fingerprint.of(again) != Fingerprint.of(before):
            return  # 'now' is another time whenever it is read
        for style, answer in zip(LayoutStyle, answers, strict=True):
            self._verdicts.laid_out += 1
            same = isinstance(answer, Described) and Fingerprint.of(answer) == Fingerprint.of(
                before
            )
            if not same:
                self._verdicts.laid_out_unlike.append(f"{self._place(statement)} as {style.value}")

    def _compare(
        self,
        statement: Statement,
        claimed: TypedQuery | ServerError | None,
        result: pq.abc.PGresult,
    ) -> None:
        verdicts = self._verdicts
        if result.status not in _ANSWERED:
            verdicts.failed += isinstance(claimed, TypedQuery | ServerError)
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
        verdicts.never_null += sum(f"NULL in {name}" not in seen for name in names_of(claimed))
        verdicts.false += [
            f"{self._place(statement)}: {fact}: {' '.join(claimed.sql.split())}"
            for fact in sorted(seen & denied(claimed))
        ]

        verdicts.other_depths += [
            f"{self._place(statement)}: {name} is {claimed.columns[index].type.array_dims} deep,"
            f" {cell.decode()} is not"
            for index, name in enumerate(names_of(claimed))
            for cell in [result.get_value(row, index) for row in range(result.ntuples)]
            if cell
            and _depth(cell) not in (0, claimed.columns[index].type.array_dims)
            and claimed.columns[index].type.array_dims
        ]

    def _place(self, statement: Statement) -> str:
        return f"{self._name}:{statement.line}"
