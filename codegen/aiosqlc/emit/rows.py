"""Prints how rows become objects: positionally where nothing is converted, by name otherwise."""

from __future__ import annotations

from aiosqlc.config.project import ModelKind
from aiosqlc.plan.model import PyClass, PyRow


def starmapped(row: PyRow) -> bool:
    """Whether a row's values are the class's arguments as they come."""
    return row.cls is not None and row.plain and row.cls.kind is not ModelKind.PYDANTIC


def from_rows(row: PyRow, rows: str, value: str) -> str:
    """Return the expression that makes a list of results of a list of rows."""
    if row.cls is None:
        return f"[{bare_value(row, value)} for ({value},) in {rows}]"
    if starmapped(row):
        return f"list(starmap({row.cls.name}, {rows}))"
    return f"[{construct(row)} for {', '.join(row.names)} in {rows}]"


def from_row(row: PyRow, name: str) -> list[str]:
    """Return the statements that return the object of the row in variable `name`."""
    if row.cls and starmapped(row):
        return [f"return {row.cls.name}(*{name})"]
    return [f"{', '.join(row.names)} = {name}", f"return {construct(row)}"]


def bare_value(row: PyRow, name: str) -> str:
    """Return the expression for the only column of a row, in variable `name`."""
    return row.columns[0].decode.replace("{}", name) or name


def construct(row: PyRow) -> str:
    """Return the expression that builds a row object of its columns' local names."""
    assert row.cls is not None  # noqa: S101  # bare values are not constructed
    arguments: list[str] = []
    nested = {item.first: item for item in row.nested}
    fields = iter(row.cls.fields)
    position = 0
    while position < len(row.columns):
        item = nested.get(position)
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
    arguments = []
    for name, item in zip(row.names[first:], cls.fields, strict=False):
        value = item.type.decode.replace("{}", name) or name
        arguments.append(_argument(cls, item.name, value))
    return f"{cls.name}({', '.join(arguments)})"


def _argument(cls: PyClass, name: str, value: str) -> str:
    return f"{name}={value}" if cls.kind is ModelKind.PYDANTIC else value
