"""`python -m tools.cover COVERAGE.json`: print line and branch coverage per package."""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from pathlib import Path, PurePath

_COUNTS = ("num_statements", "covered_lines", "num_branches", "covered_branches")


def package_of(file: str) -> str:
    """Return the package whose coverage includes a file: `lib.http`, `services.user`."""
    parts = PurePath(file).parent.parts
    if parts[:1] == ("src",):
        parts = parts[1:]
    return ".".join(parts[:2])


def table(files: dict[str, dict[str, dict[str, int]]]) -> list[str]:
    """Return a line per package and a line for the total."""
    sums: dict[str, list[int]] = defaultdict(lambda: [0] * len(_COUNTS))
    for file, found in files.items():
        for name in (package_of(file), "all"):
            sums[name] = [n + found["summary"][c] for n, c in zip(sums[name], _COUNTS, strict=True)]
    lines = [f"{'package':32} {'lines':>8} {'%':>6} {'branches':>9} {'%':>6}"]
    for name in sorted(sums, key=lambda name: (name == "all", name)):
        statements, run, branches, taken = sums[name]
        lines.append(
            f"{name:32} {statements:8} {_share(run, statements)}"
            f" {branches:9} {_share(taken, branches)}"
        )
    return lines


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:6.1f}" if whole else f"{'-':>6}"


if __name__ == "__main__":
    print("\n".join(table(json.loads(Path(sys.argv[1]).read_text())["files"])))
