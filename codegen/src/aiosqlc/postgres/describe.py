"""Get the server's description of queries without running them: parameters, columns, parse tree."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterator, Sequence

from msgspec import Struct
from psycopg import pq

from aiosqlc.postgres.tree import unwrap
from aiosqlc.servers.postgres.connection import (
    Connection,
    ConnectionFailedError,
    ServerError,
    server_error,
)

_GROUP = 8  # queries before each synchronization
_GROUPS = 4  # groups in flight, so that the server works during inference
_TITLE = b"rewritten parse tree:"


class ColumnHead(Struct, frozen=True):
    """A column in the server's description of a result.

    `table` and `attribute` are 0 for an expression.
    """

    name: str
    type_oid: int
    typmod: int
    table: int
    attribute: int


class Described(Struct, frozen=True):
    """The server's description of one query.

    `columns` is None for a statement that returns no rows.

    `tree` is the server's parse tree on one line.
    """

    param_oids: tuple[int, ...]
    columns: tuple[ColumnHead, ...] | None
    tree: str


def prepare_session(connection: Connection) -> None:
    """Make the server send the rewritten parse tree of each statement that it parses."""
    for setting in (
        "debug_print_rewritten = on",
        "debug_pretty_print = off",
        "client_min_messages = log",
    ):
        error = connection.run(f"set {setting}")
        if error is not None:
            raise ConnectionFailedError(f"cannot set {setting}: {error.message}")
    # Keeps the trees out of the server's log. Only a superuser may set this, so errors are ignored.
    connection.run("set log_min_messages = fatal")


def describe(
    connection: Connection, queries: Sequence[str]
) -> Generator[Described | ServerError, None, None]:
    """Yield the server's response to each query, in order.

    The connection must be set up by `prepare_session`.
    """
    trees: list[bytes] = []

    def keep(notice: pq.abc.PGresult) -> None:
        if notice.error_field(pq.DiagnosticField.MESSAGE_PRIMARY) == _TITLE:
            trees.append(notice.error_field(pq.DiagnosticField.MESSAGE_DETAIL) or b"")

    connection.on_notice(keep)
    pg = connection.pg
    pg.enter_pipeline_mode()
    try:
        yield from _in_groups(pg, [query.encode() for query in queries], trees)
    finally:
        if pg.status == pq.ConnStatus.OK:
            _drain(pg)
            pg.exit_pipeline_mode()


def _in_groups(
    pg: pq.abc.PGconn, queries: Sequence[bytes], trees: list[bytes]
) -> Iterator[Described | ServerError]:
    """Send queries in groups, because each synchronization costs client and server a system call.

    After a refused query, the server skips the rest of the group, so the rest is sent again.
    """
    unsent = [range(at, min(at + _GROUP, len(queries))) for at in range(0, len(queries), _GROUP)]
    unsent.reverse()
    sent: deque[range] = deque()
    found: dict[int, Described | ServerError] = {}
    for number in range(len(queries)):
        while number not in found:
            while unsent and len(sent) < _GROUPS:
                sent.append(_sent(pg, queries, unsent.pop()))
            group = sent.popleft()
            answers = _receive_group(pg, len(group), trees)
            found.update(zip(group, answers, strict=False))
            if rest := group[len(answers) :]:
                sent.append(_sent(pg, queries, rest))
        yield found.pop(number)


def _sent(pg: pq.abc.PGconn, queries: Sequence[bytes], group: range) -> range:
    for number in group:
        pg.send_prepare(b"", queries[number])
        pg.send_describe_prepared(b"")
    pg.pipeline_sync()
    return group


def _drain(pg: pq.abc.PGconn) -> None:
    """Read the remaining responses, so that the connection can be reused."""
    empty = 0
    while empty < 2 and pg.status == pq.ConnStatus.OK:
        empty = empty + 1 if pg.get_result() is None else 0


def _receive_group(
    pg: pq.abc.PGconn, count: int, trees: list[bytes]
) -> list[Described | ServerError]:
    """Read the server's responses to the oldest group of queries, up to a refused query."""
    answers: list[Described | ServerError] = []
    while len(answers) < count:
        answers.append(_receive(pg, trees))
        if isinstance(answers[-1], ServerError):
            break
    while _next(pg).status != pq.ExecStatus.PIPELINE_SYNC:
        pass  # a skipped statement
    return answers


def _receive(pg: pq.abc.PGconn, trees: list[bytes]) -> Described | ServerError:
    """Read the server's response to the oldest query whose response is still missing.

    libpq may read a notice of the next query together with the end of this query. Notices before
    the first result belong to this query. Notices after it belong to the next query.
    """
    prepared = _next(pg)
    tree = trees[0] if trees else b""
    trees.clear()
    described = _next(pg)
    for result in (prepared, described):
        if result.status == pq.ExecStatus.FATAL_ERROR:
            failure = server_error(result)
            if pg.status != pq.ConnStatus.OK:
                raise ConnectionFailedError(failure.message)
            return failure
        if result.status != pq.ExecStatus.COMMAND_OK:
            raise ConnectionFailedError("the server did not describe the query")
    return _described(described, tree)


def _next(pg: pq.abc.PGconn) -> pq.abc.PGresult:
    """Return the next result that the server sends."""
    while True:
        result = pg.get_result()
        if result is not None:
            return result
        if pg.status != pq.ConnStatus.OK:
            raise ConnectionFailedError("the server closed the connection")


def _described(result: pq.abc.PGresult, tree: bytes) -> Described:
    columns = tuple(
        [
            ColumnHead(
                name=(result.fname(i) or b"").decode(),
                type_oid=result.ftype(i),
                typmod=result.fmod(i),
                table=result.ftable(i),
                attribute=result.ftablecol(i),
            )
            for i in range(result.nfields)
        ]
    )
    return Described(
        param_oids=tuple(result.param_type(i) for i in range(result.nparams)),
        columns=columns or None,
        # A line break in a long name may split a character.
        tree=unwrap(tree.decode(errors="surrogateescape")),
    )
