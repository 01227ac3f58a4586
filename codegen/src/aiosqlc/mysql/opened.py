"""Apply the schema to a temporary database, for example to run or explain one query."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from msgspec import Struct

from aiosqlc.ir import AnalyzeOptions, SchemaFile
from aiosqlc.mysql.catalog import read_schema
from aiosqlc.mysql.relations import Schema
from aiosqlc.mysql.schema import forget, load
from aiosqlc.servers.mysql.session import Session, open_session
from aiosqlc.servers.private import NoServerError

_SECONDS = 3  # longest run time of a statement


class Opened(Struct, frozen=True):
    """A session whose default database contains the schema."""

    session: Session
    schema: Schema


@contextmanager
def opened(schema: Sequence[SchemaFile], options: AnalyzeOptions) -> Iterator[Opened | None]:
    """Open a database with the schema, or return None without a server or a valid schema."""
    try:
        session = open_session(options.database_uri, options.cache_dir, options.server)
    except NoServerError:
        yield None
        return
    with applied(session, schema, options) as found:
        yield found


@contextmanager
def applied(
    session: Session, schema: Sequence[SchemaFile], options: AnalyzeOptions
) -> Iterator[Opened | None]:
    """Apply the schema to a new database, or return None if it is not valid. Closes the session."""
    try:
        for_mysql, skips = options.server != "mariadb", options.server == "mysql"
        loaded, _ = load(session, schema, for_mysql=for_mysql, skips=skips)
        if loaded is None:
            yield None
            return
        try:
            _limit_time(session)
            yield Opened(session, read_schema(session, loaded.database, loaded.others))
        finally:
            forget(session, loaded)
    finally:
        session.connection.close()


def _limit_time(session: Session) -> None:
    if session.is_mariadb:
        session.run(f"SET SESSION max_statement_time = {_SECONDS}")
    else:
        session.run(f"SET SESSION max_execution_time = {_SECONDS * 1000}")
