"""Prints what the function of each command does."""

from __future__ import annotations

from collections.abc import Callable

from aiosqlc.emit.rows import bare_value, construct, from_row, from_rows, starmapped
from aiosqlc.plan.model import Import, PyFunction, PyRow
from aiosqlc.stages import Command


def returns(function: PyFunction) -> str:
    """Return the annotation of a function's result."""
    row = function.row.annotation if function.row else "None"
    one = row if function.exactly_one or row.endswith("None") else f"{row} | None"
    return {
        Command.ONE: one,
        Command.MANY: f"list[{row}]",
        Command.STREAM: f"AsyncIterator[{row}]",
        Command.EXECROWS: "int",
        Command.EXECRESULT: "str",
        Command.COPYFROM: "int",
        Command.BATCHONE: f"list[{one}]",
        Command.BATCHMANY: f"list[list[{row}]]",
    }.get(function.command, "None")


def body(function: PyFunction) -> list[str]:
    """Return the statements of a function, after its docstring."""
    prepare = _arguments(function)
    return prepare + _BODIES[function.command](function)


def body_imports(function: PyFunction) -> set[Import]:
    """Return what the statements and the result's annotation need."""
    found: set[Import] = set()
    many = {Command.MANY, Command.BATCHMANY, Command.STREAM}
    if function.command in many and function.row and starmapped(function.row):
        found.add(("itertools", "starmap"))
    if function.command is Command.STREAM:
        found.add(("collections.abc", "AsyncIterator"))
    if function.batch:
        found.add(("collections.abc", "Iterable"))
    return found


def _arguments(function: PyFunction) -> list[str]:
    """Gather the arguments of a dynamic query: only those its chosen text has."""
    choice = function.choice
    if choice is None:
        return []
    lines: list[str] = []
    leading: list[str] = []
    conditional = [bool(condition) for condition, _ in choice.arguments]
    split = conditional.index(True) if True in conditional else len(conditional)
    leading = [expression for _, expression in choice.arguments[:split]]
    if split == len(conditional):
        return []
    lines.append(f"arguments: list[object] = [{', '.join(leading)}]")
    for condition, expression in choice.arguments[split:]:
        if condition:
            lines += [f"if {condition}:", f"    arguments.append({expression})"]
        else:
            lines.append(f"arguments.append({expression})")
    return lines


def _call(function: PyFunction) -> str:
    """Return what goes between the parentheses of the executor's method."""
    choice = function.choice
    if choice is None:
        return ", ".join((function.constant, *function.arguments))
    text = f"{function.constant}[{', '.join(choice.selectors)}]"
    if any(condition for condition, _ in choice.arguments):
        return f"{text}, *arguments"
    return ", ".join((text, *(expression for _, expression in choice.arguments)))


def _exec(function: PyFunction) -> list[str]:
    return [f"await db.execute({_call(function)})"]


def _execresult(function: PyFunction) -> list[str]:
    return [f"return await db.execute({_call(function)})"]


_COUNT = 'return int(status.rpartition(" ")[2])'


def _execrows(function: PyFunction) -> list[str]:
    if not function.counts_rows:  # such as CREATE TABLE: the status has no number
        return [*_exec(function), "return 0"]
    return [f"status = await db.execute({_call(function)})", _COUNT]


def _many(function: PyFunction) -> list[str]:
    return [f"rows = await db.fetch({_call(function)})", f"return {from_rows(_row(function))}"]


def _one(function: PyFunction) -> list[str]:
    row = _row(function)
    if row.cls is None:
        return _one_value(function, row)
    if function.exactly_one:
        return [f"(row,) = await db.fetch({_call(function)})", *from_row(row)]
    fetched = f"row = await db.fetchrow({_call(function)})"
    if starmapped(row):
        return [fetched, f"return None if row is None else {row.cls.name}(*row)"]
    return [fetched, "if row is None:", "    return None", *from_row(row)]


def _one_value(function: PyFunction, row: PyRow) -> list[str]:
    value = bare_value(row)
    call = f"await db.fetchval({_call(function)})"
    if value == "value":
        return [f"value: {returns(function)} = {call}", "return value"]
    if not function.exactly_one and not value.startswith("None if value is None"):
        value = f"None if value is None else {value}"
    return [f"value = {call}", f"return {value}"]


def _stream(function: PyFunction) -> list[str]:
    row = _row(function)
    if row.cls is None:
        each = ["    for (value,) in rows:", f"        yield {bare_value(row)}"]
    elif starmapped(row):
        each = [f"    for row in starmap({row.cls.name}, rows):", "        yield row"]
    else:
        each = [f"    for {', '.join(row.names)} in rows:", f"        yield {construct(row)}"]
    return [
        f"cursor = await db.cursor({_call(function)})",
        "while rows := await cursor.fetch(chunk):",
        *each,
    ]


def _copyfrom(function: PyFunction) -> list[str]:
    copy = function.copy
    assert copy is not None  # noqa: S101  # planned for every :copyfrom
    schema = f'schema_name="{copy.schema}", ' if copy.schema else ""
    columns = ", ".join(f'"{name}"' for name in copy.columns)
    rest = f"columns=[{columns}], records={_records(function)}"
    return [
        f'status = await db.copy_records_to_table("{copy.table}", {schema}{rest})',
        _COUNT,
    ]


def _records(function: PyFunction) -> str:
    values = ", ".join(function.arguments)
    comma = "," if len(function.arguments) == 1 else ""
    return f"[({values}{comma}) for item in batch]"


def _batchexec(function: PyFunction) -> list[str]:
    return [f"await db.executemany({function.constant}, {_records(function)})"]


def _batchmany(function: PyFunction) -> list[str]:
    return [
        f"results: {returns(function)} = []",
        "for item in batch:",
        f"    rows = await db.fetch({_call(function)})",
        f"    results.append({from_rows(_row(function))})",
        "return results",
    ]


def _batchone(function: PyFunction) -> list[str]:
    row = _row(function)
    if row.cls is None:
        built = bare_value(row)
        names = "(value,)"
    elif starmapped(row):
        built, names = f"{row.cls.name}(*row)", ""
    else:
        built, names = construct(row), ", ".join(row.names)
    lines = [f"results: {returns(function)} = []", "for item in batch:"]
    if function.exactly_one:
        lines.append(f"    (row,) = await db.fetch({_call(function)})")
    else:
        lines += [
            f"    row = await db.fetchrow({_call(function)})",
            "    if row is None:",
            "        results.append(None)",
            "        continue",
        ]
    if names:
        lines.append(f"    {names} = row")
    return [*lines, f"    results.append({built})", "return results"]


def _row(function: PyFunction) -> PyRow:
    assert function.row is not None  # noqa: S101  # commands that return rows have columns
    return function.row


_BODIES: dict[Command, Callable[[PyFunction], list[str]]] = {
    Command.EXEC: _exec,
    Command.EXECRESULT: _execresult,
    Command.EXECROWS: _execrows,
    Command.MANY: _many,
    Command.ONE: _one,
    Command.STREAM: _stream,
    Command.COPYFROM: _copyfrom,
    Command.BATCHEXEC: _batchexec,
    Command.BATCHMANY: _batchmany,
    Command.BATCHONE: _batchone,
}
