"""The committed result of a run: a JSON document, and one line for each refutation."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench.soundness.judging import Judged
from bench.soundness.model import Refutation
from bench.soundness.peers.port import Peer

FOLDER = Path(__file__).parent
RESULTS, REFUTED = FOLDER / "results.json", FOLDER / "refutations.jsonl"
ALL = Path(__file__).parents[2] / ".cache" / "soundness" / "refutations.jsonl"
_KEPT = 12  # refutations of one tool and category that are committed


def document(
    found: Judged,
    peers: Sequence[Peer],
    absent: Mapping[str, str],
    tools: Path,
    head: Mapping[str, Any],
) -> dict[str, Any]:
    """Return the result of a run as JSON. `absent` says why a tool did not take part."""
    names = [peer.name for peer in peers]
    return {
        **head,
        "queries": dict(sorted(found.queries.items())),
        "executions": found.executions,
        "tools": [
            {
                "name": peer.name,
                "version": peer.version(tools),
                "seconds": round(found.seconds.get(peer.name, 0.0), 1),
                "failed": found.failed.get(peer.name, ""),
                "sources": {
                    source: flat(count)
                    for (name, source), count in sorted(found.counts.items())
                    if name == peer.name
                },
            }
            for peer in peers
        ],
        "absent": {name: why for name, why in absent.items() if name not in names},
    }


def flat(count: Any) -> dict[str, Any]:
    """Return the counts as JSON."""
    return {**asdict(count), "false": dict(sorted(count.false.items()))}


def total(tool: Mapping[str, Any]) -> dict[str, Any]:
    """Return the sums of a tool over all sources."""
    whole: Counter[str] = Counter()
    false: Counter[str] = Counter()
    for count in tool["sources"].values():
        whole.update({key: value for key, value in count.items() if key != "false"})
        false.update(count["false"])
    return {**whole, "false": dict(false)}


def write(result: Mapping[str, Any], refuted: Iterable[Refutation]) -> None:
    """Write the document, a few refutations of each sort beside it, and all below `.cache`."""
    rows = sorted(refuted, key=lambda r: (r.peer, r.category, len(r.sql), r.id))
    RESULTS.write_text(json.dumps(result, indent=1) + "\n")
    kept: Counter[tuple[str, str]] = Counter()
    some = []
    for row in rows:
        kept[row.peer, row.category] += 1
        if kept[row.peer, row.category] <= _KEPT:
            some.append(row)
    REFUTED.write_text("".join(map(_line, some)))
    ALL.parent.mkdir(parents=True, exist_ok=True)
    ALL.write_text("".join(map(_line, rows)))


def _line(row: Refutation) -> str:
    return json.dumps(asdict(row), ensure_ascii=False) + "\n"


def refutation(known: str) -> Refutation | None:
    """Return a refutation by its ID, of all that were found if that file is there."""
    for path in (REFUTED, ALL):
        for line in path.read_text().splitlines() if path.exists() else ():
            row = json.loads(line)
            if row["id"] == known:
                return Refutation(**{**row, "arguments": tuple(row["arguments"])})
    return None
