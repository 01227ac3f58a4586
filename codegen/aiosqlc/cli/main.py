"""`aiosqlc COMMAND`: reads the arguments, runs the command, maps its outcome to an exit code."""

from __future__ import annotations

import argparse
import importlib
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from aiosqlc.messages import progress

OK: Final = 0
USAGE: Final = 2
INTERNAL_ERROR: Final = 70  # EX_SOFTWARE of sysexits.h
INTERRUPTED: Final = 130

# Each is a module of this package with `run(arguments)` and, where it has options of its own,
# `add_arguments(parser)`. Only the one that runs is imported: starting fast is part of being used.
_COMMANDS = {
    "generate": "write the Python code of every query",
    "check": "show how the code on disk differs from what it should be",
    "explain": "show a query's types, NULLs and number of rows, and why",
    "format": "lay out the query files",
    "vet": "suggest improvements to queries and schemas",
    "verify": "say in which order code and migrations can be deployed safely",
    "grants": "print the rights that the queries need, as GRANT statements",
    "lsp": "run the language server that editors start",
    "watch": "generate again whenever a file changes",
    "serve": "run a program on a fresh database with the schema, or print its address",
    "playground": "serve a page that compiles while you type",
    "init": "start a project, from nothing, a database, or sqlc's configuration",
    "plugin": "run as a plugin of sqlc, which sends its request on standard input",
    "selfcheck": "search for data that disproves a not-null claim",
    "report": "print a bug report for a query that crashes the compiler",
}
# What is not installed with the bare package, and which extra brings it.
_EXTRAS = {
    "psycopg": "postgres",
    "pymysql": "mysql",
    "sqlglot": "mysql",
    "pygls": "lsp",
    "lsprotocol": "lsp",
    "google": "plugin",
}
# What sqlc appends to the `cmd` of a process plugin.
_SQLC_CALL = "/plugin.CodegenService/Generate"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line: 0 done, 1 findings, 2 wrong usage or configuration, 70 our mistake."""
    words = list(sys.argv[1:] if argv is None else argv)
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
    arguments = parser.parse_args(words)
    progress.show_on(None if _for_machines(arguments) else sys.stderr)
    try:
        code: int = importlib.import_module(f"aiosqlc.cli.{arguments.name}").run(arguments)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        return OK
    except ModuleNotFoundError as error:
        extra = _EXTRAS.get((error.name or "").partition(".")[0])
        if extra is None:
            return _internal_error(error, verbose=arguments.verbose)
        sys.stderr.write(f"{error.name} is not installed: pip install 'aiosqlc[{extra}]'\n")
        return USAGE
    except Exception as error:  # noqa: BLE001  # a person gets a sentence, never a traceback
        return _internal_error(error, verbose=arguments.verbose)
    return code


def _for_machines(arguments: argparse.Namespace) -> bool:
    """Whether a machine reads what is written."""
    return getattr(arguments, "json", False) or getattr(arguments, "format", "text") != "text"


def _internal_error(error: Exception, *, verbose: bool) -> int:
    if verbose:
        traceback.print_exc()
    sys.stderr.write(
        f"internal error: {type(error).__name__}: {error}\n"
        "This is a mistake of aiosqlc, not yours. Run again with `--verbose` and report it.\n"
    )
    return INTERNAL_ERROR


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
    """`--version`, looked up only where it is asked for."""

    def __init__(self, option_strings: Sequence[str], dest: str) -> None:
        super().__init__(option_strings, dest, nargs=0, help="show the version and exit")

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib import metadata

        sys.stdout.write(f"aiosqlc {metadata.version('aiosqlc')}\n")
        parser.exit()


def _common(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "-f", "--file", type=Path, metavar="PATH", help="configuration file, or its folder"
    )
    command.add_argument("--no-color", action="store_true", help="plain text, as when piped")
    command.add_argument("--verbose", action="store_true", help="say more, with tracebacks")
