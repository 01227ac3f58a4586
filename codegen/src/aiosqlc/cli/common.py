"""Functions that several commands use: load the configuration, and print diagnostics."""

from __future__ import annotations

import argparse
import functools
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from aiosqlc.config.load import find_config, load_project
from aiosqlc.config.project import Project, QuerySet
from aiosqlc.diagnostics import Diagnostic, Severity
from aiosqlc.messages.render import Style, render_all
from aiosqlc.store.disk import only_within, repository_of


def style_of(arguments: argparse.Namespace, root: Path) -> Style:
    """Return the output style: coloured on a terminal, unless the user disables colours."""
    plain = arguments.no_color or "NO_COLOR" in os.environ or not sys.stderr.isatty()
    return Style(Path(os.path.relpath(root)), colour=not plain)


_CONFINED = ("base", "against", "after", "each")
"""The options that make a command compare two versions, as in the check of a pull request."""


def within_repository(run: Callable[[argparse.Namespace], int]) -> Callable[..., int]:
    """Let a command read only files inside the git repository if it compares two versions.

    Otherwise, the author of a pull request could let the command read any file of the machine, and
    see its text in the report.
    """

    @functools.wraps(run)
    def confined(arguments: argparse.Namespace) -> int:
        config = find_config(arguments.file, Path())
        if isinstance(config, Diagnostic) or not any(map(vars(arguments).get, _CONFINED)):
            return run(arguments)
        repository = repository_of(config.parent)
        if repository is None:  # without a repository, there is no pull request
            return run(arguments)
        with only_within(repository):
            return run(arguments)

    return confined


def load(arguments: argparse.Namespace) -> Project | None:
    """Load the configuration and print its errors. Return None if the configuration is unusable."""
    path = find_config(arguments.file, Path())
    if isinstance(path, Diagnostic):
        report([path], style_of(arguments, Path()))
        return None
    project, problems = load_project(path)
    report(problems, style_of(arguments, path.parent))
    if any(item.severity is Severity.ERROR for item in problems):
        return None
    return project


def only_entry(
    project: Project, name: str | None, fits: Callable[[QuerySet], bool], needed: str
) -> QuerySet | str:
    """Return the only entry that `fits` accepts, or an error message if it accepts none or several.

    `needed` names the setting that the command needs in an entry, for the error message.
    """
    fit = [entry for entry in project.sets if fits(entry)]
    if name is not None:
        fit = [entry for entry in fit if entry.name == name]
    if len(fit) == 1:
        return fit[0]
    if not fit:
        named = f" is named `{name}` and" if name is not None else ""
        return f"no entry of the configuration{named} has {needed}"
    return "the configuration has several entries: give each a `name`, and pass `--entry NAME`"


def report(diagnostics: Sequence[Diagnostic], style: Style) -> None:
    """Print diagnostics to standard error."""
    sys.stderr.write(render_all(diagnostics, style))
