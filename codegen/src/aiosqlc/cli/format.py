"""`aiosqlc format`: format the query files."""

from __future__ import annotations

import argparse
import codecs
import contextlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from aiosqlc.cli.common import load, report, style_of
from aiosqlc.config.project import QuerySet
from aiosqlc.engines import engine_for
from aiosqlc.files import UNREAD
from aiosqlc.ir import SchemaFile
from aiosqlc.layout.proved import Formatted, Prove, format_file
from aiosqlc.layout.statement import WIDTH, LayoutStyle
from aiosqlc.pipeline.analysed import options_of
from aiosqlc.pipeline.output import diff_texts
from aiosqlc.pipeline.reading import read_inputs
from aiosqlc.source import SourceFile

_LENGTHS = range(40, 401)


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Declare the options of `format`."""
    command.add_argument("paths", nargs="*", type=Path, help="query files (default: all)")
    command.add_argument("--check", action="store_true", help="print a diff instead of writing")
    command.add_argument(
        "--style",
        choices=[style.value for style in LayoutStyle],
        default=LayoutStyle.HOUSE.value,
        help=("house: put short queries on one line; sqlc: put each clause on a separate line"),
    )
    command.add_argument(
        "--line-length",
        type=_length,
        default=WIDTH,
        metavar="N",
        help=f"line length, {_LENGTHS[0]} to {_LENGTHS[-1]} (default: {WIDTH})",
    )


def _length(text: str) -> int:
    """Parse a line length, and raise `ArgumentTypeError` if it is out of range."""
    length = int(text) if text.isascii() and text.isdigit() and len(text) < 5 else 0
    if length not in _LENGTHS:
        raise argparse.ArgumentTypeError(
            f"`{text[:20]}` is not a whole number from {_LENGTHS[0]} to {_LENGTHS[-1]}"
        )
    return length


def run(arguments: argparse.Namespace) -> int:
    """Format the query files. Change a query only if its meaning is proved to stay the same.

    Return 1 if a file has errors, or if `--check` finds a file that is not formatted.
    """
    project = load(arguments)
    if project is None:
        return 2
    named = {path.resolve(): path for path in arguments.paths}
    unseen = set(named)
    style = LayoutStyle(arguments.style)
    code = 0
    for entry in project.sets:
        inputs, problems = read_inputs(project, entry)
        unread = [problem for problem in problems if problem.code in UNREAD]
        report(unread, style_of(arguments, project.root))
        code |= bool(unread)
        with prover(entry, inputs.schema, inputs.shims) as prove:
            for file in inputs.files:
                path = project.root / file.path
                if named and path.resolve() not in named:
                    continue
                unseen.discard(path.resolve())
                found = format_file(
                    file,
                    entry.engine,
                    style,
                    prove,
                    width=arguments.line_length,
                    library=inputs.files,
                )
                code |= _take(path, file, found, check=arguments.check)
    for path in arguments.paths:
        if path.resolve() in unseen:
            sys.stderr.write(f"{path} is not a query file of this configuration\n")
    return 2 if unseen else code


def _take(path: Path, file: SourceFile, found: Formatted | None, *, check: bool) -> int:
    """Write a formatted file, or with `--check` print its changes.

    Return 1 if the file has errors, or if `--check` finds changes.
    """
    if found is None:
        sys.stderr.write(
            f"{file.path}: not formatted, because the file has errors; run `aiosqlc generate` to "
            "see them\n"
        )
        return 1
    for name, why in found.left.items():
        sys.stderr.write(f"{file.path}: `{name}` is not formatted: {why}\n")
    after = found.tidied.after.text
    if after == file.text:
        return 0
    if check:
        sys.stdout.write(diff_texts(path, file.text, after, "formatted"))
        return 1
    before = path.read_bytes()
    if b"\r\n" in before:
        after = after.replace("\n", "\r\n")
    mark = codecs.BOM_UTF8 if before.startswith(codecs.BOM_UTF8) else b""
    path.write_bytes(mark + after.encode())
    sys.stdout.write(f"formatted {file.path}\n")
    return 0


@contextlib.contextmanager
def prover(
    entry: QuerySet, schema: tuple[SchemaFile, ...], shims: tuple[SchemaFile, ...]
) -> Iterator[Prove]:
    """Start an entry's database engine. Yield a function that proves two SQL texts equivalent."""
    with engine_for(entry.engine) as engine:
        options = options_of(entry, shims)

        def prove(pairs: Sequence[tuple[str, str, str]]) -> Mapping[str, str]:
            try:
                return engine.unproved(schema, options, pairs)
            except ModuleNotFoundError:
                why = "`format` needs a PostgreSQL server: pip install 'aiosqlc[postgres]'"
                return {name: why for name, _, _ in pairs}

        yield prove
