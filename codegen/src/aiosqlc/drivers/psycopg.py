"""The driver psycopg 3, for asyncio connections and for blocking connections."""

from __future__ import annotations

from msgspec.structs import replace

from aiosqlc.drivers.port import Driver, Helpers, Violations
from aiosqlc.drivers.postgres_types import OF_PSYCOPG as TYPES
from aiosqlc.source import Dialect

_FIND = '''\
def constraint_error(error: Error) -> Error:
    """Return the exception of the violated constraint, with the server's details."""
    said = error.diag
    known = _BY_CONSTRAINT.get((said.table_name, said.constraint_name or (said.column_name,)))
    if known is None:
        return error
    typed = known(*error.args)
    vars(typed).update(vars(error))
    return typed
'''
VIOLATIONS = Violations(
    module="psycopg.errors",
    root=("psycopg", "Error"),
    caught="IntegrityError",
    by_kind={
        "unique": "UniqueViolation",
        "primary": "UniqueViolation",
        "foreign": "ForeignKeyViolation",
        "check": "CheckViolation",
        "exclude": "ExclusionViolation",
        "not_null": "NotNullViolation",
    },
    find=_FIND,
)
_IMPORTS = """\
from psycopg import AsyncConnection, IsolationLevel
from psycopg.errors import DeadlockDetected, SerializationFailure
"""
_TRANSACTION = '''\
class Pool(Protocol[C_co]):
    """Lends connections of one type. Pass a pool of `psycopg_pool`."""

    def connection(self) -> AbstractAsyncContextManager[C_co]:
        """Return a context manager that lends a connection."""
        ...


async def in_transaction(
    source: Pool[AsyncConnection[Any]] | AsyncConnection[Any],
    work: Callable[[PsycopgExecutor], Awaitable[T]],
    *,
    isolation: Isolation = "read_committed",
    attempts: int = 3,
) -> T:
    """Run `work(executor)` in a transaction and return its result.

    `source` is a psycopg pool, or a connection outside a transaction.
    After a serialization failure or a deadlock, `work` runs again in a new transaction, after a
    short random pause. `attempts` limits the runs. `work` must not have effects outside the
    database.
    """
    for attempt in range(1, attempts + 1):
        try:
            async with _lent(source) as connection:
                before = connection.isolation_level
                await connection.set_isolation_level(IsolationLevel[isolation.upper()])
                try:
                    async with connection.transaction():
                        return await work(PsycopgExecutor(connection))
                finally:
                    if not connection.closed:  # restore the level for the next user
                        await connection.set_isolation_level(before)
        except (SerializationFailure, DeadlockDetected):
            if attempt == attempts:
                raise
        await asyncio.sleep(random.uniform(0, 0.05 * attempt))
    raise ValueError("attempts must be at least 1")


def _lent(
    source: Pool[AsyncConnection[Any]] | AsyncConnection[Any],
) -> AbstractAsyncContextManager[AsyncConnection[Any]]:
    return nullcontext(source) if isinstance(source, AsyncConnection) else source.connection()


'''
_FITS = "Wrap a connection in `PsycopgExecutor` (module `adapter`)"
PSYCOPG = Driver(
    name="psycopg",
    engine=Dialect.POSTGRESQL,
    types=TYPES,
    fits=dict.fromkeys(("Executor", "BatchExecutor", "CopyExecutor", "StreamExecutor"), _FITS),
    adapter="psycopg_adapter",
    executor="PsycopgExecutor",
    pipelined=True,
    violations=VIOLATIONS,
    helpers=Helpers(_IMPORTS, _TRANSACTION, "AbstractAsyncContextManager, nullcontext"),
)
PSYCOPG_SYNC = replace(PSYCOPG, name="psycopg-sync", synchronous=True)
