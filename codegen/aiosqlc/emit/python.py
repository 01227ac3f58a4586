"""Prints a planned module as Python source that reads as if a person wrote it."""

from __future__ import annotations

from collections.abc import Iterable

from aiosqlc.config.project import ModelKind
from aiosqlc.emit.imports import import_lines
from aiosqlc.emit.literal import docstring, line_literal, text_literal
from aiosqlc.plan.model import Import, PyClass, PyEnum, PyFunction, PyModule, PyRow
from aiosqlc.stages import Command


def print_module(module: PyModule, header: str) -> str:
    """Return a module's source, before the formatter: layout of long lines is left to it."""
    blocks = [_enum(enum) for enum in module.enums]
    blocks += [_class(cls) for cls in module.classes]
    imports = set(module.imports)
    for cls in _classes(module):
        imports.add(_CLASS_IMPORTS[cls.kind])
    if module.enums:
        imports |= {("enum", "StrEnum"), ("typing", "Final")}
    for function in module.functions:
        blocks.append(_constant(function))
        if function.own_class:
            blocks.append(_class(function.own_class))
        blocks.append(_function(function))
        imports |= {("typing", "Final"), *_function_imports(function)}
    head = [header, docstring((module.doc,)), ""]
    lines = import_lines(imports, module.first_party)
    return "\n".join([*head, *lines, *lines[:0]]) + "\n\n" + "\n\n\n".join(blocks) + "\n"


def _classes(module: PyModule) -> Iterable[PyClass]:
    yield from module.classes
    for function in module.functions:
        if function.own_class:
            yield function.own_class


_CLASS_IMPORTS: dict[ModelKind, Import] = {
    ModelKind.DATACLASS: ("dataclasses", "dataclass"),
    ModelKind.MSGSPEC: ("msgspec", ""),
    ModelKind.PYDANTIC: ("pydantic", "BaseModel"),
    ModelKind.ATTRS: ("attrs", ""),
}


def _class(cls: PyClass) -> str:
    gc = ", gc=False" if cls.atomic else ""
    head = {
        ModelKind.DATACLASS: f"@dataclass(slots=True)\nclass {cls.name}:",
        ModelKind.MSGSPEC: f"class {cls.name}(msgspec.Struct, frozen=True{gc}):",
        ModelKind.PYDANTIC: f"class {cls.name}(BaseModel):",
        ModelKind.ATTRS: f"@attrs.define\nclass {cls.name}:",
    }[cls.kind]
    body = [f"{item.name}: {item.type.annotation}" for item in cls.fields]
    if cls.doc:
        body = [docstring((cls.doc,)), "", *body]
    return _indented(head, body)


def _enum(enum: PyEnum) -> str:
    body = [docstring((enum.doc,)), ""] if enum.doc else []
    body += [f"{name} = {line_literal(label)}" for name, label in enum.members]
    cls = _indented(f"class {enum.name}(StrEnum):", body)
    return f"{cls}\n\n\n{enum.table}: Final = {{label.value: label for label in {enum.name}}}"


def _constant(function: PyFunction) -> str:
    return f"{function.constant}: Final = {text_literal(function.sql)}"


def _function(function: PyFunction) -> str:
    params = ["db: Executor"]
    if function.params:
        params.append("*")
        for item in function.params:
            default = f" = {item.default}" if item.default else ""
            params.append(f"{item.name}: {item.type.annotation}{default}")
    head = f"async def {function.name}({', '.join(params)}) -> {_returns(function)}:"
    body = [docstring(function.doc)] if function.doc else []
    return _indented(head, body + _BODIES[function.command](function))


def _indented(head: str, body: list[str]) -> str:
    lines = [f"    {line}" if line else "" for part in body for line in part.split("\n")]
    return "\n".join([head, *lines])


def _returns(function: PyFunction) -> str:
    row = function.row.annotation if function.row else "None"
    if function.command is Command.MANY:
        return f"list[{row}]"
    if function.command is Command.ONE:
        return row if function.exactly_one or row.endswith("None") else f"{row} | None"
    return {Command.EXECROWS: "int", Command.EXECRESULT: "str"}.get(function.command, "None")


def _call(function: PyFunction) -> str:
    return ", ".join((function.constant, *function.arguments))


def _exec(function: PyFunction) -> list[str]:
    return [f"await db.execute({_call(function)})"]


def _execresult(function: PyFunction) -> list[str]:
    return [f"return await db.execute({_call(function)})"]


def _execrows(function: PyFunction) -> list[str]:
    if not function.counts_rows:  # such as CREATE TABLE: the status has no number
        return [*_exec(function), "return 0"]
    return [
        f"status = await db.execute({_call(function)})",
        'return int(status.rpartition(" ")[2])',
    ]


def _many(function: PyFunction) -> list[str]:
    row = _row(function)
    fetched = f"rows = await db.fetch({_call(function)})"
    if row.cls is None:
        value = row.columns[0].decode.replace("{}", "value") or "value"
        return [fetched, f"return [{value} for (value,) in rows]"]
    if row.plain and row.cls.kind is not ModelKind.PYDANTIC:
        return [fetched, f"return list(starmap({row.cls.name}, rows))"]
    names = ", ".join(row.names)
    return [fetched, f"return [{_construct(row)} for {names} in rows]"]


def _one(function: PyFunction) -> list[str]:
    row = _row(function)
    if row.cls is None:
        return _one_value(function, row)
    if function.exactly_one:
        lines = [f"(row,) = await db.fetch({_call(function)})"]
    else:
        lines = [f"row = await db.fetchrow({_call(function)})"]
    if row.plain and row.cls.kind is not ModelKind.PYDANTIC:
        built = f"{row.cls.name}(*row)"
        return [
            *lines,
            f"return {built}"
            if function.exactly_one
            else f"return None if row is None else {built}",
        ]
    if not function.exactly_one:
        lines += ["if row is None:", "    return None"]
    return [*lines, f"{', '.join(row.names)} = row", f"return {_construct(row)}"]


def _one_value(function: PyFunction, row: PyRow) -> list[str]:
    decode = row.columns[0].decode
    call = f"await db.fetchval({_call(function)})"
    if not decode:
        return [f"value: {_returns(function)} = {call}", "return value"]
    value = decode.replace("{}", "value")
    if not function.exactly_one and not value.startswith("None if value is None"):
        value = f"None if value is None else {value}"
    return [f"value = {call}", f"return {value}"]


def _row(function: PyFunction) -> PyRow:
    assert function.row is not None  # noqa: S101  # commands that return rows were checked to have columns
    return function.row


def _construct(row: PyRow) -> str:
    """Return the expression that builds a row object of its columns' local names."""
    assert row.cls is not None  # noqa: S101  # bare values are not constructed
    arguments: list[str] = []
    nested = {item.first: item for item in row.nested}
    position = 0
    fields = iter(row.cls.fields)
    while position < len(row.columns):
        item = nested.get(position)
        if item is None:
            value = row.columns[position].decode.replace("{}", row.names[position])
            value = value or row.names[position]
            position += 1
        else:
            value = _object(item.cls, row, position)
            if item.presence is not None:
                value = f"None if {row.names[item.presence]} is None else {value}"
            position += item.count
        name = next(fields).name
        arguments.append(f"{name}={value}" if row.cls.kind is ModelKind.PYDANTIC else value)
    return f"{row.cls.name}({', '.join(arguments)})"


def _object(cls: PyClass, row: PyRow, first: int) -> str:
    arguments = []
    for offset, item in enumerate(cls.fields):
        name = row.names[first + offset]
        value = item.type.decode.replace("{}", name) or name
        arguments.append(f"{item.name}={value}" if cls.kind is ModelKind.PYDANTIC else value)
    return f"{cls.name}({', '.join(arguments)})"


_BODIES = {
    Command.EXEC: _exec,
    Command.EXECRESULT: _execresult,
    Command.EXECROWS: _execrows,
    Command.MANY: _many,
    Command.ONE: _one,
}


def _function_imports(function: PyFunction) -> set[Import]:
    row = function.row
    if (
        function.command is Command.MANY
        and row
        and row.cls
        and row.plain
        and row.cls.kind is not ModelKind.PYDANTIC
    ):
        return {("itertools", "starmap")}
    return set()
