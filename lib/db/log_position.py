"""The position in the replication log of a primary or replica, as a number that only grows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from lib.db.engine import Engine, engine_of
from lib.db.executor import Executor
from lib.errors import StartError


@dataclass(frozen=True, slots=True)
class LogPosition:
    """Queries for the log positions of a primary and a replica, and the conversion to numbers.

    `replayed` returns no row if the server is not a replica (any more), because its data can then
    differ from the primary's.
    """

    written: str
    replayed: str
    number: Callable[[Any], int]


def _sequence(gtid: str) -> int:
    """Return the sequence number of a GTID `domain-server-sequence`.

    Raises ValueError if the text contains several GTIDs.
    """
    _domain, _server, sequence = gtid.split("-")
    return int(sequence)


POSTGRES: Final = LogPosition(
    written="SELECT (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::int8",
    replayed="SELECT (pg_last_wal_replay_lsn() - '0/0'::pg_lsn)::int8 WHERE pg_is_in_recovery()",
    number=int,
)
# One domain: sequences of several grow side by side, and no number says who has more.
MARIADB: Final = LogPosition(
    written="SELECT @@gtid_current_pos",
    replayed="SELECT @@gtid_slave_pos FROM DUAL"
    " WHERE CAST(@@read_only AS char) NOT IN ('0', 'OFF')",
    number=_sequence,
)


async def log_position_of(primary: Executor, application: str) -> LogPosition:
    """Return the queries that measure positions in the primary's log.

    Raises:
        StartError: for MySQL, because its sets of GTIDs are not numbers.
    """
    if engine_of(primary) is Engine.POSTGRES:
        return POSTGRES
    version = await primary.fetchval("SELECT VERSION()")
    if "MariaDB" not in version:
        raise StartError(
            f"the database of {application} is MySQL {version}: "
            "replicas are supported on PostgreSQL and MariaDB only"
        )
    return MARIADB
