"""`aiosqlc COMMAND`: parse the arguments, run the command, return its exit code."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from aiosqlc.cli.failures import FINDINGS, USAGE, failed
from aiosqlc.messages import progress

OK: Final = 0
INTERRUPTED: Final = 130

# Each command is a module of this package with `run(arguments)` and, if it has options,
# `add_arguments(parser)`. Only the module of the chosen command is imported, to start fast.
_COMMANDS = {
    "generate": "generate the Python code of all queries",
    "check": "check that the generated code is up to date",
    "explain": "explain the inferred types, nullability and row count of a query",
    "format": "format the query files",
    "vet": "lint queries and schemas",
    "verify": "check whether to deploy code or migrations first, or check stored JSON",
    "stats": "write the statistics of a production database to a file for `vet --plans`",
    "migrations": "check which locks the pending migrations take, and which queries wait",
    "plans": "record the plans of all queries, and report the plans that change",
    "review": "summarize how a pull request affects the production database",
    "grants": "print the GRANT statements that the queries need",
    "policies": "print row-level security policies for tables with a tenant column",
    "lsp": "run the language server for editors",
    "watch": "regenerate when a file changes",
    "serve": "run a program with a temporary database that has the schema",
    "init": "create a project: empty, from a database, or from an sqlc configuration",
    "mcp": "serve the project's queries as tools for assistants (Model Context Protocol)",
    "plugin": "run as an sqlc plugin (reads a request on standard input)",
    "scan": "compile the SQL in string literals of Python files",
    "factories": "generate functions that insert rows for tests",
    "selfcheck": "test the not-null guarantees with random data",
    "report": "print a bug report for a query that crashes the compiler",
}
# The argument that sqlc appends to the `cmd` of a process plugin.
_SQLC_CALL = "/plugin.CodegenService/Generate"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command in the arguments and return its exit code.

    The code is 0 for success, 1 for findings, 2 for wrong usage or configuration, and 70 for a
    crash.
    """
    _open_streams()
    words = list(sys.argv[1:] if argv is None else argv)
    code = OK
    try:
        try:
            code = _run(words)
        finally:  # even after `--help`: a failed write shows only now
            sys.stdout.flush()
    except BrokenPipeError:  # the reader has closed the pipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.stderr.write(f"cannot write the output: {error.strerror}\n")
        return FINDINGS
    return code


def _open_streams() -> None:
    """Open closed standard streams (`>&-`) on the null device.

    Otherwise, the next opened file would get the file descriptor of a standard stream.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115 - not a path; stays open until the end


def _run(words: list[str]) -> int:
    """Run the command that the arguments name.

    Raises OSError if the command's output cannot be written.
    """
    if words[:1] == [_SQLC_CALL]:
        words = ["plugin"]
    parser = _parser(words[0] if words else "")
    if not words:
        parser.print_help(sys.stderr)
        return USAGE
    if not words[0].startswith("-") and words[0] not in _COMMANDS:
        from aiosqlc.messages.suggest import did_you_mean

        hint = did_you_mean(words[0], _COMMANDS, otherwise="`aiosqlc --help` lists the commands")
        sys.stderr.write(f"there is no command `{words[0]}`; {hint}\n")
        return USAGE
    arguments, unknown = parser.parse_known_args(words)
    if unknown:
        sys.stderr.write(_not_known(arguments.name, unknown))
        return USAGE
    progress.show_on(None if _for_machines(arguments) else sys.stderr)
    try:
        code: int = importlib.import_module(f"aiosqlc.cli.{arguments.name}").run(arguments)
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001  # the user gets a sentence instead of a traceback
        return failed(error, verbose=arguments.verbose)
    return code


def _not_known(name: str, unknown: list[str]) -> str:
    """Return the error message for an argument that the command does not accept."""
    if name == "serve":
        return f"`{unknown[0]}` is not an option of `serve`: write `--` before the program\n"
    options = f"`aiosqlc {name} --help` lists its options"
    return f"`aiosqlc {name}` does not take `{unknown[0]}`; {options}\n"


def _for_machines(arguments: argparse.Namespace) -> bool:
    """Return whether the output format is machine-readable."""
    return getattr(arguments, "json", False) or getattr(arguments, "format", "text") != "text"


def _parser(wanted: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="aiosqlc",
        description="Compile annotated SQL to typed async Python functions.",
    )
    parser.add_argument("--version", action=_Version)
    commands = parser.add_subparsers(
        title="commands", required=True, metavar="COMMAND", dest="name"
    )
    for name in [wanted] if wanted in _COMMANDS else _COMMANDS:
        summary = _COMMANDS[name]
        command = commands.add_parser(name, help=summary, description=summary)
        _common(command)
        if name == wanted:
            add = getattr(importlib.import_module(f"aiosqlc.cli.{name}"), "add_arguments", None)
            if add:
                add(command)
    return parser


class _Version(argparse.Action):
    """The option `--version`. The package metadata is imported only if this option is used."""

    def __init__(self, option_strings: Sequence[str], dest: str) -> None:
        super().__init__(option_strings, dest, nargs=0, help="show the version and exit")

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib import metadata

        sys.stdout.write(f"aiosqlc {metadata.version('aiosqlc')}\n")
        parser.exit()


def _common(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "-f",
        "--file",
        type=Path,
        metavar="PATH",
        help="the configuration file, or the folder of the configuration file",
    )
    command.add_argument(
        "--no-color", action="store_true", help="plain text output (default when piped)"
    )
    command.add_argument("--verbose", action="store_true", help="verbose output with tracebacks")
