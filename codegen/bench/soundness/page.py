"""The tables of the manual's page, made from the committed result."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.soundness.results import FOLDER, RESULTS, total

PAGE = Path(__file__).parents[2] / "docs" / "scoreboard.md"
START, END = "<!-- result: start -->", "<!-- result: end -->"


def table(result: Mapping[str, Any]) -> str:
    """Return the part of the page that a run decides."""
    queries = result["queries"]
    listed = ", ".join(f"{count:,} {_SOURCES[name]}" for name, count in queries.items())
    head = (
        f"The run of {result['date']} has {sum(queries.values()):,} queries:\n{listed}.\n"
        f"They were executed {result['executions']:,} times, on up to {result['data_sets']} data"
        f" sets per schema, by PostgreSQL {result['server']} (seed {result['seed']})."
    )
    return "\n\n".join([head, _claims(result), _false(result), _documents(result)])


_SOURCES = {
    "random": "random queries",
    "json": "random queries that build JSON",
    "examples": "queries of the example projects",
    "cases": "queries of the test cases",
    "other": "queries of other projects, which only count",
}


def _rows(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = [f"| {' | '.join(head)} |", f"|---|{'---:|' * (len(head) - 1)}"]
    lines += [f"| {' | '.join(map(_cell, row))} |" for row in rows]
    return "\n".join(lines)


def _cell(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.0%}" if whole else "–"


def _claims(result: Mapping[str, Any]) -> str:
    head = ["Tool", "accepted", "refused", "columns", "typed", "claimed not NULL", "seconds"]
    rows = []
    for tool in result["tools"]:
        sums = total(tool)
        refused = sums["queries"] - sums["accepted"]
        typed = _share(sums["typed"], sums["columns"])
        proved = _share(sums["not_null"], sums["columns"])
        name = f"{tool['name']} {tool['version']}"
        rows.append(
            [name, sums["accepted"], refused, sums["columns"], typed, proved, tool["seconds"]]
        )
    return _rows(head, rows)


def _false(result: Mapping[str, Any]) -> str:
    head = [
        "Tool", "queries with a false claim", "NULL in a column", "NULL in an array", "wrong type",
        "wrong number of rows", "refused argument",
    ]  # fmt: skip
    rows = []
    for tool in result["tools"]:
        sums = total(tool)
        false = sums["false"]
        wrong = f"{sums['wrong']:,} ({_share(sums['wrong'], sums['accepted'])})"
        types = false.get("type", 0) + false.get("inside", 0)
        counted = false.get("rows", 0) if sums["rows"] else "no claim"
        rows.append(
            [tool["name"], wrong, false.get("null", 0), false.get("element", 0), types, counted,
             false.get("parameter", 0)]
        )  # fmt: skip
    return _rows(head, rows)


def _documents(result: Mapping[str, Any]) -> str:
    found = result["json"]
    head = ["Tool", "accepted", "typed", "typed without `any`", "false"]
    rows = [
        [name, count["accepted"], count["typed"], count["whole"], count["false"]]
        for name, count in found["tools"].items()
    ]
    text = (
        f"The {found['queries']} hand-written queries of `tests/json_shapes`, each of which "
        "returns one JSON document:"
    )
    return f"{text}\n\n{_rows(head, rows)}"


def write() -> None:
    """Put the tables of the committed result into the page."""
    before, _, rest = PAGE.read_text().partition(START)
    _, _, after = rest.partition(END)
    result = json.loads((FOLDER / RESULTS).read_text())
    PAGE.write_text(f"{before}{START}\n\n{table(result)}\n\n{END}{after}")
