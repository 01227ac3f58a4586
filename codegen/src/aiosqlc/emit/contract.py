"""Generate the test that checks that two engines return equal results."""

from __future__ import annotations

from collections.abc import Iterator

from aiosqlc.config.project import PythonTarget
from aiosqlc.emit.literal import line_literal
from aiosqlc.emit.paired import Planned
from aiosqlc.ir import Command, TypedQuery
from aiosqlc.parse.scanner import Kind, scan
from aiosqlc.plan.model import PyFunction, PyModule
from aiosqlc.source import Dialect

_HEAD = '''\
"""Both engines return equal results. The fixture `engines` has an executor for each engine."""

from typing import Any, Final

import pytest
from aiosqlc.contract import Call, compare

'''
_TEST = '''

@pytest.mark.parametrize("seed", range({seeds}))
async def test_both_engines_answer_alike(engines: tuple[Any, Any], seed: int) -> None:
    """`engines` are executors on two empty databases: {first}, then {second}."""
    await compare(CALLS, *engines, seed=seed{given})
'''
_SEEDS = 4


def print_contract(header: str, target: PythonTarget, first: Planned, second: Planned) -> str:
    """Return the source of the test module that compares the functions of `first` and `second`."""
    engines = (first.entry.engine.value, second.entry.engine.value)
    imports = sorted(
        _import(planned.package, engine)
        for planned, engine in zip((first, second), engines, strict=True)
    )
    queries = {query.parsed.name: query for query in first.queries}
    calls = [
        _call(function, module, second.functions[name][1], queries[name], engines)
        for name, (function, module) in first.functions.items()
        if function.command is not Command.STREAM and not function.keyed
    ]
    lines = [*imports, "", "CALLS: Final = (", *(f"    {call}," for call in calls), ")"]
    if target.contract_values:
        lines += ["GIVEN: Final = {", *_given(target), "}"]
    given = ", given=GIVEN" if target.contract_values else ""
    test = _TEST.format(seeds=_SEEDS, first=engines[0], second=engines[1], given=given)
    return f"{header}\n{_HEAD}" + "\n".join(lines) + "\n" + test


def _import(package: str, engine: str) -> str:
    parent, _, name = package.rpartition(".")
    return f"{f'from {parent} ' if parent else ''}import {name} as on_{engine}"


def _call(
    function: PyFunction,
    module: PyModule,
    paired: PyModule,
    query: TypedQuery,
    engines: tuple[str, str],
) -> str:
    owners = [
        _owner(found, engine) for found, engine in zip((module, paired), engines, strict=True)
    ]
    extra = ", ordered=True" if _is_ordered(query) else ""
    naive = sorted(_naive(query))
    if naive:
        extra += f", naive=frozenset({{{', '.join(map(line_literal, naive))}}})"
    return f"Call({line_literal(function.name)}, {', '.join(owners)}{extra})"


def _owner(module: PyModule, engine: str) -> str:
    return ".".join(part for part in (f"on_{engine}", module.path.stem, module.class_name) if part)


def _is_ordered(query: TypedQuery) -> bool:
    depth = 0
    for token in scan(query.sql, Dialect.POSTGRESQL):
        depth += {"(": 1, ")": -1}.get(token.text, 0)
        if not depth and token.kind is Kind.NAME and token.text.upper() == "ORDER":
            return True
    return False


def _naive(query: TypedQuery) -> Iterator[str]:
    for param in query.params:
        if param.type.name in {"timestamp", "datetime"}:
            yield param.name


def _given(target: PythonTarget) -> Iterator[str]:
    for name, values in target.contract_values:
        yield f"    {line_literal(name)}: ({', '.join(map(line_literal, values))},),"
