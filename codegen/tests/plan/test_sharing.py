"""Functions of one module share the code that builds their rows, under a free name."""

from __future__ import annotations

import pytest
from aiosqlc.config.project import ModelKind
from aiosqlc.ir import Command
from aiosqlc.plan.model import PyClass, PyField, PyFunction, PyParam, PyRow, PyType
from aiosqlc.plan.sharing import share_builders
from msgspec.structs import replace

MOOD = PyType("Mood", decode="MOOD_BY_LABEL[{}]")
PLAIN = PyType("str")


def query(
    name: str, *columns: PyType, cls: str = "Task", params: tuple[str, ...] = ()
) -> PyFunction:
    fields = tuple(PyField(f"field_{n}", column) for n, column in enumerate(columns))
    made = PyClass(cls, ModelKind.DATACLASS, fields)
    row = PyRow(cls, columns, tuple(field.name for field in fields), made)
    arguments = tuple(PyParam(param, PLAIN, param) for param in params)
    executor = (".executor", "Executor")
    upper = name.upper()
    return PyFunction(
        name, upper, name, "SELECT", Command.MANY, arguments, params, executor, row=row
    )


def builders(*functions: PyFunction) -> list[str]:
    return [found.row.builder for found in share_builders(functions) if found.row]


@pytest.mark.parametrize(
    ("functions", "wanted"),
    [
        ((query("one", MOOD, PLAIN), query("two", MOOD, PLAIN)), ["_task", "_task"]),
        ((query("one", MOOD, PLAIN),), [""]),
        ((query("one", PLAIN, PLAIN), query("two", PLAIN, PLAIN)), ["", ""]),
        ((query("one", MOOD), query("two", MOOD, cls="Other")), ["", ""]),
        ((query("one", MOOD), query("two", replace(MOOD, decode="other({})"))), ["", ""]),
        ((query("one", MOOD, params=("_task",)), query("two", MOOD)), ["_task_", "_task_"]),
        ((query("_task", MOOD), query("two", MOOD)), ["_task_", "_task_"]),
    ],
    ids=[
        "two queries that convert alike share a function",
        "one query alone converts in its own body",
        "rows that are passed on as they come need none",
        "rows of different classes have nothing in common",
        "rows of one class that are converted otherwise have nothing in common",
        "no parameter hides the function",
        "no query is called like the function",
    ],
)
def test_rows_of_one_class_are_built_in_one_place(
    functions: tuple[PyFunction, ...], wanted: list[str]
) -> None:
    assert builders(*functions) == wanted


def test_the_first_query_that_needs_it_defines_it() -> None:
    found = share_builders([query("one", MOOD), query("two", MOOD)])
    assert [function.defines_builder for function in found] == [True, False]
