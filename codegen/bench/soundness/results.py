"""The committed result of a run: a JSON document, and one line for each refutation."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench.soundness.checking import Checked
from bench.soundness.model import Refutation
from bench.soundness.peers.port import Peer

FOLDER = Path(__file__).parent
RESULTS, REFUTED = "results.json", "refutations.jsonl"
ALL = Path(__file__).parents[2] / ".cache" / "soundness" / "refutations.jsonl"
_KEPT = 12  # refutations of one tool and category that are committed


def document(
    found: Checked,
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


def read(folder: Path) -> tuple[dict[str, Any], list[Refutation]]:
    """Return the document of a folder and all refutations of its run that are still there."""
    rows = {row.id: row for path in (folder / REFUTED, ALL) for row in _rows_of(path)}
    return json.loads((folder / RESULTS).read_text()), list(rows.values())


def renewed(
    old: tuple[Mapping[str, Any], Sequence[Refutation]],
    new: tuple[Mapping[str, Any], Sequence[Refutation]],
) -> tuple[dict[str, Any], list[Refutation]]:
    """Return an old result with the tools of a new one in the place of theirs.

    Raises `ValueError` if they are not about the same queries.
    """
    (before, rows), (after, more) = old, new
    for key in ("seed", "data_sets", "queries"):
        if before[key] != after[key]:
            raise ValueError(f"`{key}` differs: {before[key]} and {after[key]}")
    tools = {tool["name"]: tool for tool in after["tools"]}
    document = {
        **before,
        "tools": [tools.get(tool["name"], tool) for tool in before["tools"]],
        "json": {
            **before["json"],
            "tools": {**before["json"]["tools"], **after["json"]["tools"]},
        },
    }
    return document, [row for row in rows if row.peer not in tools] + list(more)


def write(folder: Path, result: Mapping[str, Any], refuted: Iterable[Refutation]) -> None:
    """Write the document, a few refutations of each sort beside it, and all below `.cache`."""
    rows = sorted(refuted, key=lambda r: (r.peer, r.category, len(r.sql), r.id))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / RESULTS).write_text(json.dumps(result, indent=1) + "\n")
    kept: Counter[tuple[str, str]] = Counter()
    some = []
    for row in rows:
        kept[row.peer, row.category] += 1
        if kept[row.peer, row.category] <= _KEPT:
            some.append(row)
    (folder / REFUTED).write_text("".join(map(_line, some)))
    ALL.parent.mkdir(parents=True, exist_ok=True)
    ALL.write_text("".join(map(_line, rows)))


def _line(row: Refutation) -> str:
    return json.dumps(asdict(row), ensure_ascii=False) + "\n"


def _rows_of(path: Path) -> list[Refutation]:
    lines = path.read_text().splitlines() if path.exists() else []
    found = [json.loads(line) for line in lines]
    return [Refutation(**{**row, "arguments": tuple(row["arguments"])}) for row in found]


def refutation(known: str) -> Refutation | None:
    """Return a refutation by its ID, of all that the last run found if that file is there."""
    rows = [row for path in (FOLDER / REFUTED, ALL) for row in _rows_of(path)]
    return next((row for row in rows if row.id == known), None)
