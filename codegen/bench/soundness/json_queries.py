"""The queries of the test table of JSON shapes: what each tool makes of their documents."""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass, field, replace
from pathlib import Path

from aiosqlc.ir import AnalyzeOptions
from aiosqlc.postgres import Analyzer

from bench.soundness.executing import ColumnSeen, Seen, file_of
from bench.soundness.model import ANY, Claim, Kind, Query, Refusal, Suite, Verdict, Verdicts
from bench.soundness.peers.ours import parsed, shape_kind
from bench.soundness.spelling import spelled
from bench.soundness.values import Driver, unlike_json

SUITE = "json-shapes"
_TABLE = Path(__file__).parents[2] / "tests" / "json_shapes"
_STRUCTURED = {"object", "list", "tuple", "map", "union"}


def json_suite() -> Suite:
    """Return the queries that return one document, with the rows of the tests in the schema."""
    schema = [*_whole("world.sql"), *_whole("rows.sql")]
    queries: list[Query] = []
    for name in ("cases.toml", "standard.toml"):
        for case in tomllib.loads((_TABLE / name).read_text())["case"]:
            if case["sql"].strip().lower().startswith(("select", "with")):
                queries.append(Query(f"q{len(queries)}", case["sql"].strip(), "json"))
    return Suite(SUITE, tuple(schema), tuple(queries))


def _whole(name: str) -> list[str]:
    text = (_TABLE / name).read_text()
    return [part.strip() for part in text.split(";\n") if part.strip()]


@dataclass(slots=True)
class Documents:
    """Numbers of queries: `typed` return JSON with a structure, `whole` one without `any`."""

    accepted: int = 0
    typed: int = 0
    whole: int = 0
    false: int = 0
    examples: list[str] = field(default_factory=list)


def documents_of(
    verdicts: Verdicts, seen: dict[str, Seen], suite: Suite, driver: Driver
) -> Documents:
    """Compare the claimed structures of documents with the documents of all executions."""
    found = Documents()
    for query in suite.queries:
        claim, one = verdicts[query.name], seen.get(query.name)
        if one is None or not isinstance(claim, Claim) or len(claim.columns) != len(one.columns):
            continue
        found.accepted += 1
        structured = [
            (kind, column)
            for kind, column in zip(claim.columns, one.columns, strict=True)
            if column.type.name in {"json", "jsonb"} and kind.name in _STRUCTURED
        ]
        if not structured:
            continue
        found.typed += 1
        found.whole += all(_is_whole(kind) for kind, _ in structured)
        wrong = [_wrong(kind, column, driver) for kind, column in structured]
        said = next((text for text in wrong if text), "")
        found.false += bool(said)
        if said:
            found.examples.append(f"{query.sql}: {said}")
    return found


def _wrong(kind: Kind, column: ColumnSeen, driver: Driver) -> str:
    """Return how the documents contradict a type; an argument is never NULL here."""
    if frozenset() in column.null and not kind.nullable:
        return f"NULL, but {spelled(kind)}"
    for text in (text for text, witness in column.values.items() if not witness.nulls):
        finding = unlike_json(kind, json.loads(text), driver)
        if finding:
            return finding.text
    return ""


def _is_whole(kind: Kind) -> bool:
    return kind.name != "any" and all(_is_whole(item) for item in kind.items)


def ours_of(analyzer: Analyzer, suite: Suite) -> Verdicts:
    """Return our claims about the structure of documents."""
    asked = [parsed(query) for query in suite.queries]
    analysis, _ = analyzer.analyze([file_of(suite)], asked, AnalyzeOptions())
    found: dict[str, Verdict] = {query.name: Refusal("an error") for query in suite.queries}
    for query in analysis.queries:
        found[query.parsed.name] = Claim(
            tuple(
                replace(shape_kind(c.shape) if c.shape else ANY, nullable=not c.not_null)
                for c in query.columns
            )
        )
    return found
