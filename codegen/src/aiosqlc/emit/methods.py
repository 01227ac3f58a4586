"""Render the functions of a module as methods of a class, with a Protocol for test doubles."""

from __future__ import annotations

from collections.abc import Collection

from aiosqlc.emit.bodies import body, define, parameters, returns
from aiosqlc.emit.keyed import print_loader
from aiosqlc.emit.literal import docstring, indented
from aiosqlc.ir import Command
from aiosqlc.plan.model import PyFunction, PyModule


def print_methods(module: PyModule) -> list[str]:
    """Return the source of the class, and of its Protocol if the configuration requests it."""
    executors = needed(dict.fromkeys(function.executor[1] for function in module.functions))
    blocks = [_protocol(module)] if module.protocol else []
    if len(executors) > 1:
        blocks.append(_connection(executors))
    kind = "Connection" if len(executors) > 1 else executors[0]
    return [*blocks, _class(module, kind)]


def needed(executors: Collection[str]) -> list[str]:
    """Return the executor Protocols that a class needs. `Executor` includes `Reader`."""
    covered = {"Reader": "Executor", "StreamReader": "StreamExecutor"}
    return [name for name in executors if covered.get(name) not in executors]


def _connection(executors: list[str]) -> str:
    head = f"class Connection({', '.join(executors)}, Protocol):"
    return indented(
        head, [docstring(("The methods that the queries of this module call on a connection.",))]
    )


def _class(module: PyModule, kind: str) -> str:
    init = indented(f"def __init__(self, db: {kind}) -> None:", ["self._db = db"])
    methods = [init]
    for function in module.functions:
        methods.append(_method(function))
        if function.keyed and function.keyed.loader:
            methods.append(print_loader(function, "self", "self."))
    body = [docstring(module.doc), "", '__slots__ = ("_db",)']
    for method in methods:
        body += ["", method]
    return indented(f"class {module.class_name}:", body)


def _method(function: PyFunction) -> str:
    lines = body(function, "self._db")
    doc = [docstring(function.doc)] if function.doc else []
    return indented(_head(function), doc + lines)


def _head(function: PyFunction) -> str:
    arguments = parameters(function, "self")
    return f"{define(function)} {function.name}({arguments}) -> {returns(function)}:"


def _protocol(module: PyModule) -> str:
    text = f"The methods of {module.class_name}, for example for a test double."
    body = [docstring((text,))]
    for function in module.functions:
        head = _head(function)
        # Calling the function returns the iterator immediately.
        if function.command is Command.STREAM:
            head = head.removeprefix("async ")
        doc = [docstring(function.doc)] if function.doc else []
        body += ["", indented(head, [*doc, "..."])]
    return indented(f"class {module.class_name}Protocol(Protocol):", body)
