"""A primary with replicas. Read-only requests use a replica that is recent enough.

The compiler proves which SQL texts only read (`READS` of a generated package). A replica that fails
or is too far behind gets no queries until it has recovered. If a query fails on a replica, the
primary executes it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Collection, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from time import monotonic
from typing import Any

from prometheus_client import CollectorRegistry, Counter
from prometheus_client.metrics_core import GaugeMetricFamily
from prometheus_client.registry import Collector

from lib import positions
from lib.db.engine import engine_of
from lib.db.errors import DatabaseUnavailableError, StatementTimeoutError
from lib.db.executor import Database, Executor, Reader
from lib.db.log_position import LogPosition
from lib.log import get_logger
from lib.positions import BEYOND, Scope, Signer

log = get_logger(__name__)

_STEP_SECONDS = 0.005
_POLL_SECONDS = 0.25
_LOST = (DatabaseUnavailableError, StatementTimeoutError, TimeoutError, OSError)


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits on the lag of a replica, on the wait for a replica, and on its response time."""

    lag_seconds: float = 5.0
    wait_seconds: float = 0.05
    answer_seconds: float = 1.0


class Replica:
    """A server that follows the primary, and its last known state."""

    def __init__(self, name: str, db: Reader, log_position: LogPosition) -> None:
        self.name = name
        self.db = db
        self._log_position = log_position
        self.replayed = 0
        self.lag = float("inf")
        self.is_in = False
        self._asking: asyncio.Task[int] | None = None

    async def look(self, seconds: float) -> int:
        """Query the log position that the replica has replayed.

        Concurrent callers share the result.
        """
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask(seconds))
            self._asking.add_done_callback(_seen)
        return await asyncio.shield(self._asking)

    async def _ask(self, seconds: float) -> int:
        async with asyncio.timeout(seconds):
            found = await self.db.fetchval(self._log_position.replayed)
        if found is None:
            raise DatabaseUnavailableError
        self.replayed = self._log_position.number(found)
        return self.replayed

    def leave(self, error: BaseException | str) -> None:
        """Send no reads to the replica until it responds correctly again."""
        if self.is_in:
            log.warning("replica_out_of_rotation", replica=self.name, error=error)
        self.is_in = False


def _seen(task: asyncio.Task[int]) -> None:
    if not task.cancelled():
        task.exception()  # retrieved, even if no waiting caller is left


class Rotation:
    """The replicas, and the checks that decide which of them receive reads."""

    def __init__(
        self,
        primary: Executor,
        replicas: Collection[Replica],
        limits: Limits,
        log_position: LogPosition,
    ) -> None:
        self.replicas = tuple(replicas)
        self._primary = primary
        self._log_position = log_position
        self._limits = limits
        self._turn = 0
        self._history: deque[tuple[float, int]] = deque(maxlen=1200)

    async def pick(self, position: int) -> Replica | None:
        """Return a replica that has replayed up to `position`, or None to use the primary."""
        there = [replica for replica in self.replicas if replica.is_in]
        self._turn += 1
        first = self._turn % len(there) if there else 0
        for replica in (*there[first:], *there[:first]):
            if replica.replayed >= position:
                return replica
        if not there or position == BEYOND:
            return None
        replica, until = there[first], monotonic() + self._limits.wait_seconds
        while (left := until - monotonic()) > 0:
            try:
                if await replica.look(self._limits.answer_seconds) >= position:
                    return replica
            except Exception as error:  # noqa: BLE001 - whatever it is, the primary is there
                replica.leave(error)
                return None
            await asyncio.sleep(min(_STEP_SECONDS, left))
        return None

    async def watch(self) -> None:
        """Check the primary and all replicas periodically."""
        while True:
            await self.look()
            await asyncio.sleep(_POLL_SECONDS)

    async def look(self) -> None:
        """Check once whether each replica responds, and measure its lag."""
        try:
            async with asyncio.timeout(self._limits.answer_seconds):
                at = await self.written()
            self._history.append((monotonic(), at))
        except Exception as error:  # noqa: BLE001 - the callers get the same error
            log.warning("primary_not_looked_at", error=error)
        await asyncio.gather(*(self._look_at(replica) for replica in self.replicas))

    async def written(self) -> int:
        """Return the primary's current position in its log."""
        return self._log_position.number(await self._primary.fetchval(self._log_position.written))

    async def _look_at(self, replica: Replica) -> None:
        try:
            replayed = await replica.look(self._limits.answer_seconds)
        except Exception as error:  # noqa: BLE001 - whatever it is, it cannot answer
            replica.lag = float("inf")
            replica.leave(error)
            return
        replica.lag = self._behind(replayed)
        if replica.lag > self._limits.lag_seconds:
            replica.leave(f"{replica.lag:.1f} s behind")
        elif not replica.is_in:
            log.info("replica_in_rotation", replica=replica.name)
            replica.is_in = True

    def _behind(self, replayed: int) -> float:
        """Return how many seconds ago the primary was first ahead of the position `replayed`."""
        missing = next((when for when, at in self._history if at > replayed), None)
        return 0.0 if missing is None else monotonic() - missing


class ReplicatedDatabase:
    """A `Database` that sends the reads of read-only requests to replicas.

    The primary executes everything else, and everything outside requests.
    """

    def __init__(
        self,
        primary: Database,
        rotation: Rotation,
        reads: Collection[str],
        signer: Signer,
        *,
        answer_seconds: float = 1.0,
        registry: CollectorRegistry | None = None,
    ) -> None:
        self.engine = engine_of(primary)
        self._primary = primary
        self._rotation = rotation
        self._reads = frozenset(reads)
        self._signer = signer
        self._answer_seconds = answer_seconds
        self._counts = _Counts(rotation, registry) if registry is not None else None

    async def fetch(self, query: str, /, *args: object) -> Any:
        """Return every row."""
        return await self._answer("fetch", query, args)

    async def fetchrow(self, query: str, /, *args: object) -> Any:
        """Return the first row, or None if there are no rows."""
        return await self._answer("fetchrow", query, args)

    async def fetchval(self, query: str, /, *args: object) -> Any:
        """Return the first value of the first row, or None if there are no rows."""
        return await self._answer("fetchval", query, args)

    async def execute(self, query: str, /, *args: object) -> str:
        """Execute a statement and return the server's status tag, such as `UPDATE 3`."""
        try:
            return await self._primary.execute(query, *args)
        finally:
            self._wrote()

    @asynccontextmanager
    async def transaction(self, *, isolation: str = "read_committed") -> AsyncIterator[Executor]:
        """Enter a transaction on the primary."""
        try:
            async with self._primary.transaction(isolation=isolation) as tx:
                yield tx
        finally:
            self._wrote()

    async def ping(self) -> None:
        """Check that the primary responds. Raises AppError if the primary does not respond."""
        await self._primary.fetchval("SELECT 1")

    async def _answer(self, method: str, query: str, args: tuple[object, ...]) -> Any:
        if query not in self._reads:
            try:
                return await getattr(self._primary, method)(query, *args)
            finally:
                self._wrote()
        scope = positions.scope.get()
        replica = None
        if scope is not None and scope.reads:
            replica = await self._rotation.pick(await scope.needs(self._signer))
        if replica is not None:
            try:
                async with asyncio.timeout(self._answer_seconds):
                    answer = await getattr(replica.db, method)(query, *args)
            except Exception as error:  # noqa: BLE001 - a read can be asked again; a bug shows there
                if isinstance(error, _LOST):
                    replica.leave(error)
            else:
                self._count(replica.name)
                return answer
        self._count("primary")
        return await getattr(self._primary, method)(query, *args)

    def _count(self, server: str) -> None:
        if self._counts is not None:
            self._counts.by_server[server].inc()

    def _wrote(self) -> None:
        scope: Scope | None = positions.scope.get()
        if scope is not None:
            scope.wrote(self._signer, self._position)

    async def _position(self) -> int:
        """Return a position in the primary's log that comes after all writes of this request."""
        try:
            return await self._rotation.written()
        except Exception as error:  # noqa: BLE001 - what was written counts, and must be seen
            log.warning("position_unknown", error=error)
            return BEYOND


class _Counts(Collector):
    """The metric `db_reads_total{server}`; each replica's lag, and whether it receives reads."""

    def __init__(self, rotation: Rotation, registry: CollectorRegistry) -> None:
        self._rotation = rotation
        self.reads = Counter(
            "db_reads_total",
            "Read-only queries by the server that ran them.",
            ("server",),
            registry=registry,
        )
        # Looked up once: that costs more than counting.
        names = ("primary", *(replica.name for replica in rotation.replicas))
        self.by_server = {name: self.reads.labels(name) for name in names}
        registry.register(self)

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Yield each replica's lag at its last check, and whether it receives reads."""
        lag = GaugeMetricFamily(
            "db_replica_lag_seconds",
            "Age of the oldest change that the replica has not applied.",
            labels=("replica",),
        )
        there = GaugeMetricFamily(
            "db_replica_in_rotation",
            "1 if the replica serves queries, else 0.",
            labels=("replica",),
        )
        for replica in self._rotation.replicas:
            lag.add_metric((replica.name,), replica.lag)
            there.add_metric((replica.name,), float(replica.is_in))
        yield from (lag, there)


@asynccontextmanager
async def watched(rotation: Rotation) -> AsyncIterator[None]:
    """Check the replicas before the block starts and periodically while the block runs."""
    await rotation.look()
    watching = asyncio.create_task(rotation.watch())
    try:
        yield
    finally:
        watching.cancel()
