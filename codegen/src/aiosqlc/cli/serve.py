"""`aiosqlc serve`: run another program with a new database that has the project's schema."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator

from aiosqlc.cli.common import load, report, style_of
from aiosqlc.config.project import Project, QuerySet
from aiosqlc.engines import engine_for
from aiosqlc.pipeline.analysed import Inputs
from aiosqlc.pipeline.reading import read_inputs


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Declare the options of `serve`."""
    command.add_argument(
        "program", nargs="*", metavar="-- PROGRAM", help="the program to run with DATABASE_URL set"
    )


def run(arguments: argparse.Namespace) -> int:
    """Provide a database until the program ends or, without a program, until Ctrl-C."""
    project = load(arguments)
    if project is None:
        return 2
    able = [one for one in project.sets if one.schema]
    # The first entry of an engine whose server needs no installation.
    entry = next(
        (one for one in able if engine_for(one.engine).embedded), able[0] if able else None
    )
    if entry is None:
        sys.stderr.write("`serve` needs an entry with a `schema`, and the configuration has none\n")
        return 2
    inputs, problems = read_inputs(project, entry)
    if not inputs.readable:
        report(problems, style_of(arguments, project.root))
        return 1
    return _serve(arguments, project, entry, inputs)


def _serve(arguments: argparse.Namespace, project: Project, entry: QuerySet, inputs: Inputs) -> int:
    from aiosqlc.servers.private import NoServerError

    with _ending_is_an_interrupt(), engine_for(entry.engine) as engine:
        try:
            with engine.lent(inputs.schema, inputs.shims, entry.server) as lent:
                report(list(lent.problems), style_of(arguments, project.root))
                if not lent.complete:
                    return 1
                url = lent.url
                return _run(arguments.program, url) if arguments.program else _wait(url, entry)
        except NoServerError as error:
            sys.stderr.write(f"{error}\n")
            return 1


def _run(program: list[str], url: str) -> int:
    """Run a program that gets the database's URL; return the program's exit code."""
    try:
        process = subprocess.Popen(program, env={**os.environ, "DATABASE_URL": url})
    except OSError as error:
        sys.stderr.write(f"cannot run {program[0]}: {error.strerror}\n")
        return 2
    try:
        return process.wait()
    except KeyboardInterrupt:  # the terminal interrupts the program too, which may have to clean up
        with contextlib.suppress(subprocess.TimeoutExpired, KeyboardInterrupt):
            return process.wait(10)
        process.kill()
        return process.wait()


def _wait(url: str, entry: QuerySet) -> int:
    tables = ", ".join(entry.schema)
    # The interrupt may come as soon as the address is printed.
    with contextlib.suppress(KeyboardInterrupt):
        sys.stdout.write(f"DATABASE_URL={url}\n")
        sys.stdout.flush()
        sys.stderr.write(
            f"a temporary database with the schema of {tables}; press Ctrl-C to delete the "
            "database\n"
        )
        signal.pause()
    return 0


@contextlib.contextmanager
def _ending_is_an_interrupt() -> Iterator[None]:
    """Treat a termination signal as an interrupt, so that the server is stopped too."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
