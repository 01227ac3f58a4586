"""`aiosqlc generate`: write the Python code of every query."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from aiosqlc.cli.common import load, report, style_of
from aiosqlc.diagnostics import Diagnostic
from aiosqlc.pipeline.unchanged import is_unchanged

if TYPE_CHECKING:  # an unchanged project imports no other stage
    from aiosqlc.pipeline.output import Changes


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Declare the options of `generate`."""
    command.add_argument(
        "--keep-going",
        action="store_true",
        help="write the code of the queries that compile, even if other queries fail",
    )


def run(arguments: argparse.Namespace) -> int:
    """Write the generated files; with `--keep-going`, leave out the queries that do not compile."""
    project = load(arguments)
    if project is None:
        return 2
    if is_unchanged(project):
        return 0
    from aiosqlc.pipeline.build import build

    def show(found: Sequence[Diagnostic]) -> None:
        report(found, style_of(arguments, project.root))

    return build(project, show, keep_going=arguments.keep_going, wrote=_list)


def _list(changes: Changes) -> None:
    """Print the path of each written or removed file, relative to the current folder."""
    for file in changes.write:
        sys.stderr.write(f"wrote {os.path.relpath(file.path)}\n")
    for path in changes.remove:
        sys.stderr.write(f"removed {os.path.relpath(path)}\n")
