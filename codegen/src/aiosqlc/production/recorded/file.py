"""Write plans as a text file for version control, and read the file again."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from msgspec.structs import replace

from aiosqlc.production.recorded.texts import TextName
from aiosqlc.production.recorded.tree import Step, lines, power_of

FILE: Final = "plans.txt"
FOREIGN: Final = "was not written by `aiosqlc plans record`: choose another file"
_HEAD: Final = "# Query plans. Written by `aiosqlc plans record`; do not edit."
_BASIS: Final = "# Planned on: "
_NAME: Final = r'(?:"(?:[^"]|"")*"|[a-z_][a-z0-9_$]*)'
_STEP: Final = re.compile(
    r"(?P<margin> *)(?:(?P<role>[^:]+): )?(?P<kind>[A-Z][A-Za-z ]*?)"
    rf"(?: using (?P<indexes>{_NAME}(?: and {_NAME})*))?(?: on (?P<relation>{_NAME}))?"
    r"(?P<alike> and further partitions)?(?:  \((?P<estimates>[^()]*)\))?"
)


class DamagedError(Exception):
    """Raised if a file is not in the format of `plans record`. The error's text names the line."""


def written(plans: Mapping[TextName, Step], basis: str) -> str:
    """Return plans as the text of a file. `basis` names the statistics with which they were made.

    If several SQL texts of a query have the same plan, the plan is written once.
    """
    grouped: dict[tuple[str, Step], list[str]] = {}
    for name in sorted(plans):
        grouped.setdefault((name.query, plans[name]), []).append(name.parts)
    parts = [f"{_HEAD}\n{_BASIS}{basis}\n"]
    for (query, plan), texts in grouped.items():
        named = [f"  [{text}]\n" for text in texts] if any(texts) else []
        parts.append(f"{query}\n{''.join(named)}" + "".join(f"    {x}\n" for x in lines(plan)))
    return "\n".join(parts)


def is_recorded(text: str) -> bool:
    """Return whether a file's text may be replaced: `written` wrote it, or it is empty."""
    return not text.strip() or text.partition("\n")[0].rstrip("\r") == _HEAD


def read(text: str) -> tuple[dict[TextName, Step], str]:
    """Return the plans in a file's text, and a description of the statistics that they used.

    Raises `DamagedError` if the file is damaged.
    """
    head, _, rest = text.partition("\n")
    basis, _, rest = rest.partition("\n")
    if head != _HEAD or not basis.startswith(_BASIS):
        raise DamagedError("line 1: not written by `aiosqlc plans record`")
    found: dict[TextName, Step] = {}
    query, texts, plan = "", [], []
    for number, line in enumerate([*rest.split("\n"), ""], 3):
        if line.startswith("    "):
            plan.append((number, line[4:]))
        elif line.startswith("  ["):
            texts.append(line[3:-1])
        else:
            if query:
                step = _plan(plan, number)
                found |= {TextName(query, name): step for name in texts or [""]}
            query, texts, plan = line, [], []
    return found, basis.removeprefix(_BASIS)


def _plan(numbered: list[tuple[int, str]], end: int) -> Step:
    steps = list(_steps(numbered))
    if not steps:
        raise DamagedError(f"line {end}: a query without a plan")
    return _tree(steps, 0)[0]


def _steps(numbered: list[tuple[int, str]]) -> Iterator[tuple[int, Step]]:
    """Yield each step with its depth, and with the condition on the line after it."""
    waiting: tuple[int, Step] | None = None
    for number, line in numbered:
        margin = len(line) - len(line.lstrip())
        if waiting and margin == 2 * waiting[0] + 4 and line.lstrip().startswith("("):
            depth, step = waiting
            yield depth, replace(step, condition=line.strip())
            waiting = None
            continue
        if waiting:
            yield waiting
        waiting = margin // 2, _step(line, number)
    if waiting:
        yield waiting


def _step(line: str, number: int) -> Step:
    found = _STEP.fullmatch(line)
    if found is None:
        raise DamagedError(f"line {number}: not a step of a plan: {line.strip()}")
    rows = cost = None
    for estimate in filter(None, (found["estimates"] or "").split(", ")):
        first, _, second = estimate.partition(" ")
        if first == "cost":
            cost = power_of(second)
        else:
            rows = power_of(first)
    names = re.findall(_NAME, found["indexes"] or "")
    indexes = tuple(_unquoted(name) for name in names if name != "and")
    return Step(
        found["kind"],
        _unquoted(found["relation"] or ""),
        indexes,
        "",
        found["role"] or "",
        rows,
        cost,
        found["alike"] is not None,
    )


def _unquoted(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name


def _tree(steps: list[tuple[int, Step]], depth: int) -> list[Step]:
    """Return the steps of depth `depth` as trees, each with the deeper steps that follow it."""
    starts = [place for place, (found, _) in enumerate(steps) if found <= depth]
    ends = [*starts[1:], len(steps)][: len(starts)]
    return [
        replace(steps[start][1], inner=tuple(_tree(steps[start + 1 : end], depth + 1)))
        for start, end in zip(starts, ends, strict=True)
    ]
