"""`aiosqlc format`: lay out the query files."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from aiosqlc.cli.common import load
from aiosqlc.config.project import Project, QuerySet
from aiosqlc.layout import LayoutStyle
from aiosqlc.output import diff_texts
from aiosqlc.parse.scanner import Dialect
from aiosqlc.pipeline import Inputs, options_of, read_inputs
from aiosqlc.tidy import Tidied, texts_of, tidy


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Declare the options of `format`."""
    command.add_argument("paths", nargs="*", type=Path, help="query files; all where none is named")
    command.add_argument("--check", action="store_true", help="show the difference, write nothing")
    command.add_argument(
        "--style",
        choices=[style.value for style in LayoutStyle],
        default=LayoutStyle.HOUSE.value,
        help="house: what fits on a line stays on one; sqlc: a line for each clause",
    )


def run(arguments: argparse.Namespace) -> int:
    """Write what is proved to be the same queries; 1 where a file would change or is refused."""
    project = load(arguments)
    if project is None:
        return 2
    wanted = {path.resolve() for path in arguments.paths}
    style = LayoutStyle(arguments.style)
    code = 0
    for entry in project.sets:
        inputs, _ = read_inputs(project, entry)
        tidied = list(_tidied(project, entry, inputs, wanted, style))
        found = [item for item in tidied if item is not None]
        code = code if len(found) == len(tidied) else 1
        refused = _other_trees(entry, inputs, [item for item in found if item.changed])
        for item in found:
            if item.before.path in refused:
                sys.stderr.write(f"{item.before.path}: left alone, the server reads it otherwise\n")
                code = 1
            elif arguments.check:
                path = project.root / item.before.path
                sys.stdout.write(diff_texts(path, item.before.text, item.after.text, "formatted"))
                code = 1
            else:
                (project.root / item.before.path).write_text(item.after.text, "utf-8")
                sys.stdout.write(f"formatted {item.before.path}\n")
    return code


def _tidied(
    project: Project, entry: QuerySet, inputs: Inputs, wanted: set[Path], style: LayoutStyle
) -> Iterator[Tidied | None]:
    """Yield the files that change; None for one that is left alone, which is named."""
    for file in inputs.files:
        if wanted and (project.root / file.path).resolve() not in wanted:
            continue
        found = tidy(file, entry.engine, style)
        if found is None:
            sys.stderr.write(f"{file.path}: left alone, it has mistakes; see `aiosqlc generate`\n")
            yield None
        elif found.after.text != file.text:
            yield found


def _other_trees(entry: QuerySet, inputs: Inputs, found: Sequence[Tidied]) -> set[Path]:
    """Return the files whose queries the server analyses otherwise than before.

    Asked where a server is installed and something changed. The tokens are equal either way.
    """
    if entry.engine is not Dialect.POSTGRESQL or not found:
        return set()
    try:
        from aiosqlc.postgres.same_tree import differing
    except ModuleNotFoundError:  # no driver: the tokens have to do
        return set()
    pairs = [
        (item.before.path, old, new)
        for item in found
        for one, other in item.changed
        for old, new in zip(texts_of(one), texts_of(other), strict=True)
    ]
    return differing(inputs.schema, options_of(entry, inputs.shims), pairs)
