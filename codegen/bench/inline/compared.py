"""Give the same literals, and changed ones, to each tool that types SQL in Python literals."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from aiosqlc.postgres import Analyzer
from aiosqlc.servers.postgres.embedded import Server, embedded_server

from bench.inline.peers import TOOLS, Project, Tool
from bench.inline.project import changed, suite_of, write_project
from bench.inline.rejected import CHECKERS, rejected
from bench.soundness.checking import Count, check
from bench.soundness.executing import accepted, database_of
from bench.soundness.loopback import lent
from bench.soundness.model import Refusal, Suite
from bench.soundness.peers.port import Place

CHANGED = 500
DATA_SETS = 24
_HEADS = ("accepted", "wrong types", "false not-null", *CHECKERS, "own command", "it misses")


@dataclass(frozen=True, slots=True)
class Literals:
    """The literals of a project and changed ones, both also as queries of a suite.

    `new` leads from each changed text to the compiled one; the server refuses those in `broken`.
    """

    size: int
    texts: list[str]
    suite: Suite
    new: Mapping[str, str]
    changed: Suite
    broken: set[str]


def report(size: int, tools: Path) -> None:
    """Print what each tool says of the literals of a project and of changed literals."""
    absent = {tool.peer.name: why for tool in TOOLS if (why := tool.peer.absent(tools))}
    there = [tool for tool in TOOLS if tool.peer.name not in absent]
    with Analyzer() as analyzer, embedded_server() as server:
        given = _literals(analyzer, size)
        peers = [tool.peer for tool in there]
        found = check(analyzer, server, given.suite, peers, tools, DATA_SETS)
        print(f"\n{len(given.texts)} literals, {found.executions} executions")
        print(f"{CHANGED} changed literals, the server refuses {len(given.broken)}\n")
        print(f"| tool | {' | '.join(_HEADS)} |\n|---|{'---:|' * len(_HEADS)}")
        for tool in there:
            name = tool.peer.name
            if name in found.failed:
                raise RuntimeError(found.failed[name])
            cells = [
                *_claims(found.counts[name, "literals"]),
                *_changes(server, tool, given, tools),
            ]
            print(f"| {name} {tool.peer.version(tools)} | {' | '.join(cells)} |", flush=True)
    for name, why in absent.items():
        print(f"{name} is not installed: {why}")


def _literals(analyzer: Analyzer, size: int) -> Literals:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        texts = _written(folder, size)
        new = changed(texts, CHANGED, seed=500)
        suite, after = (
            suite_of(folder, a, b) for a, b in ((texts, "literals"), (list(new), "changed"))
        )
    with database_of(analyzer, suite) as rows:
        valid = accepted(rows, after.queries)
    broken = {
        text for text, query in zip(new, after.queries, strict=True) if query.name not in valid
    }
    return Literals(size, texts, suite, new, after, broken)


def _written(folder: Path, size: int) -> list[str]:
    """Write the project, and return its texts without those with macros, which only we have."""
    return [text for text in write_project(folder, size) if "sqlc." not in text]


def _claims(count: Count) -> list[str]:
    return [f"{count.accepted} of {count.queries}", str(count.wrong), str(count.false["null"])]


def _changes(server: Server, tool: Tool, given: Literals, tools: Path) -> list[str]:
    """Return how many changed literals each checker and the tool's own command reject.

    The last number is that of the literals refused by the server that the command accepts.
    """
    with tempfile.TemporaryDirectory() as scratch, lent(server, given.suite) as url:
        folder = Path(scratch)
        _written(folder, given.size)
        made = tool.prepare(Project(folder, given.texts, given.suite.sql, tools, url))
        found = [rejected(folder, made, given.texts, given.new, one) for one in CHECKERS]
        if made.check:
            own = rejected(folder, made, given.texts, given.new, "")
        else:
            with tempfile.TemporaryDirectory() as empty:
                said = tool.peer.ask(given.changed, Place(tools, Path(empty), url, {}, {}))
            names = zip(given.new, given.changed.queries, strict=True)
            own = {text for text, query in names if isinstance(said[query.name], Refusal)}
    return [
        *(str(len(one)) for one in (*found, own)),
        str(len(given.broken - own)),
    ]
