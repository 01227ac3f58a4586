"""`python -m tools.realworld FOLDER...`: compile projects, call the functions, print a table.

The exit code is 0, or 1 if a text is wrong, a guarantee is disproved or the compiler crashes.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from tools.realworld.projects import Entry, copy_project, find_entries
from tools.realworld.reference import ask_sqlc
from tools.realworld.shapes import Shapes
from tools.realworld.table import Row, print_causes, print_rows
from tools.realworld.typecheck import type_errors

_ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    """Compile the projects in turn; print a table row for each, and at the end the error causes."""
    arguments = _parser().parse_args()
    rows: list[Row] = []
    shapes = Shapes()
    with tempfile.TemporaryDirectory(prefix="realworld-") as scratch:
        work = arguments.keep or Path(scratch)
        for folder in arguments.folders:
            row = _project(folder.resolve(), work / folder.resolve().name, arguments, shapes)
            rows.append(row)
            sys.stderr.write(print_rows([row]).splitlines()[-1] + "\n")
    sys.stdout.write(print_rows(rows, total=True) + "\n\n" + print_causes(rows) + "\n")
    if shapes.compared:
        sys.stdout.write("\n" + shapes.print() + "\n")
    if arguments.json:
        arguments.json.write_text(json.dumps([vars(row) for row in rows], indent=1), "utf-8")
    return 1 if any(row.wrong or row.refuted or row.internal or row.broken for row in rows) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tools.realworld", description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER")
    parser.add_argument("--no-calls", action="store_true", help="compile only")
    parser.add_argument("--no-sqlc", action="store_true", help="do not run sqlc")
    parser.add_argument("--types", action="store_true", help="run mypy --strict and pyright")
    parser.add_argument(
        "--keep", type=Path, metavar="DIR", help="keep the working copies in this folder"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all findings to a file")
    parser.add_argument(
        "--seconds", type=float, default=400, help="time limit of an entry in seconds"
    )
    return parser


def _project(folder: Path, copy: Path, arguments: argparse.Namespace, shapes: Shapes) -> Row:
    """Return the table row for one project."""
    row = Row(folder.name)
    copy_project(folder, copy)
    for place, entry in enumerate(find_entries(copy)):
        sqlc: dict[str, Any] = {}
        if not arguments.no_sqlc:
            reference = ask_sqlc(entry)
            sqlc = dict(reference.queries)
            row.sqlc_refused += len(reference.refused)
        out = copy.parent / f"out_{copy.name}" / f"p{place}"
        said = {name: [c["not_null"] for c in q.get("columns") or []] for name, q in sqlc.items()}
        outcome = _outcome(entry, out, arguments, said)
        row.add(entry.engine, str(entry.config.relative_to(copy)), list(sqlc), outcome)
        if sqlc and (out / "request.json").is_file():
            nulls = outcome["called"].get("nulls", {})
            shapes.compare(sqlc, out / "request.json", row.name, nulls)
    if arguments.types:
        row.types = type_errors(copy.parent / f"out_{copy.name}", _ROOT)
    return row


def _outcome(
    entry: Entry, out: Path, arguments: argparse.Namespace, said: dict[str, list[bool]]
) -> dict[str, Any]:
    """Compile one entry in a separate process, and return the outcome."""
    result = out.parent / f"{out.name}.json"
    out.parent.mkdir(parents=True, exist_ok=True)
    asked = {
        **asdict(replace(entry, config=Path())),
        "config": str(entry.config),
        "out": str(out),
        "calls": not arguments.no_calls,
        "said": said,
    }
    asking = out.parent / f"{out.name}.asked.json"
    asking.write_text(json.dumps(asked, default=str), "utf-8")
    command = [sys.executable, "-m", "tools.realworld.run", str(asking)]
    started = time.monotonic()
    failure = ""
    try:
        done = subprocess.run(
            [*command, str(result)],
            cwd=_ROOT,
            capture_output=True,
            text=True,
            timeout=arguments.seconds,
            check=False,
        )
        if done.returncode:
            failure = (done.stderr.strip().splitlines() or ["no word"])[-1]
    except subprocess.TimeoutExpired:
        failure = f"not finished after {time.monotonic() - started:.0f} s"
    outcome: dict[str, Any] = json.loads(result.read_text("utf-8")) if result.is_file() else {}
    outcome.setdefault("ours", {"queries": [], "compiled": [], "causes": {}, "internal": []})
    outcome.setdefault("called", {})
    if failure:
        outcome["ours"]["internal"].append(failure)
    return outcome


if __name__ == "__main__":
    sys.exit(main())
