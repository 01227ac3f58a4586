"""Render the function `sql`, whose overloads map each literal to its typed function."""

from __future__ import annotations

import re
from collections.abc import Sequence

from aiosqlc.emit.bodies import define, parameters, returns
from aiosqlc.emit.imports import import_lines
from aiosqlc.emit.literal import indented, line_literal
from aiosqlc.inline.find import FUNCTION
from aiosqlc.inline.gather import Part
from aiosqlc.ir import Command
from aiosqlc.plan.model import Import, PyFunction, PyModule

_BODY = '''\
def {function}(text: str, /) -> Any:
    """Return the function of a query that was compiled.

    Raises `LookupError` for another text.
    """
    found = _FUNCTIONS.get(text)
    if found is None:
        caller = sys._getframe(1)
        place = f"{{caller.f_code.co_filename}}:{{caller.f_lineno}}"
        raise LookupError(f"{{place}}: this SQL was not compiled; run `{command}`")
    return found'''


_ABSTRACT = frozenset({"AsyncIterator", "Iterable", "Iterator", "Mapping", "Sequence"})


def print_inline(header: str, parts: Sequence[Part], module: PyModule, command: str) -> str:
    """Return the source of the module. `command` is the command line that writes the module."""
    functions = {function.query_name: function for function in module.functions}
    here = module.functions[0].executor[0].removesuffix("executor")
    blocks = [_protocol(part.name, functions[part.name]) for part in parts]
    overloads = [_overload(part, single=len(parts) == 1) for part in parts]
    entries = [
        f"    {line_literal(part.literal.text)}: {module.path.stem}.{functions[part.name].name},"
        for part in parts
    ]
    table = "\n".join(["_FUNCTIONS: Final[Mapping[str, Any]] = {", *entries, "}"])
    body = _BODY.format(function=FUNCTION, command=command)
    if len(parts) == 1:
        body = body.replace(
            "text: str, /) -> Any", f"{_annotated(parts[0])}, /) -> {_name(parts[0].name)}"
        )
        body = body.replace("    return found", f"    return cast({_name(parts[0].name)!r}, found)")
    return "\n".join(
        (
            header,
            '"""The queries that Python files write as literals: `sql("SELECT …")`."""',
            "",
            *import_lines(_imports(module, here, single=len(parts) == 1), module.first_party),
            "",
            "\n\n\n".join([*blocks, table, "\n\n\n".join([*overloads, body])]),
            "",
        )
    )


def _name(name: str) -> str:
    return f"_{name}"


def _protocol(name: str, function: PyFunction) -> str:
    """Return the source of the Protocol that types the function of a query."""
    receivers = f"{function.local('self')}, db: {function.executor[1]}"
    # The generator starts when it is read, so the call itself is not awaited.
    start = "def" if function.command is Command.STREAM else define(function)
    head = f"{start} __call__({parameters(function, receivers)})"
    return indented(f"class {_name(name)}(Protocol):", [f"{head} -> {returns(function)}: ..."])


def _annotated(part: Part) -> str:
    return f"text: Literal[{line_literal(part.literal.text)}]"


def _overload(part: Part, *, single: bool) -> str:
    if single:  # a type checker refuses one overload alone
        return ""
    return f"@overload\ndef {FUNCTION}({_annotated(part)}, /) -> {_name(part.name)}: ..."


def _imports(module: PyModule, here: str, *, single: bool) -> set[Import]:
    used = ["Any", "Final", "Literal", "Protocol", "cast" if single else "overload"]
    found: set[Import] = {("sys", ""), ("collections.abc", "Mapping")}
    found |= {("typing", name) for name in used}
    found.add((here.rstrip(".") or ".", module.path.stem))
    for function in module.functions:
        found.add(function.executor)
        text = f"{parameters(function, '')} {returns(function)}"
        words = set(re.findall(r"\w+", text))
        found |= {("collections.abc", name) for name in _ABSTRACT & words}
        if "SequenceNotStr" in words:
            found.add((f"{here}executor", "SequenceNotStr"))
        for param in function.params:
            found |= param.type.imports_in(param.type.annotation)
        found |= {item for item in function.imports if (item[1] or item[0]) in words}
        found |= {(f"{here}{module.path.stem}", cls.name) for cls in function.own_classes}
    return found
