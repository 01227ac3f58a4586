"""The table of all projects, and the causes of errors, most frequent first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

_HEADS = (
    "project", "queries", "sqlc", "ours", "of sqlc's", "%", "called", "answered", "wrong",
    "refuted", "broken", "internal", "seconds",
)  # fmt: skip
_MOST_CAUSES = 60


@dataclass
class Row:
    """The results for one project.

    `both` is the number of queries that sqlc and this compiler both compile.
    """

    name: str
    queries: int = 0
    sqlc: int = 0
    ours: int = 0
    both: int = 0
    sqlc_refused: int = 0
    called: int = 0
    answered: int = 0
    seconds: float = 0.0
    wrong: list[str] = field(default_factory=list)
    refuted: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    internal: list[str] = field(default_factory=list)
    types: list[str] = field(default_factory=list)
    causes: Counter[str] = field(default_factory=Counter)
    warnings: Counter[str] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)
    missed: list[str] = field(default_factory=list)

    def add(
        self, engine: str, config: str, sqlc: Sequence[str], outcome: Mapping[str, Any]
    ) -> None:
        """Add the outcome of one entry of the project."""
        ours, called = outcome["ours"], outcome["called"]
        compiled = set(ours["compiled"])
        self.queries += max(len(ours["queries"]), len(sqlc))
        self.sqlc += len(sqlc)
        self.ours += len(compiled)
        self.both += len(compiled & set(sqlc))
        self.seconds += ours.get("seconds", 0.0)
        self.called += called.get("functions", 0)
        self.answered += called.get("answered", 0)
        self.internal += [f"{config}: {text}" for text in ours["internal"]]
        for kind in ("wrong", "refuted", "broken"):
            getattr(self, kind).extend(called.get(kind, []))
        self.refusals.update(called.get("refusals", {}))
        for code, message in ours.get("warnings", []):
            self.warnings[f"{engine} {code} {message}"] += 1
        causes, general = ours["causes"], ours["causes"].get("")
        for name in sorted(set(sqlc) - compiled):
            cause = " ".join(
                causes.get(name) or general or ("E000", "aiosqlc did not find the query")
            )
            self.causes[f"{engine} {cause}"] += 1
            self.missed.append(f"{config} {name}: {cause}")


def print_rows(rows: Sequence[Row], *, total: bool = False) -> str:
    """Return the table as Markdown."""
    lines = ["| " + " | ".join(_HEADS) + " |", "|---" * len(_HEADS) + "|"]
    lines += [_line(row) for row in rows]
    if total:
        lines.append(_line(_sum(rows)))
    return "\n".join(lines)


def print_causes(rows: Sequence[Row]) -> str:
    """Return a text with the causes of errors in queries that sqlc compiles, and other faults."""
    parts = []
    causes: Counter[str] = Counter()
    projects: Counter[str] = Counter()
    for row in rows:
        causes.update(row.causes)
        projects.update(row.causes.keys())
    lines = [f"{n:6} {projects[cause]:4}  {cause}" for cause, n in causes.most_common(_MOST_CAUSES)]
    parts.append("\n".join([" costs  in  cause", *lines]))
    for kind in ("wrong", "refuted", "broken", "internal", "types"):
        found = [f"  {row.name}: {text}" for row in rows for text in getattr(row, kind)]
        parts.append("\n".join([f"{kind}: {len(found)}", *found]))
    return "\n\n".join(parts)


def _line(row: Row) -> str:
    share = f"{100 * row.both / row.sqlc:.1f}" if row.sqlc else "-"
    cells = (
        row.name, row.queries, row.sqlc, row.ours, row.both, share, row.called, row.answered,
        len(row.wrong), len(row.refuted), len(row.broken), len(row.internal), f"{row.seconds:.1f}",
    )  # fmt: skip
    return "| " + " | ".join(map(str, cells)) + " |"


def _sum(rows: Sequence[Row]) -> Row:
    total = Row(f"{len(rows)} projects")
    for row in rows:
        for name in ("queries", "sqlc", "ours", "both", "called", "answered", "seconds"):
            setattr(total, name, getattr(total, name) + getattr(row, name))
        for name in ("wrong", "refuted", "broken", "internal"):
            getattr(total, name).extend(getattr(row, name))
    return total
