"""`aiosqlc scan`: compile the SQL in string literals of Python files."""

from __future__ import annotations

import argparse
import contextlib
import gc
import os
import shlex
import sys
import time
from functools import cache
from itertools import count
from pathlib import Path

from msgspec import Struct

from aiosqlc.cli.common import load, only_entry, report, style_of
from aiosqlc.cli.failures import failed
from aiosqlc.cli.scanning import Scanned, compile_literals
from aiosqlc.cli.watching import folders_of, is_source, next_changes, tidy_up, watching
from aiosqlc.config.project import Project, QuerySet
from aiosqlc.engines import Engine, engine_for
from aiosqlc.lock.document import Known
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
    how = command.add_mutually_exclusive_group()
    how.add_argument(
        "--check", action="store_true", help="write nothing; exit with 1 if a file would change"
    )
    how.add_argument(
        "--watch", action="store_true", help="keep running, and write the package at each change"
    )


def run(arguments: argparse.Namespace) -> int:
    """Find the SQL literals in the Python sources, and write the generated package for them."""
    asked = _asked(arguments)
    if asked is None:
        return 2
    if arguments.watch:
        return _watch(arguments, asked)
    with engine_for(asked.entry.engine) as engine:
        scanned = _compiled(arguments, asked, engine)
    return _written(arguments, asked, scanned)


class _Asked(Struct, frozen=True):
    """The project and the configuration entry that the command-line arguments select."""

    project: Project
    entry: QuerySet


def _asked(arguments: argparse.Namespace) -> _Asked | None:
    """Return the project and the entry that the arguments select, or print an error."""
    project = load(arguments)
    if project is None:
        return None
    entry = only_entry(
        project, arguments.entry, lambda entry: entry.python is not None, "`gen.python`"
    )
    missing = [path for path in arguments.sources if not path.exists()]
    if isinstance(entry, str) or missing:
        said = entry if isinstance(entry, str) else f"there is no file or folder {missing[0]}"
        sys.stderr.write(f"{said}\n")
        return None
    return _Asked(project, entry)


def _compiled(
    arguments: argparse.Namespace, asked: _Asked, engine: Engine, known: Known | None = None
) -> Scanned:
    out = Path.cwd() / arguments.out
    command = _command(arguments, asked.project.root)
    return compile_literals(
        asked.project, asked.entry, arguments.sources, out, engine, command, known
    )


def _written(arguments: argparse.Namespace, asked: _Asked, scanned: Scanned) -> int:
    """Print the diagnostics, write or compare the files, and return the exit code."""
    style = style_of(arguments, asked.project.root)
    report(scanned.diagnostics, style)
    changes = compare(scanned.files, [Path.cwd() / arguments.out], "scan")
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


def _watch(arguments: argparse.Namespace, asked: _Asked) -> int:
    """Write the package now and after each change of a Python, SQL or configuration file.

    The database server keeps running, and only changed literals are analysed. After an error, the
    package stays unchanged and the command continues, because the next change may remove the cause.
    """
    out = str((Path.cwd() / arguments.out).resolve())

    def is_input(path: str) -> bool:
        return is_source(path) or (path.endswith(".py") and os.path.dirname(path) != out)  # noqa: PTH120  # for each event

    sources = [path.resolve() for path in arguments.sources]
    folders = {path if path.is_dir() else path.parent for path in sources}
    gc.disable()  # garbage is collected between edits, not during one
    with contextlib.ExitStack() as stack:
        engine_of = cache(lambda engine: stack.enter_context(engine_for(engine)))
        events = stack.enter_context(
            watching(sorted({*folders_of(asked.project), *folders}), is_input)
        )
        next_changes(events)  # watching has started, so that no later change is missed
        known: Known | None = None
        for rounds in count():
            try:
                if found := _asked(arguments) if rounds else asked:
                    known = _again(arguments, found, engine_of(found.entry.engine), known)
            except Exception as error:  # noqa: BLE001  # a fault of one text must not end the watch
                failed(error, verbose=arguments.verbose)
            tidy_up(rounds)
            if rounds == 0:
                sys.stderr.write("watching\n")
            next_changes(events)
    return 0


def _again(
    arguments: argparse.Namespace, asked: _Asked, engine: Engine, known: Known | None
) -> Known | None:
    """Compile and write the package. Return the results that the next compilation may reuse."""
    started = time.perf_counter()
    scanned = _compiled(arguments, asked, engine, known)
    said = "not written" if _written(arguments, asked, scanned) else "up to date"
    taken = (time.perf_counter() - started) * 1000
    sys.stderr.write(f"{said} in {taken:.0f} ms\n")
    return scanned.known


def _command(arguments: argparse.Namespace, root: Path) -> str:
    """Return the command that the error message of the generated function `sql` recommends.

    The paths in the command are relative to the configuration's folder. The generated file
    therefore does not depend on how the user writes the paths.
    """
    places = sorted({os.path.relpath(path.resolve(), root.resolve()) for path in arguments.sources})
    out = os.path.relpath(arguments.out.resolve(), root.resolve())
    entry = ["--entry", arguments.entry] if arguments.entry else []
    words = [*(Path(p).as_posix() for p in places), "-o", Path(out).as_posix(), *entry]
    return f"aiosqlc scan {shlex.join(words)}"


def _nothing(scanned: Scanned, out: Path) -> int:
    if not scanned.diagnostics and not scanned.count:
        sys.stderr.write(f'no file with `from {out.name} import sql` calls `sql("…")`\n')
    return 1
