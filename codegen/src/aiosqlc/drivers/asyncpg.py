"""The driver asyncpg. Generated functions accept its connections and pools directly."""

from __future__ import annotations

from aiosqlc.drivers.port import Driver, Helpers, Violations
from aiosqlc.drivers.postgres_types import OF_ASYNCPG as TYPES
from aiosqlc.source import Dialect

_FIND = '''\
def constraint_error(error: PostgresError) -> PostgresError:
    """Return the exception of the violated constraint, with the server's details."""
    table, name = getattr(error, "table_name", None), getattr(error, "constraint_name", None)
    known = _BY_CONSTRAINT.get((table, name or (getattr(error, "column_name", None),)))
    if known is None:
        return error
    typed = known(*error.args)
    vars(typed).update(vars(error))
    return typed
'''
VIOLATIONS = Violations(
    module="asyncpg",
    root=("asyncpg", "PostgresError"),
    caught="IntegrityConstraintViolationError",
    by_kind={
        "unique": "UniqueViolationError",
        "primary": "UniqueViolationError",
        "foreign": "ForeignKeyViolationError",
        "check": "CheckViolationError",
        "exclude": "ExclusionViolationError",
        "not_null": "NotNullViolationError",
    },
    find=_FIND,
    untyped=True,
)
_IMPORTS = """\
from asyncpg import (  # type: ignore[import-untyped, unused-ignore]
    DeadlockDetectedError,
    SerializationError,
)
"""
_TRANSACTION = '''\
class Pool(Protocol[C_co]):
    """Lends connections of one type. Pass an asyncpg pool."""

    def acquire(self) -> AbstractAsyncContextManager[C_co]:
        """Return a context manager that lends a connection."""
        ...


class Connection(Protocol):
    """Begins transactions. Pass an asyncpg connection."""

    def transaction(self) -> AbstractAsyncContextManager[Any]:
        """Return a context manager that begins and ends a transaction."""
        ...


K = TypeVar("K", bound=Connection)


@overload
async def in_transaction(
    source: Pool[C],
    work: Callable[[C], Awaitable[T]],
    *,
    isolation: Isolation = "read_committed",
    attempts: int = 3,
) -> T: ...
@overload
async def in_transaction(
    source: K,
    work: Callable[[K], Awaitable[T]],
    *,
    isolation: Isolation = "read_committed",
    attempts: int = 3,
) -> T: ...
async def in_transaction(
    source: Any,
    work: Callable[[Any], Awaitable[T]],
    *,
    isolation: Isolation = "read_committed",
    attempts: int = 3,
) -> T:
    """Run `work(connection)` in a transaction and return its result.

    `source` is an asyncpg pool, or a connection of the pool outside a transaction.
    After a serialization failure or a deadlock, `work` runs again in a new transaction, after a
    short random pause. `attempts` limits the runs. `work` must not have effects outside the
    database.
    """
    for attempt in range(1, attempts + 1):
        try:
            async with (
                _lent(source) as connection,
                connection.transaction(isolation=isolation),
            ):
                return await work(connection)
        except (SerializationError, DeadlockDetectedError):
            if attempt == attempts:
                raise
        await asyncio.sleep(random.uniform(0, 0.05 * attempt))
    raise ValueError("attempts must be at least 1")


def _lent(source: Any) -> AbstractAsyncContextManager[Any]:
    return source.acquire() if hasattr(source, "acquire") else nullcontext(source)


'''
# COPY is binary, and asyncpg has only text codecs for these types.
_TEXTS = frozenset(
    {
        "aclitem", "int2vector", "macaddr", "money", "oidvector", "refcursor", "regclass",
        "regcollation", "regconfig", "regdictionary", "regnamespace", "regoper", "regoperator",
        "regproc", "regprocedure", "regrole", "regtype", "tsquery", "tsvector",
    }
)  # fmt: skip

ASYNCPG = Driver(
    name="asyncpg",
    engine=Dialect.POSTGRESQL,
    types=TYPES,
    fits={
        "Executor": "Pass an asyncpg connection, pool or transaction",
        "BatchExecutor": "Pass an asyncpg connection or pool",
        "CopyExecutor": "Pass an asyncpg connection or pool",
        "StreamExecutor": "Pass an asyncpg connection inside a transaction",
    },
    violations=VIOLATIONS,
    helpers=Helpers(_IMPORTS, _TRANSACTION, "AbstractAsyncContextManager, nullcontext"),
    not_copied=_TEXTS,
    listens=True,
)
