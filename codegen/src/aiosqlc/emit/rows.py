"""Render the code that converts the driver's rows to the objects that functions return."""

from __future__ import annotations

from aiosqlc.config.project import ModelKind
from aiosqlc.emit.literal import indented
from aiosqlc.plan.model import PyClass, PyLevel, PyRow

_LONG = 80  # characters that fit on a line with `for` and `in rows` at any indentation


def from_rows(row: PyRow, rows: str, value: str) -> str:
    """Return the expression that turns a list of rows into a list of results."""
    if row.cls is None:
        return f"[{bare_value(row, value)} for ({value},) in {rows}]"
    if row.starmapped or row.builder:
        return f"list({mapped(row, rows)})"
    return f"[{construct(row)} for {unpacked(row)} in {rows}]"


def unpacked(row: PyRow) -> str:
    """Return the assignment targets for a row's values, in parentheses if the line is long."""
    names = targets(row)
    return f"({names})" if len(names) > _LONG else names


def targets(row: PyRow) -> str:
    """Return the assignment targets for a row's values, as a tuple even for a single value."""
    return ", ".join(row.names) if len(row.names) > 1 else f"({row.names[0]},)"


def mapped(row: PyRow, rows: str) -> str:
    """Return an expression that converts all rows to objects with one call."""
    if row.builder:
        return f"map({row.builder}, {rows})"
    assert row.cls is not None  # noqa: S101  # bare values are not built
    return f"starmap({row.cls.name}, {rows})"


def built(row: PyRow, name: str) -> str:
    """Return the expression that builds a row's object, or '' if statements are needed."""
    if row.builder:
        return f"{row.builder}({name})"
    return f"{row.cls.name}(*{name})" if row.cls and row.starmapped else ""


def from_row(row: PyRow, name: str) -> list[str]:
    """Return the statements that convert the row in variable `name` and return the object."""
    if expression := built(row, name):
        return [f"return {expression}"]
    return [f"{targets(row)} = {name}", f"return {construct(row)}"]


def print_builder(row: PyRow) -> str:
    """Return the source of the function that converts a row to an object."""
    assert row.cls is not None  # noqa: S101  # bare values are not built
    head = f"def {row.builder}(row: Iterable[Any]) -> {row.cls.name}:"
    return indented(head, [f"{targets(row)} = row", f"return {construct(row)}"])


def bare_value(row: PyRow, name: str) -> str:
    """Return the expression for the value of a one-column row in variable `name`."""
    return row.columns[0].decode.replace("{}", name) or name


def construct(row: PyRow) -> str:
    """Return the expression that builds a row object from the local names of its columns."""
    assert row.cls is not None  # noqa: S101  # bare values are not built
    arguments: list[str] = []
    nested = {item.first: item for item in row.nested}
    lists = {item.first: item for item in row.nest.levels[1:]} if row.nest else {}
    fields = iter(row.cls.fields)
    position = 0
    while position < len(row.columns):
        item = nested.get(position)
        if level := lists.get(position):
            position += level.count
            if level.parent == 0:
                arguments.append(_argument(row.cls, next(fields).name, "[]"))
            continue
        if item is None:
            value = row.columns[position].decode.replace("{}", row.names[position])
            value = value or row.names[position]
            position += 1
        else:
            value = _nested_object(item.cls, row, position)
            if item.presence is not None:
                value = f"None if {row.names[item.presence]} is None else {value}"
            position += item.count
        arguments.append(_argument(row.cls, next(fields).name, value))
    return f"{row.cls.name}({', '.join(arguments)})"


def _nested_object(cls: PyClass, row: PyRow, first: int) -> str:
    return f"{cls.name}({', '.join(_nested_values(cls, row, first))})"


def _nested_values(cls: PyClass, row: PyRow, first: int) -> list[str]:
    arguments = []
    for name, item in zip(row.names[first:], cls.fields, strict=False):
        value = item.type.decode.replace("{}", name) or name
        arguments.append(_argument(cls, item.name, value))
    return arguments


def construct_with(row: PyRow, level: PyLevel) -> str:
    """Return the expression that builds an object of a nesting level, with empty lists."""
    if row.cls is level.cls:
        return construct(row)
    values = _nested_values(level.cls, row, level.first)[: level.count]
    lists = [_argument(level.cls, field.name, "[]") for field in level.cls.fields[level.count :]]
    return f"{level.cls.name}({', '.join([*values, *lists])})"


def _argument(cls: PyClass, name: str, value: str) -> str:
    return f"{name}={value}" if cls.kind is ModelKind.PYDANTIC else value
