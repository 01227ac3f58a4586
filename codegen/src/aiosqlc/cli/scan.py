"""`aiosqlc scan`: compile the SQL in string literals of Python files."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from aiosqlc.cli.common import load, only_entry, report, style_of
from aiosqlc.engines import engine_for
from aiosqlc.inline.compile import Scanned, compile_literals
from aiosqlc.pipeline.output import compare, diff, write


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Declare the options of `scan`."""
    command.add_argument(
        "sources", nargs="+", type=Path, metavar="SOURCE", help="Python files, or folders of them"
    )
    command.add_argument(
        "-o", "--out", type=Path, required=True, metavar="FOLDER",
        help="folder of the generated package",
    )  # fmt: skip
    command.add_argument(
        "--entry", help="name of the entry in the configuration, if there are several"
    )
    command.add_argument(
        "--check", action="store_true", help="write nothing; exit with 1 if a file would change"
    )


def run(arguments: argparse.Namespace) -> int:
    """Find the SQL literals in the Python sources, and write the generated package for them."""
    project = load(arguments)
    if project is None:
        return 2
    entry = only_entry(
        project, arguments.entry, lambda entry: entry.python is not None, "`gen.python`"
    )
    missing = [path for path in arguments.sources if not path.exists()]
    if isinstance(entry, str) or missing:
        said = entry if isinstance(entry, str) else f"there is no file or folder {missing[0]}"
        sys.stderr.write(f"{said}\n")
        return 2
    out = Path.cwd() / arguments.out
    command = _command(arguments, project.root)
    with engine_for(entry.engine) as engine:
        scanned = compile_literals(project, entry, arguments.sources, out, engine, command)
    style = style_of(arguments, project.root)
    report(scanned.diagnostics, style)
    changes = compare(scanned.files, [out], "scan")
    stale = changes and not scanned.count  # the last literal was removed
    if scanned.failed or not (scanned.files or stale):
        return _nothing(scanned, arguments.out)
    if arguments.check:
        sys.stdout.write(diff(changes))
        return 1 if changes else 0
    refused = write(changes)
    report(refused, style)
    for file in () if refused else changes.write:
        sys.stderr.write(f"wrote {os.path.relpath(file.path)}\n")
    for path in () if refused else changes.remove:
        sys.stderr.write(f"removed {os.path.relpath(path)}\n")
    return 1 if refused else 0


def _command(arguments: argparse.Namespace, root: Path) -> str:
    """Return the command for the message of `sql`, with paths from the configuration's folder.

    It is a part of the generated file, so it does not depend on how the paths are written.
    """
    places = sorted({os.path.relpath(path.resolve(), root.resolve()) for path in arguments.sources})
    out = os.path.relpath(arguments.out.resolve(), root.resolve())
    return " ".join(
        ["aiosqlc scan", *(Path(p).as_posix() for p in places), "-o", Path(out).as_posix()]
    )


def _nothing(scanned: Scanned, out: Path) -> int:
    if not scanned.diagnostics and not scanned.count:
        sys.stderr.write(f'no call `sql("…")` of `from {out.name} import sql` was found\n')
    return 1
