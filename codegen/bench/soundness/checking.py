"""Give one suite to every tool, execute its queries, and count what is wrong."""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from aiosqlc.postgres import Analyzer
from aiosqlc.servers.postgres.embedded import Server

from bench.soundness.comparing import refutations
from bench.soundness.executing import Seen, database_of, execute
from bench.soundness.loopback import lent
from bench.soundness.model import Claim, Refutation, Suite, Verdicts
from bench.soundness.parameters import Sender
from bench.soundness.peers.port import Peer, Place


@dataclass(slots=True)
class Count:
    """The counts of one tool for the queries of one source.

    `typed` are columns with a type other than `any`, `not_null` those whose type excludes NULL;
    `false` counts refuted claims by category, and `wrong` the queries that have one.
    """

    queries: int = 0
    accepted: int = 0
    columns: int = 0
    typed: int = 0
    not_null: int = 0
    rows: int = 0
    wrong: int = 0
    false: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class Checked:
    """The counts of a suite by tool and source, the refutations, and the seconds of each tool."""

    counts: dict[tuple[str, str], Count] = field(default_factory=dict)
    refuted: list[Refutation] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    executions: int = 0
    queries: Counter[str] = field(default_factory=Counter)


def check(
    analyzer: Analyzer,
    server: Server,
    suite: Suite,
    peers: Sequence[Peer],
    tools: Path,
    data_sets: int,
) -> Checked:
    """Compare the claims of all tools about one suite with its executions."""
    found = Checked()
    with database_of(analyzer, suite) as rows, lent(server, suite) as url:
        seen = execute(rows, suite, data_sets)
        found.executions = sum(one.runs for one in seen.values())
        found.queries.update(query.source for query in suite.queries if query.name in seen)
        params = {name: one.params for name, one in seen.items()}
        names = {name: one.names for name, one in seen.items()}
        sender = Sender(url)
        for peer in peers:
            started = time.monotonic()
            with tempfile.TemporaryDirectory(prefix="soundness-") as folder:
                try:
                    verdicts = peer.ask(suite, Place(tools, Path(folder), url, params, names))
                except Exception as error:
                    found.failed[peer.name] = f"{suite.name}: {type(error).__name__}: {error}"
                    continue
            found.seconds[peer.name] = time.monotonic() - started
            _count(found, suite, peer, verdicts, seen, sender)
    return found


def _count(
    found: Checked,
    suite: Suite,
    peer: Peer,
    verdicts: Verdicts,
    seen: Mapping[str, Seen],
    sender: Sender,
) -> None:
    for query in suite.queries:
        one = seen.get(query.name)
        if one is None:
            continue
        count = found.counts.setdefault((peer.name, query.source), Count())
        count.queries += 1
        claim = verdicts[query.name]
        if not isinstance(claim, Claim):
            continue
        count.accepted += 1
        count.columns += len(claim.columns)
        count.typed += sum(column.name != "any" for column in claim.columns)
        count.not_null += sum(not column.nullable for column in claim.columns)
        count.rows += claim.least > 0 or claim.most is not None
        wrong = list(refutations(suite, query, peer.name, claim, one, peer.driver, sender))
        count.false.update(item.category for item in wrong)
        count.wrong += bool(wrong)
        if suite.own:
            found.refuted += wrong


def merged(parts: Iterator[Checked]) -> Checked:
    """Return the sum of what was found of several suites."""
    whole = Checked()
    for part in parts:
        for key, count in part.counts.items():
            total = whole.counts.setdefault(key, Count())
            for name in ("queries", "accepted", "columns", "typed", "not_null", "rows", "wrong"):
                setattr(total, name, getattr(total, name) + getattr(count, name))
            total.false.update(count.false)
        whole.refuted += part.refuted
        for name, seconds in part.seconds.items():
            whole.seconds[name] = whole.seconds.get(name, 0.0) + seconds
        whole.failed.update(part.failed)
        whole.executions += part.executions
        whole.queries.update(part.queries)
    return whole
