"""`aiosqlc review --base REF`: summarize how a code change affects the production database."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from msgspec.structs import replace

from aiosqlc.analysis.watched.observed import SchemaFailsError
from aiosqlc.cli.common import load, report, style_of, within_repository
from aiosqlc.cli.reviewing import review
from aiosqlc.messages.files import reason
from aiosqlc.messages.machines import FORMATS, format_diagnostics
from aiosqlc.messages.render import Style
from aiosqlc.pipeline.git import GitError
from aiosqlc.production.review.document import document, plain
from aiosqlc.production.review.markdown import comment
from aiosqlc.production.review.model import Review
from aiosqlc.production.review.replaced import is_report
from aiosqlc.production.review.verdict import findings
from aiosqlc.production.statistics import StatisticsError
from aiosqlc.servers.private import NoServerError

_FORMATS = (*FORMATS[:1], "markdown", *FORMATS[1:])


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Declare the options of `review`."""
    command.add_argument(
        "--base", required=True, metavar="REF", help="git reference to compare with"
    )
    command.add_argument(
        "--format",
        choices=_FORMATS,
        default="text",
        help="how to report; `markdown` is a comment for a pull request",
    )
    command.add_argument(
        "--output",
        type=_output,
        action="append",
        default=[],
        metavar="FORMAT=FILE",
        help="also write the report to a file; can be repeated",
    )
    command.add_argument(
        "--timeout-set",
        action="store_true",
        help="do not report a missing lock_timeout, because your migration tool sets it",
    )


@within_repository
def run(arguments: argparse.Namespace) -> int:
    """Compare the working tree with a git reference, and print a review.

    Return 1 if there is a finding.
    """
    project = load(arguments)
    if project is None:
        return 2
    style = style_of(arguments, project.root)
    try:
        found = review(project, arguments.base, patient=arguments.timeout_set)
    except GitError as error:
        sys.stderr.write(f"cannot compare with {arguments.base}: {error}\n")
        return 2
    except NoServerError as error:
        sys.stderr.write(f"no server is available to check the change: {error}\n")
        return 2
    except StatisticsError as error:
        sys.stderr.write(f"the plans cannot be compared: {error}\n")
        return 2
    except SchemaFailsError as error:
        report(error.problems, style)
        sys.stderr.write(f"the schema of {arguments.base} has errors: fix them first\n")
        return 2
    for how, path in arguments.output:
        if said := _not_written(path, how, _formatted(found, replace(style, colour=False), how)):
            sys.stderr.write(f"{said}\n")
            return 2
    if arguments.format == "text":
        sys.stdout.write(plain(found))
        report(findings(found), style)
    else:
        sys.stdout.write(_formatted(found, style, arguments.format))
    return 1 if findings(found) else 0


def _not_written(path: Path, how: str, text: str) -> str:
    """Write a report to a file. Return an error message, or '' if the file was written."""
    foreign = f"{path} is not a review in the format {how}: choose another file"
    try:
        if path.exists() and not is_report(path.read_text(encoding="utf-8"), how):
            return foreign
        path.write_text(text, encoding="utf-8")
    except UnicodeDecodeError:
        return foreign
    except OSError as error:
        return f"cannot write {path}: {reason(error)}"
    return ""


def _formatted(found: Review, style: Style, how: str) -> str:
    if how == "markdown":
        return comment(found, style)
    if how == "json":
        return document(found, style)
    head = plain(found) if how == "text" else ""
    return head + format_diagnostics(findings(found), style, how)


def _output(text: str) -> tuple[str, Path]:
    how, separator, path = text.partition("=")
    if how not in _FORMATS or not separator or not path:
        raise argparse.ArgumentTypeError(
            f"`{text}` is not FORMAT=FILE with one of the formats {', '.join(_FORMATS)}"
        )
    return how, Path(path)
