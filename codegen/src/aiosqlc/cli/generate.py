"""`aiosqlc generate`: write the code of every query."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from aiosqlc.cli.common import load, report, style_of
from aiosqlc.diagnostics import Diagnostic
from aiosqlc.incremental.unchanged import is_unchanged


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Declare the options of `generate`."""
    command.add_argument(
        "--keep-going", action="store_true", help="write what compiles, whatever else fails"
    )


def run(arguments: argparse.Namespace) -> int:
    """Write the generated files: all, or with `--keep-going` those of what compiles."""
    project = load(arguments)
    if project is None:
        return 2
    if is_unchanged(project):
        return 0
    from aiosqlc.build import build

    def show(found: Sequence[Diagnostic]) -> None:
        report(found, style_of(arguments, project.root))

    return build(project, show, keep_going=arguments.keep_going)
