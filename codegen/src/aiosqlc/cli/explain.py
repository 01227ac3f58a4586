"""`aiosqlc explain`: print a query's inferred types, nullability and row count, with reasons."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec.structs import replace

from aiosqlc.cli.common import load, report, style_of
from aiosqlc.engines import engine_for
from aiosqlc.files import UNREAD
from aiosqlc.ir import TypedQuery
from aiosqlc.messages.explained import query_lines, type_name
from aiosqlc.messages.json_shapes import json_document
from aiosqlc.messages.suggest import did_you_mean
from aiosqlc.pipeline.analysed import Analysed, options_of
from aiosqlc.pipeline.analyzing import analyze_project
from aiosqlc.production.advice.classes import differing
from aiosqlc.production.advice.shown import plan_lines
from aiosqlc.production.plans import PlannedText, plans
from aiosqlc.production.statistics import StatisticsError, statistics_of
from aiosqlc.servers.private import NoServerError


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Declare the options of `explain`."""
    command.add_argument(
        "query",
        metavar="[FILE:]QUERY",
        help="name of a query, such as GetUser or users.sql:GetUser, or of a declared channel",
    )
    command.add_argument("--json", action="store_true", help="for machines")
    command.add_argument("--plan", action="store_true", help="show the server's query plan")


def run(arguments: argparse.Namespace) -> int:
    """Analyse the project and print the result for one query."""
    project = load(arguments)
    if project is None:
        return 2
    style = style_of(arguments, project.root)
    analysed = list(analyze_project(project, reuse=False))
    found = list(_find(analysed, arguments.query))
    if not found:
        for part in analysed:
            report(part.diagnostics, style)
        wanted = arguments.query.rpartition(":")[2]
        names = [item.channel or item.name for part in analysed for item in part.inputs.queries]
        unread = any(item.code in UNREAD for part in analysed for item in part.diagnostics)
        broken = wanted in names and any(part.failed for part in analysed)
        if not unread and not broken:
            hint = did_you_mean(
                wanted,
                names,
                otherwise="use the name of a query from a `-- name:` line in the query files",
            )
            sys.stderr.write(f"no query `{arguments.query}`; {hint}\n")
        return 1
    for part, query in found:
        try:
            planned = _in_production(part, query) if arguments.plan else ()
        except (StatisticsError, NoServerError) as error:
            sys.stderr.write(f"cannot plan `{query.parsed.name}`: {error}\n")
            return 2
        plan = _query_plan(part, query) if arguments.plan and not planned else None
        if arguments.json:
            listed = [
                {"variant": text.variant, "values": text.values, **_without_values(text)}
                for text in planned
                if text.plan
            ]
            more = {"plan": plan, **({"plans": listed} if listed else {})}
            sys.stdout.write(json.dumps({**_document(query), **more}, indent=2) + "\n")
        else:
            lines = [*query_lines(query), *(["plan:", *_lines_of(part, plan)] if plan else [])]
            for text in planned:
                if text.plan:
                    variant = f", {text.variant}" if text.variant else ""
                    values = f", for {text.values}" if text.values else ""
                    lines.append(f"plan in production{variant}{values}:")
                    shown = plan_lines(text.plan, conditions=not text.values)
                    lines += [f"    {line}" for line in shown]
            sys.stdout.write("\n".join(lines) + "\n")
    return 0


def _in_production(part: Analysed, query: TypedQuery) -> tuple[PlannedText, ...]:
    """Return a query's plans with production statistics, or () if no statistics are configured.

    Plans for common and for rare parameter values are included if they differ from the generic
    plan. Raises `StatisticsError` if the statistics cannot be read, and `NoServerError` if no
    server is available.
    """
    statistics = statistics_of(part.entry)
    if statistics is None or part.failed:
        return ()
    alone = replace(part, analysis=replace(part.analysis, queries=(query,)))
    with engine_for(part.entry.engine) as engine:
        assert engine.planner is not None  # noqa: S101 - `production` is for PostgreSQL only
        return plans(engine.planner, alone, statistics, more=differing).texts


def _without_values(text: PlannedText) -> dict[str, Any]:
    """Return a plan as a dict, without the plan's conditions if its SQL has production values."""
    assert text.plan is not None  # noqa: S101 - the caller selects such texts
    plan: dict[str, Any] = msgspec.to_builtins(
        text.plan.without_conditions() if text.values else text.plan
    )
    return plan


def _query_plan(part: Analysed, query: TypedQuery) -> dict[str, Any] | None:
    """Return EXPLAIN's document for a query; for MySQL, EXPLAIN's rows under the key `rows`.

    PostgreSQL makes a generic plan on empty tables. MySQL makes a plan for a few generated rows.
    """
    with engine_for(part.entry.engine) as engine:
        options = options_of(part.entry, part.inputs.shims)
        return engine.query_plan(part.inputs.schema, query, options)


def _lines_of(part: Analysed, plan: dict[str, Any]) -> list[str]:
    return [f"    {line}" for line in engine_for(part.entry.engine).plan_lines(plan)]


def _find(analysed: list[Analysed], wanted: str) -> Iterator[tuple[Analysed, TypedQuery]]:
    path, _, name = wanted.rpartition(":")
    for part in analysed:
        for query in (*part.analysis.queries, *part.analysis.channels):
            here = query.parsed.file.path.as_posix()
            if (query.parsed.channel or query.parsed.name) == name and (
                not path or path.endswith(here) or here.endswith(path)
            ):
                yield part, query


def _document(query: TypedQuery) -> dict[str, Any]:
    return {
        "name": query.parsed.name,
        "command": query.parsed.command.value,
        "file": query.parsed.file.path.as_posix(),
        "sql": query.sql,
        "cardinality": query.cardinality.value,
        "cardinality_reasons": list(query.cardinality_reasons),
        "params": [
            {
                "number": param.number,
                "name": param.name,
                "type": type_name(param.type),
                "not_null": param.not_null,
                "reasons": list(param.reasons),
            }
            for param in query.params
        ],
        "columns": [
            {
                "name": column.name,
                "type": type_name(column.type),
                "not_null": column.not_null,
                "declared_not_null": column.declared_not_null,
                "reasons": list(column.reasons),
                "json": json_document(column.shape) if column.shape else None,
            }
            for column in query.columns
        ],
        "writes": list(query.writes),
        "violable": [item.name for item in query.violable],
        "read_only": query.read_only,
        "unproved_reading": query.unproved_reading,
    }
