"""Keeps the answers of a function for the very objects it was asked about."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Generic, ParamSpec, TypeVar

K = TypeVar("K")
V = TypeVar("V")
P = ParamSpec("P")
R = TypeVar("R")

Parts = tuple[object, ...]

_memories: list[Recent[Any, Any]] = []
_MOST = 20_000  # answers of one function; twice this many are in memory at most


def kept(function: Callable[P, R]) -> Callable[P, R]:
    """Answer from memory where every argument is the same object (or an equal string) as before.

    Comparing by identity costs nothing however large a value is. The objects asked about are held
    on to, so that an identity is never another's. What was not asked for in a while is forgotten.
    """
    memory: Recent[Parts, tuple[Parts, R]] = Recent()

    @wraps(function)
    def answer(*args: P.args, **kwargs: P.kwargs) -> R:
        if kwargs:
            return function(*args, **kwargs)
        key = _identities(args)
        found = memory.get(key)
        if found is None:
            found = (args, function(*args, **kwargs))
            memory.put(key, found)
        return found[1]

    return answer


class KeptBy(Generic[P, R]):
    """A function that answers from memory where certain parts of its arguments are the same."""

    def __init__(self, function: Callable[P, R], parts: Callable[..., Parts]) -> None:
        self._function = function
        self._parts = parts
        self._asked: Recent[Parts, tuple[Parts, R]] = Recent()
        self._answers: Recent[Parts, tuple[Parts, R]] = Recent()

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Answer from memory, or ask the function."""
        if kwargs:
            return self._function(*args, **kwargs)
        found = self._find(*args)
        return found[1] if found else self.learn(args, self._function(*args, **kwargs))

    def knows(self, args: Parts) -> bool:
        """Whether the answer about these arguments is in memory."""
        return self._find(*args) is not None

    def learn(self, args: Parts, answer: R) -> R:
        """Take the answer about these arguments, which another process may have found."""
        found = (args, answer)
        self._asked.put(_identities(args), found)
        self._answers.put(_identities(self._parts(*args)), found)
        return answer

    def _find(self, *args: object) -> tuple[Parts, R] | None:
        found = self._asked.get(key := _identities(args))
        if found is None:
            found = self._answers.get(_identities(self._parts(*args)))
            if found is not None:
                self._asked.put(key, (args, found[1]))
        return found


def kept_by(parts: Callable[P, Parts]) -> Callable[[Callable[P, R]], KeptBy[P, R]]:
    """Do the same where only these parts of the arguments, not their places, make the answer.

    `parts` names all that the function reads, each a string or an object the arguments hold.
    """

    def decorate(function: Callable[P, R]) -> KeptBy[P, R]:
        return KeptBy(function, parts)

    return decorate


def kept_equal(function: Callable[P, R]) -> Callable[P, R]:
    """Do the same where every argument is equal to that of before: each can be hashed."""
    memory: Recent[Parts, tuple[R]] = Recent()

    @wraps(function)
    def answer(*args: P.args, **kwargs: P.kwargs) -> R:
        key = (*args, *kwargs.items())
        found = memory.get(key)
        if found is None:
            found = (function(*args, **kwargs),)
            memory.put(key, found)
        return found[0]

    return answer


class Recent(Generic[K, V]):
    """Values by key, as long as they are asked for; all of them belong to `grow_old`."""

    def __init__(self) -> None:
        self._young: dict[K, V] = {}
        self._old: dict[K, V] = {}
        _memories.append(self)

    def get(self, key: K) -> V | None:
        """Return a value, which is young again."""
        found = self._young.get(key)
        if found is None and key in self._old:
            found = self._old[key]
            self.put(key, found)
        return found

    def put(self, key: K, value: V) -> None:
        """Take a value."""
        self._young[key] = value
        if len(self._young) > _MOST:
            self.grow_old()

    def grow_old(self) -> None:
        """Forget what was not asked for since the last time."""
        self._young, self._old = {}, self._young

    def clear(self) -> None:
        """Forget everything."""
        self._young, self._old = {}, {}


def forget_all() -> None:
    """Forget every answer of every function, as a new process would."""
    for memory in _memories:
        memory.clear()


def grow_old() -> None:
    """Forget what was not asked for since the last time.

    A process that lives long calls it now and then: each text that someone has typed would stay in
    memory otherwise, until so many others are there.
    """
    for memory in _memories:
        memory.grow_old()


def _identities(parts: Parts) -> Parts:
    return tuple([part if isinstance(part, str) else id(part) for part in parts])
