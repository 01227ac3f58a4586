"""Keeps the answers of a function for the very objects it was asked about."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Generic, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

Parts = tuple[object, ...]

_forgetting: list[Callable[[], None]] = []
_MOST = 20_000  # answers of one function; twice this many are in memory at most


def kept(function: Callable[P, R]) -> Callable[P, R]:
    """Answer from memory where every argument is the same object (or an equal string) as before.

    Comparing by identity costs nothing however large a value is. The objects asked about are held
    on to, so that an identity is never another's. What was not asked for in a while is forgotten.
    """
    memory = _Memory[R]()

    @wraps(function)
    def answer(*args: P.args, **kwargs: P.kwargs) -> R:
        if kwargs:
            return function(*args, **kwargs)
        key = _identities(args)
        found = memory.get(key)
        return found[1] if found else memory.put(key, args, function(*args, **kwargs))

    return answer


def kept_by(parts: Callable[P, Parts]) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Do the same where only these parts of the arguments, not their places, make the answer.

    `parts` names all that the function reads, each a string or an object the arguments hold.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        memory = _Memory[R]()

        @kept
        @wraps(function)
        def answer(*args: P.args, **kwargs: P.kwargs) -> R:
            key = _identities(parts(*args, **kwargs))
            found = memory.get(key)
            return found[1] if found else memory.put(key, args, function(*args, **kwargs))

        return answer

    return decorate


class _Memory(Generic[R]):
    """Answers by key, each with the objects whose identities its key is made of."""

    def __init__(self) -> None:
        self._young: dict[Parts, tuple[Parts, R]] = {}
        self._old: dict[Parts, tuple[Parts, R]] = {}
        _forgetting.append(self._forget)

    def get(self, key: Parts) -> tuple[Parts, R] | None:
        found = self._young.get(key)
        if found is None and key in self._old:
            found = self._old[key]
            self.put(key, *found)
        return found

    def put(self, key: Parts, held: Parts, value: R) -> R:
        self._young[key] = (held, value)
        if len(self._young) > _MOST:
            self._young, self._old = {}, self._young
        return value

    def _forget(self) -> None:
        self._young, self._old = {}, {}


def forget_all() -> None:
    """Forget every answer of every function, as a new process would."""
    for forget in _forgetting:
        forget()


def _identities(parts: Parts) -> Parts:
    return tuple([part if isinstance(part, str) else id(part) for part in parts])
