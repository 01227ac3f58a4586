"""A typed wrapper around libpq: run a statement, read rows, and return errors as data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Self, TypeVar

import msgspec
import psycopg
from msgspec import Struct
from psycopg import pq

_OK = frozenset({pq.ExecStatus.COMMAND_OK, pq.ExecStatus.TUPLES_OK, pq.ExecStatus.EMPTY_QUERY})
_COPYING = frozenset({pq.ExecStatus.COPY_IN, pq.ExecStatus.COPY_OUT})
_GONE = "the server ended the connection"
_Field = pq.DiagnosticField
T = TypeVar("T")
Statement = tuple[str, Sequence[str | None]]
"""A statement and its parameters, as text."""


class ServerError(Struct, frozen=True):
    """The server's error message. `position` is a 1-based character index, or 0 if unknown."""

    state: str
    message: str
    detail: str = ""
    hint: str = ""
    position: int = 0
    context: str = ""


class ConnectionFailedError(Exception):
    """Raised if the server could not be reached, or if the connection was lost."""


def server_error(result: pq.abc.PGresult) -> ServerError:
    """Return the error of a failed result, read from the diagnostic fields of the result."""

    def text(field: pq.DiagnosticField) -> str:
        return (result.error_field(field) or b"").decode("utf-8", "replace")

    return ServerError(
        state=text(_Field.SQLSTATE),
        message=text(_Field.MESSAGE_PRIMARY) or result.error_message.decode("utf-8", "replace"),
        detail=text(_Field.MESSAGE_DETAIL),
        hint=text(_Field.MESSAGE_HINT),
        position=int(text(_Field.STATEMENT_POSITION) or 0),
        context=text(_Field.CONTEXT),
    )


class Connection:
    """A libpq connection with UTF-8 as its encoding, for use by one thread."""

    def __init__(self, conninfo: str) -> None:
        self._conninfo = conninfo
        self.pg = pq.PGconn.connect(conninfo.encode())
        if self.pg.status != pq.ConnStatus.OK:
            message = self.pg.get_error_message() if hasattr(self.pg, "get_error_message") else ""
            self.pg.finish()
            raise ConnectionFailedError(message.strip() or "no answer")
        self.pg.notice_handler = lambda _result: None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; a second call has no effect."""
        self.pg.finish()

    def another(self) -> Connection:
        """Return a new connection to the same database."""
        return Connection(self._conninfo)

    def on_notice(self, handler: Callable[[pq.abc.PGresult], None]) -> None:
        """Call `handler` for every notice that the server sends from now on."""
        self.pg.notice_handler = handler

    def run(self, sql: str) -> ServerError | None:
        """Run one or several statements, and return the error if the server refuses one."""
        result = self.execute(sql)
        if result.status in _COPYING:
            return self._refuse_copy(result.status)
        return None if result.status in _OK else server_error(result)

    def _refuse_copy(self, status: int) -> ServerError:
        """End a COPY to or from the client and return an error, because COPY is not supported."""
        message = "COPY … TO STDOUT is not supported here"
        if status == pq.ExecStatus.COPY_IN:
            message = "COPY … FROM STDIN waits for data that only psql sends"
            self.pg.put_copy_end(b"no data")
        else:
            while self.pg.get_copy_data(0)[0] > 0:
                pass
        while self.pg.get_result() is not None:
            pass
        return ServerError("0A000", message, hint="leave it out, or write INSERT")

    def execute(self, sql: str, values: Sequence[str | None] | None = None) -> pq.abc.PGresult:
        """Run a statement, with text parameters if given, and return the server's response.

        Raises `ConnectionFailedError` if the connection is lost.
        """
        try:
            if values is None:
                result = self.pg.exec_(sql.encode())
            else:
                encoded = [None if value is None else value.encode() for value in values]
                result = self.pg.exec_params(sql.encode(), encoded)
        except psycopg.OperationalError as error:
            raise ConnectionFailedError(str(error)) from error
        if result.status not in _OK and self.pg.status != pq.ConnStatus.OK:
            raise ConnectionFailedError(result.error_message.decode("utf-8", "replace").strip())
        return result

    def pipelined(self, groups: Sequence[Sequence[Statement]]) -> list[list[pq.abc.PGresult]]:
        """Run groups of statements in one round trip and return the responses by group.

        If the server refuses a statement, the remaining statements of the group are skipped, with
        the result `PIPELINE_ABORTED`. The next group is then run. A transaction must be open, and
        COPY is not allowed. Raises `ConnectionFailedError` if the connection is lost.
        """
        found: list[list[pq.abc.PGresult]] = []
        try:
            self.pg.enter_pipeline_mode()
            for group in groups:
                for sql, values in group:
                    encoded = [None if value is None else value.encode() for value in values]
                    self.pg.send_query_params(sql.encode(), encoded)
                self.pg.pipeline_sync()
            for group in groups:
                found.append([self._answer() for _ in group])
                sync = self.pg.get_result()
                if sync is None or sync.status != pq.ExecStatus.PIPELINE_SYNC:
                    raise ConnectionFailedError(_GONE)
            self.pg.exit_pipeline_mode()
        except psycopg.OperationalError as error:
            raise ConnectionFailedError(str(error)) from error
        return found

    def _answer(self) -> pq.abc.PGresult:
        """Return the result of the next statement in a pipeline."""
        result = self.pg.get_result()
        if result is None:
            raise ConnectionFailedError(_GONE)
        self.pg.get_result()  # reads the final None
        return result

    def rows(self, sql: str, params: tuple[str, ...] = ()) -> list[tuple[str | None, ...]]:
        """Return the rows of a query as text.

        Raise `RuntimeError` if the server refuses the query.
        """
        result = self.execute(sql, params or None)
        if result.status not in _OK:
            raise RuntimeError(server_error(result).message)

        def cell(row: int, column: int) -> str | None:
            value = result.get_value(row, column)
            return None if value is None else value.decode()

        return [
            tuple(cell(row, column) for column in range(result.nfields))
            for row in range(result.ntuples)
        ]

    def decode(self, sql: str, kind: type[T]) -> list[T]:
        """Run a query and decode its rows into `kind`, a Struct with the columns' names."""
        wrapped = f"select coalesce(json_agg(r), '[]') from ({sql}) r"  # noqa: S608 - generated text
        result = self.execute(wrapped)
        if result.status not in _OK:
            raise RuntimeError(server_error(result).message)
        return msgspec.json.decode(result.get_value(0, 0) or b"[]", type=list[kind])  # type: ignore[valid-type]  # a run-time type

    @property
    def in_transaction(self) -> bool:
        """Return whether a transaction is open, even if it has failed."""
        return self.pg.transaction_status != pq.TransactionStatus.IDLE

    @property
    def release(self) -> str:
        """Return the server's release, such as `18.1`."""
        return f"{self.major}.{self.pg.server_version % 10000}"

    @property
    def major(self) -> int:
        """Return the server's major version, such as 18."""
        return self.pg.server_version // 10000
