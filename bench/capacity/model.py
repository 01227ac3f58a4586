"""A discrete-event simulation of orders, from what one order was measured to cost.

In it: cores that processes take turns at, processes of one thread each, sessions of the database,
whose number the pools limit, the lock of a row that all want, a log that is flushed for all who
wait for it, callers who ask again as soon as they are answered. Not in it: caches that get colder,
checkpoints, a network, and when services work on events: that is in what an order costs them.
"""

from __future__ import annotations

import itertools
import random
import statistics
from collections import Counter, defaultdict
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from heapq import heappop, heappush
from typing import Any, Final

import simpy

# Where an order goes. The processor's time of a part is divided equally among its visits, that of
# PostgreSQL by what each statement takes. !: a commit, *: with the product's row locked.
_PATH: Final = (
    "client", "nginx", "order", "redis", "order", "user", "postgres/user GetPerson", "user",
    "order", "postgres/order AddDraft!", "order", "product", "postgres/product Reserve!*",
    "product", "order", "postgres/order AddOrder!", "order", "product",
    "postgres/product Confirm!", "product", "order", "postgres/order NoteSold!", "order", "nginx",
    "client",
)  # fmt: skip
# How long a process keeps a core that others want: the scheduler's slice, Linux' on two cores.
_SLICE_MS: Final = 1.4
_SHAPES: Final = (4.0, 2.0, 1.0, 0.5, 0.3, 0.2, 0.15, 0.1, 0.07, 0.05, 0.03, 0.02)

Steps = Generator[simpy.Event, Any, None]


@dataclass(frozen=True)
class Costs:
    """What an order costs, in milliseconds."""

    cpu: Mapping[str, float]  # of the processor, by part
    flushes: Sequence[float]  # how long the disk takes for some bytes of a log: each that was seen
    statements: Mapping[str, float]  # what each takes of an order, also those after its answer
    beside: float = 0.0  # of a core: what runs anyway
    shape: float = 1.0  # of a visit's time, which is gamma-distributed: 1 is exponential

    @property
    def total(self) -> float:
        """The processor's time of an order, over all parts."""
        return sum(self.cpu.values())


@dataclass(frozen=True)
class Layout:
    """What there is of each part."""

    cores: int = 2
    replicas: int = 1  # of each service
    sessions: int = 10  # of a replica with its database: <SVC>_DB_POOL_MAX
    hot: bool = True  # whether all want the same product
    apart: bool = False  # whether each database has a server, and so a log, of its own


@dataclass(frozen=True)
class Outcome:
    """What came of a run, or the medians of several."""

    rate: float  # orders a second
    p50: float  # milliseconds
    p99: float
    busy: float  # the share of all cores


class _Log:
    """What has to be on disk: a flush is for all who asked before it began."""

    def __init__(self, env: simpy.Environment, chance: random.Random, costs: Costs) -> None:
        self._env, self._chance, self._flushes = env, chance, costs.flushes
        self._next: simpy.Event | None = None
        self._runs = False

    def flushed(self) -> simpy.Event:
        """Return what happens when the next flush is done."""
        self._next = self._next or self._env.event()
        mine = self._next
        if not self._runs:
            self._runs = True
            self._env.process(self._flush())
        return mine

    def _flush(self) -> Steps:
        while self._next is not None:
            done, self._next = self._next, None
            yield self._env.timeout(self._chance.choice(self._flushes))
            done.succeed()
        self._runs = False


class Cores:
    """What processes take turns at: next is who has had least, as Linux has it.

    Who has slept is owed nothing for it, but has not had more than those who are there either.
    """

    def __init__(self, env: simpy.Environment, number: int) -> None:
        self._env, self._free = env, number
        self._had: defaultdict[object, float] = defaultdict(float)  # by process, in milliseconds
        self._least, self._order = 0.0, itertools.count()
        self._waiting: list[tuple[float, int, simpy.Event]] = []

    def turn(self, process: object) -> simpy.Event:
        """Return what happens when it is the turn of a process."""
        mine = self._env.event()
        had = self._had[process] = max(self._had[process], self._least)
        heappush(self._waiting, (had, next(self._order), mine))
        self._next()
        return mine

    def over(self, process: object, size: float) -> None:
        """Give the core back after so long."""
        self._had[process] += size
        self._free += 1
        self._next()

    def _next(self) -> None:
        while self._free and self._waiting:
            self._free -= 1
            had, _, mine = heappop(self._waiting)
            self._least = max(self._least, had)
            mine.succeed()


class Row:
    """What one holds at a time; who of those who wait is next is left to chance.

    So PostgreSQL has it: whoever waits for a version of a row that is replaced has to go for the
    next one, and who comes just then is there before. Of 32 sessions that kept a row for 4 ms each
    39 % were overtaken by nobody and 14 % by one; by chance it would be 31 and 13 %.
    """

    def __init__(self, env: simpy.Environment, chance: random.Random) -> None:
        self._env, self._chance = env, chance
        self._waiting: list[simpy.Event] = []
        self._held = False

    def locked(self) -> simpy.Event:
        """Return what happens when it is one's own."""
        mine = self._env.event()
        self._waiting.append(mine)
        if not self._held:
            self.next()
        return mine

    def next(self) -> None:
        """Leave it to another."""
        self._held = bool(self._waiting)
        if self._waiting:
            self._waiting.pop(self._chance.randrange(len(self._waiting))).succeed()


class _Run:
    def __init__(self, costs: Costs, layout: Layout, orders: int, seed: int) -> None:
        self.env, self.chance = simpy.Environment(), random.Random(seed)
        self.costs, self.used, self.left = costs, 0.0, orders
        self.took: list[float] = []
        self.cores = Cores(self.env, layout.cores)
        self.row = Row(self.env, self.chance) if layout.hot else None
        one = _Log(self.env, self.chance, costs)
        self.places, self.logs = {}, {}
        for place in {_place(step) for step in _PATH}:
            room = layout.replicas * (layout.sessions if "/" in place else 1)
            self.places[place] = simpy.Resource(self.env, room)
            self.logs[place] = _Log(self.env, self.chance, costs) if layout.apart else one
        visits = Counter(_part(step) for step in _PATH)
        self.share = {step: costs.cpu[_part(step)] / visits[_part(step)] for step in _PATH}
        a_millisecond = costs.cpu["postgres"] / sum(costs.statements.values())
        for step in _PATH:
            if statement := _statement(step):
                self.share[step] = costs.statements[statement] * a_millisecond
        on_the_way = sum(self.share[step] for step in _PATH if _statement(step))
        self.afterwards = costs.cpu["postgres"] - on_the_way

    def work(self, process: object, size: float) -> Steps:
        """Let a process use a core for so long, in slices."""
        self.used += size
        while size > 0:
            yield self.cores.turn(process)
            now = min(size, _SLICE_MS)
            yield self.env.timeout(now)
            self.cores.over(process, now)
            size -= now

    def varied(self, size: float) -> float:
        """Return a size as it is now and then."""
        return size * self.chance.gammavariate(self.costs.shape, 1 / self.costs.shape)

    def visit(self, step: str) -> Steps:
        """Wait for one's turn there, work, and wait for the disk with what is held still held."""
        place = _place(step)
        row = self.row if step.endswith("*") else None
        with self.places[place].request() as turn:
            yield turn
            if row is not None:
                yield row.locked()
            # A session of a database is a process of its own, and so is one of many replicas.
            process = place if self.places[place].capacity == 1 else turn
            yield from self.work(process, self.varied(self.share[step]))
            if "!" in step:
                yield self.logs[place].flushed()
            if row is not None:
                row.next()

    def caller(self) -> Steps:
        """Place an order, and when it is answered the next."""
        while self.left > 0:
            self.left -= 1
            began = self.env.now
            for step in _PATH:
                yield from self.visit(step)
            self.took.append(self.env.now - began)
            self.env.process(self.work(object(), self.varied(self.afterwards)))

    def beside(self) -> Steps:
        """Use a core for what runs anyway, a millisecond at a time."""
        while True:
            yield self.env.timeout(self.chance.expovariate(self.costs.beside))
            self.env.process(self.work(object(), 1.0))


def _place(step: str) -> str:
    return step.partition(" ")[0]


def _part(step: str) -> str:
    return _place(step).partition("/")[0]


def _statement(step: str) -> str:
    return step.partition(" ")[2].rstrip("!*")


STATEMENTS: Final = {_statement(step): "!" in step for step in _PATH if _statement(step)}


def steady(taken: Sequence[float], callers: int) -> Sequence[float]:
    """Leave out what was answered first.

    Callers who begin at one instant wait for one another as they never do again, and for
    connections to be opened: with 64 all of the slowest of 400 were among the first 106 answers.
    """
    return taken[2 * callers :]


def simulate(
    costs: Costs, layout: Layout, *, callers: int, orders: int = 400, rounds: int = 5
) -> Outcome:
    """Let so many callers place so many orders, as often, and return the medians.

    It ends when the last order is answered, as a measurement does.
    """
    seen = []
    for seed in range(rounds):
        run = _Run(costs, layout, orders, seed)
        placing = [run.env.process(run.caller()) for _ in range(callers)]
        if costs.beside:
            run.env.process(run.beside())
        run.env.run(run.env.all_of(placing))
        cuts, spent = statistics.quantiles(steady(run.took, callers), n=100), run.env.now
        busy = run.used / (spent * layout.cores)
        seen.append((orders / spent * 1000, cuts[49], cuts[98], busy))
    return Outcome(*(statistics.median(column) for column in zip(*seen, strict=True)))


def fitting_shape(costs: Costs, callers: int, spread: float) -> float:
    """Return the shape that makes orders differ as much as seen.

    Args:
        costs: what an order costs.
        callers: how many there were.
        spread: the 99th percentile of their orders, as a multiple of the median.
    """

    def miss(shape: float) -> float:
        found = simulate(replace(costs, shape=shape), Layout(), callers=callers)
        return abs(found.p99 / found.p50 - spread)

    return min(_SHAPES, key=miss)
