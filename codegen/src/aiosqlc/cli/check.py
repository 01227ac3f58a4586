"""`aiosqlc check`: check that the generated code is up to date."""

from __future__ import annotations

import argparse
import os
import sys

from aiosqlc.cli.common import load, report, style_of
from aiosqlc.pipeline.unchanged import is_unchanged


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Declare the options of `check`."""
    command.add_argument(
        "--lock", action="store_true", help="also fail if the lock file (sqlc.lock.json) is stale"
    )


def run(arguments: argparse.Namespace) -> int:
    """Compare the generated files with the files on disk, and print the differences."""
    project = load(arguments)
    if project is None:
        return 2
    if is_unchanged(project):
        return 0
    from aiosqlc.messages.causes import by_cost
    from aiosqlc.pipeline.compile import compile_project
    from aiosqlc.pipeline.internal import exit_code
    from aiosqlc.pipeline.output import compare, diff

    compiled = compile_project(project, with_lock=arguments.lock)
    report(by_cost(compiled.diagnostics), style_of(arguments, project.root))
    if compiled.failed:
        return exit_code(compiled.diagnostics)
    changes = compare(compiled.files, compiled.folders)
    if not changes and arguments.lock:
        from aiosqlc.pipeline.build import stale_lock

        for lock in stale_lock(project, compiled).write:
            name = os.path.relpath(lock.path)
            sys.stderr.write(f"{name} is not up to date; run `aiosqlc generate`\n")
            return 1
    if not changes:
        return 0
    sys.stdout.write(diff(changes))
    stale = len(changes.write) + len(changes.remove)
    sys.stderr.write(f"{stale} generated file(s) are not up to date; run `aiosqlc generate`\n")
    return 1
