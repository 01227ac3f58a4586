"""Wrap the functions of generated modules: those already imported, and those imported later."""

from __future__ import annotations

import asyncio
import inspect
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import wraps
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

from aiosqlc.loops.calls import Query, note, started
from aiosqlc.loops.frames import MARK, caller


def wrap_generated() -> None:
    """Wrap the functions of generated modules: those already imported, and those imported later."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())
    for module in list(sys.modules.values()):
        origin = getattr(module, "__file__", None)
        if isinstance(origin, str) and _is_generated(origin) and not hasattr(module, _DONE):
            _replace(_wrap(module))


def trace_tasks() -> None:
    """Remember for each task which line of the program started it."""
    loops: list[Any] = [asyncio.BaseEventLoop]
    loops += [sys.modules["uvloop"].Loop] if "uvloop" in sys.modules else []
    for loop in loops:
        if not hasattr(loop.create_task, _DONE):
            loop.create_task = _traced(loop.create_task)


_DONE = "__aiosqlc__"
_READS = ("SELECT", "WITH", "TABLE", "VALUES")


def _traced(create_task: Callable[..., asyncio.Task[object]]) -> Callable[..., Any]:
    @wraps(create_task)
    def traced(*args: Any, **kwargs: Any) -> asyncio.Task[object]:
        task = create_task(*args, **kwargs)
        started(task, caller())
        return task

    setattr(traced, _DONE, True)
    return traced


def _is_generated(path: str) -> bool:
    """Return whether a file is a generated module of queries: its first line names the source."""
    if not path.endswith(".py"):
        return False
    try:
        with Path(path).open("rb") as file:
            first = file.readline(500)
    except OSError:
        return False
    return first.startswith(MARK) and b"` from " in first


def _wrap(module: ModuleType) -> dict[FunctionType, Callable[..., Any]]:
    """Wrap each function of a module that sends a query, and return the wrappers."""
    setattr(module, _DONE, True)
    found: dict[FunctionType, Callable[..., Any]] = {}
    holders = [module, *(item for item in vars(module).values() if inspect.isclass(item))]
    for holder in holders:
        if holder is not module and holder.__module__ != module.__name__:
            continue
        for name, function in list(vars(holder).items()):
            if _sends(function, module):
                found[function] = _counted(function, _query(function, module))
                setattr(holder, name, found[function])
    return found


def _sends(function: object, module: ModuleType) -> bool:
    """Return whether a function uses a constant of its module that contains SQL texts."""
    if not isinstance(function, FunctionType) or function.__name__.startswith("_"):
        return False
    return any(
        name.isupper() and isinstance(getattr(module, name, None), str | dict)
        for name in function.__code__.co_names
    )


def _query(function: FunctionType, module: ModuleType) -> Query:
    owner = function.__qualname__.rpartition(".")[0]
    many = f"{function.__name__}_many"
    batch = getattr(getattr(module, owner) if owner else module, many, None)
    text = getattr(module, function.__name__.upper(), "")
    text = str(next(iter(text.values()), "") if isinstance(text, dict) else text)
    if inspect.isfunction(batch) and _returns(batch).startswith("dict["):
        keys = next(iter(set(_params(batch)) - set(_params(function))), "keys")
        remedy = f"call {many}(…, {keys}=…) once, which returns a dict, or use its loader"
    elif _returns(function).startswith("dict["):
        remedy = "collect the keys, and call the function once"
    elif text.lstrip("( ").upper().startswith(_READS):
        remedy = (
            f"if the query reads by a key, add `:batchget` to `-- name: {{name}}`, and call {many}"
        )
    else:
        remedy = "write all rows with one statement: `:bulk`, `:copyfrom` or `:batchexec`"
    package = module.__name__.rpartition(".")[0]
    return Query(f"{module.__name__}.{function.__qualname__}", text, package, remedy)


def _params(function: Callable[..., Any]) -> list[str]:
    return list(inspect.signature(function).parameters)


def _returns(function: Callable[..., Any]) -> str:
    return str(inspect.signature(function).return_annotation)


def _counted(function: FunctionType, query: Query) -> Callable[..., Any]:
    if inspect.iscoroutinefunction(function):

        @wraps(function)
        async def called(*args: Any, **kwargs: Any) -> Any:
            note(query, caller())
            return await function(*args, **kwargs)

        return called

    @wraps(function)
    def started(*args: Any, **kwargs: Any) -> Any:
        note(query, caller())
        return function(*args, **kwargs)

    return started


def _replace(wrapped: dict[FunctionType, Callable[..., Any]]) -> None:
    """In modules that imported functions by name, replace the functions by their wrappers."""
    for module in list(sys.modules.values()):
        for name, value in list(getattr(module, "__dict__", {}).items()):
            if isinstance(value, FunctionType) and value in wrapped:
                setattr(module, name, wrapped[value])


class _Finder(MetaPathFinder):
    """Finds modules with Python's other finders, and wraps the functions of generated modules."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        for spec in self._specs(fullname, path, target):
            if spec.origin and spec.loader and _is_generated(spec.origin):
                spec.loader = _Wrapping(spec.loader)
                return spec
            return None
        return None

    def _specs(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None
    ) -> Iterator[ModuleSpec]:
        for finder in sys.meta_path:
            if finder is not self and hasattr(finder, "find_spec"):
                spec = finder.find_spec(fullname, path, target)
                if spec is not None:
                    yield spec


class _Wrapping(Loader):
    """Loads a generated module, and then wraps its functions."""

    def __init__(self, loader: Loader) -> None:
        self._loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        self._loader.exec_module(module)
        _wrap(module)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)
