"""Finds names that would mean two things; renaming silently would hide the difference."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from aiosqlc.diagnostics import Diagnostic, Label
from aiosqlc.plan.model import PyField, PyModule, PyParam
from aiosqlc.stages import TypedQuery

EXECUTOR_ARGUMENT = "db"


def _twice(names: Iterable[str]) -> list[str]:
    seen: set[str] = set()
    return [name for name in names if name in seen or seen.add(name)]  # type: ignore[func-returns-value]  # adds while it filters


def _at_name(query: TypedQuery, text: str) -> tuple[Label, ...]:
    return (Label(query.parsed.file, query.parsed.name_span, text),)


def check_fields(query: TypedQuery, fields: Sequence[PyField]) -> list[Diagnostic]:
    """Two columns of a row may not have one name."""
    return [
        Diagnostic(
            "E401",
            f"two columns would both be called `{name}`",
            _at_name(query, "in this query's row"),
            hint=f"give one another name: `… AS other_{name}`",
        )
        for name in dict.fromkeys(_twice(item.name for item in fields))
    ]


def check_parameters(query: TypedQuery, params: Sequence[PyParam]) -> list[Diagnostic]:
    """Two parameters may not have one name, and none the executor's."""
    problems = [
        Diagnostic(
            "E402",
            f"two parameters would both be called `{name}`",
            _at_name(query, "of this query's function"),
            hint="name them yourself: `@name` or `sqlc.arg(name)`",
        )
        for name in dict.fromkeys(_twice(item.name for item in params))
    ]
    if any(item.name == EXECUTOR_ARGUMENT for item in params):
        problems.append(
            Diagnostic(
                "E403",
                f"a parameter cannot be called `{EXECUTOR_ARGUMENT}`",
                _at_name(query, "the function's first argument is called so"),
                hint="name it otherwise: `@name` or `sqlc.arg(name)`",
            )
        )
    return problems


def check_module(module: PyModule, queries: Sequence[TypedQuery]) -> list[Diagnostic]:
    """Functions, constants, classes and imports of one module need distinct names."""
    by_name = {query.parsed.name: query for query in queries}
    owners: dict[str, str] = {}
    for _, imported in sorted(module.imports):
        owners[imported] = "an import"
    problems = []
    for function in module.functions:
        own = [function.name, function.constant]
        own += [cls.name for cls in function.own_classes]
        for name in own:
            other = owners.setdefault(name, f"query `{function.query_name}`")
            if other != f"query `{function.query_name}`":
                problems.append(_clash(by_name[function.query_name], name, other))
    for name in _twice([*(e.name for e in module.enums), *(c.name for c in module.classes)]):
        message = f"two shared classes would both be called `{name}`"
        problems.append(Diagnostic("E404", message, hint="rename one of the tables or types"))
    return problems


def _clash(query: TypedQuery, name: str, other: str) -> Diagnostic:
    return Diagnostic(
        "E404",
        f"`{name}` is the name of {other} already",
        _at_name(query, f"would define `{name}` again"),
        hint="rename this query",
    )
