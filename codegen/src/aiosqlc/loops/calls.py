"""Count the calls of queries, and find the calls that a loop makes."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from collections.abc import Hashable
from contextvars import ContextVar, Token
from types import FrameType
from weakref import WeakKeyDictionary

from msgspec import Struct, field

from aiosqlc.loops.frames import Site, Stack, TestFiles, accepted, shown, stack_of


class Query(Struct, frozen=True, eq=False):
    """A generated function: its dotted name, its SQL text, and its package.

    `remedy` describes how to send fewer statements. In it, `{name}` stands for the query's name.
    """

    function: str
    text: str
    package: str
    remedy: str

    @property
    def name(self) -> str:
        """Return the query's name in the query file, or else the name of the function."""
        names = getattr(sys.modules.get(self.package), "QUERY_NAMES", {})
        return str(names.get(self.text, self.function.rpartition(".")[2]))


class Loop(Struct, frozen=True):
    """A query that one place of a program called `count` times; `sites` is the call stack."""

    query: Query
    count: int
    sites: tuple[Site, ...]

    def __str__(self) -> str:
        """Return the loop as text: the query, the count, the call sites, and a remedy."""
        places = "".join(f"\n  {shown(site)}" for site in self.sites)
        return (
            f"{self.query.name} is called {self.count} times from one place"
            f" ({self.query.function}):{places}"
            f"\n  {self.query.remedy.replace('{name}', self.query.name)}"
        )


_NO_TESTS = TestFiles()
_Key = tuple[Query, tuple[Site, ...], Hashable]


class Scope(Struct):
    """The calls of one request, job or test.

    With `by_activation`, calls are added up only if the same run of a function of the program makes
    them, because a test may send many requests. The scope then keeps the frames of these runs, so
    that a later frame cannot have the same ID. `tests` are the files of test code. `starts` maps
    the calls inside a recursion to the calls before it, which have fewer sites.
    """

    by_activation: bool = False
    tests: TestFiles = _NO_TESTS
    counts: Counter[_Key] = field(default_factory=Counter)
    frames: dict[int, FrameType] = field(default_factory=dict)
    starts: dict[_Key, _Key] = field(default_factory=dict)

    def note(self, query: Query, frame: FrameType) -> None:
        """Count a call of a query; `frame` is the stack frame of the caller."""
        stack = with_origin(stack_of(frame, self.tests))
        if stack.base is None:
            return
        base = 0
        if self.by_activation:
            base = id(stack.base)
            self.frames[base] = stack.base
        key = (query, _merged(stack.sites), base)
        self.counts[key] += 1
        outer = (query, _first(stack.sites), base)
        if outer != key:
            self.starts[key] = outer

    def loops(self, limit: int) -> list[Loop]:
        """Return the lines of the program that called a query more than `limit` times.

        A loop that a comment in the program accepts is left out.
        """
        most: dict[tuple[Query, tuple[Site, ...]], int] = {}
        for key, inside in self.counts.items():
            query, sites, _ = key
            count = inside + (self.counts[self.starts[key]] if key in self.starts else 0)
            if count > limit and not any(map(accepted, sites)):
                most[query, sites] = max(count, most.get((query, sites), 0))
        return [Loop(query, count, sites) for (query, sites), count in most.items()]


def _merged(sites: tuple[Site, ...]) -> tuple[Site, ...]:
    """Return the innermost site of each function, so that a recursion has the same sites."""
    found: dict[int, Site] = {}
    for site in sites:
        found.setdefault(site[0], site)
    return tuple(found.values())


def _first(sites: tuple[Site, ...]) -> tuple[Site, ...]:
    """Return the sites of the same call before the functions in the stack called themselves."""
    outermost = {site[0]: at for at, site in enumerate(sites)}
    found, at = list[Site](), 0
    while at < len(sites):
        found.append(sites[at])
        at = outermost[sites[at][0]] + 1
    return tuple(found)


_scope: ContextVar[Scope | None] = ContextVar("aiosqlc_loops", default=None)
_test: list[Scope] = []


def entered(scope: Scope) -> Token[Scope | None]:
    """Make a scope the current scope of this task, and of all tasks that this task starts."""
    return _scope.set(scope)


def left(token: Token[Scope | None]) -> None:
    """Make the outer scope the current one again."""
    _scope.reset(token)


def test_scope(scope: Scope | None) -> None:
    """Make a scope the current scope of all tasks and threads that have no other scope."""
    _test[:] = [scope] if scope else []


test_scope.__test__ = False  # type: ignore[attr-defined]  # pytest reads it


def note(query: Query, frame: FrameType) -> None:
    """Count a call in each current scope."""
    scope = _scope.get()
    if scope is not None:
        scope.note(query, frame)
    for test in _test:
        test.note(query, frame)


# --- tasks ----------------------------------------------------------------------------------------

_origins: WeakKeyDictionary[asyncio.Task[object], Stack] = WeakKeyDictionary()


def started(task: asyncio.Task[object], frame: FrameType) -> None:
    """Remember which line started a task of a test, because this line may be in a loop."""
    if not _test:
        return
    stack = with_origin(stack_of(frame, _test[0].tests))
    if stack.base is not None:
        _origins[task] = stack


def with_origin(stack: Stack) -> Stack:
    """Return a stack followed by the calls that started the current task, if they are known."""
    if stack.ended or not _origins:
        return stack
    try:
        task = asyncio.current_task()
    except RuntimeError:
        return stack
    origin = _origins.get(task) if task is not None else None
    if origin is None:
        return stack
    return Stack((*stack.sites, *origin.sites), origin.base, origin.ended)
