"""`aiosqlc generate`: write the code of every query."""

from __future__ import annotations

import argparse

from aiosqlc.cli.common import load, report, style_of
from aiosqlc.unchanged import is_unchanged


def run(arguments: argparse.Namespace) -> int:
    """Write the generated files, unless there is an error anywhere."""
    project = load(arguments)
    if project is None:
        return 2
    if is_unchanged(project):
        return 0
    from aiosqlc.build import build

    return build(project, lambda found: report(found, style_of(arguments, project.root)))
