"""`aiosqlc generate` and `aiosqlc check`."""

from __future__ import annotations

import argparse
import sys

from aiosqlc.cli.common import load, report, style_of
from aiosqlc.lock import print_lock
from aiosqlc.output import compare, diff, write
from aiosqlc.pipeline import compile_project


def generate(arguments: argparse.Namespace) -> int:
    """Write the generated files, unless there is an error anywhere."""
    project = load(arguments)
    if project is None:
        return 2
    compiled = compile_project(project)
    style = style_of(arguments, project.root)
    report(compiled.diagnostics, style)
    if compiled.failed:
        return 1
    files = [*compiled.files, print_lock(project, compiled.locked)]
    refused = write(compare(files, compiled.folders))
    report(refused, style)
    return 1 if refused else 0


def check(arguments: argparse.Namespace) -> int:
    """Compare the generated files with those on disk; print the difference."""
    project = load(arguments)
    if project is None:
        return 2
    compiled = compile_project(project)
    report(compiled.diagnostics, style_of(arguments, project.root))
    if compiled.failed:
        return 1
    changes = compare(compiled.files, compiled.folders)
    if not changes:
        return 0
    sys.stdout.write(diff(changes))
    stale = len(changes.write) + len(changes.remove)
    sys.stderr.write(f"{stale} generated file(s) are not up to date; run `aiosqlc generate`\n")
    return 1
