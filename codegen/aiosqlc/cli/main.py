"""`aiosqlc COMMAND`: reads the arguments, runs the command, maps its outcome to an exit code."""

from __future__ import annotations

import argparse
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from aiosqlc.cli import explain, generate, vet

OK: Final = 0
FINDINGS: Final = 1
USAGE: Final = 2

_Command = Callable[[argparse.Namespace], int]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line: 0 done, 1 findings, 2 wrong usage or configuration."""
    arguments = _parser().parse_args(argv)
    command: _Command = arguments.command
    try:
        return command(arguments)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        return OK
    except Exception as error:  # noqa: BLE001  # a person gets a sentence, never a traceback
        return _internal_error(error, verbose=arguments.verbose)


def _internal_error(error: Exception, *, verbose: bool) -> int:
    if verbose:
        traceback.print_exc()
    sys.stderr.write(
        f"internal error: {type(error).__name__}: {error}\n"
        "This is a mistake of aiosqlc, not yours. Run again with `--verbose` and report it.\n"
    )
    return FINDINGS


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="aiosqlc",
        description="Compile annotated SQL to typed async Python functions.",
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for name, run, add_arguments, summary in (
        ("generate", generate.generate, None, "write the Python code of every query"),
        ("check", generate.check, None, "show how the code on disk differs from what it should be"),
        ("explain", explain.run, explain.add_arguments, "say what is known of a query, and why"),
        ("vet", vet.run, vet.add_arguments, "advise on queries and schemas that compile"),
    ):
        command = commands.add_parser(name, help=summary, description=summary)
        _common(command)
        if add_arguments:
            add_arguments(command)
        command.set_defaults(command=run)
    return parser


def _common(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "-f", "--file", type=Path, metavar="PATH", help="configuration file, or its folder"
    )
    command.add_argument("--no-color", action="store_true", help="plain text, as when piped")
    command.add_argument("--verbose", action="store_true", help="say more, with tracebacks")
