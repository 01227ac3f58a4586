"""Compile a project and write the generated files to disk."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

from aiosqlc.analysis.port import Analyze
from aiosqlc.config.project import Project
from aiosqlc.diagnostics import Diagnostic
from aiosqlc.lock.head import other_format
from aiosqlc.lock.reading import keep_lock
from aiosqlc.lock.writing import print_lock
from aiosqlc.messages.causes import by_cost
from aiosqlc.pipeline.compile import compile_project
from aiosqlc.pipeline.internal import exit_code
from aiosqlc.pipeline.output import Changes, compare, write
from aiosqlc.pipeline.printing import Compiled
from aiosqlc.pipeline.unchanged import head_of
from aiosqlc.source import Dialect


def build(
    project: Project,
    report: Callable[[Sequence[Diagnostic]], None],
    analyze: Analyze | None = None,
    *,
    analyzer_of: Callable[[Dialect], Analyze] | None = None,
    keep_going: bool = False,
    wrote: Callable[[Changes], None] | None = None,
) -> int:
    """Generate all files and the lock, and return the exit code.

    If there is an error, write nothing, or only the queries that compile.

    `wrote` is called with the written files, including the lock, and with the removed files.
    """
    older = other_format(project)
    if older:
        sys.stderr.write(f"{older}\n")
    compiled = compile_project(project, analyze, analyzer_of, keep_going=keep_going, with_lock=True)
    report(by_cost(compiled.diagnostics))
    if compiled.failed and not keep_going:
        if compiled.sound:
            count = f"{compiled.sound} of {compiled.asked} queries"
            sys.stderr.write(f"nothing is written; `--keep-going` writes {count}\n")
        return exit_code(compiled.diagnostics)
    # The files of a failed query may still be in use, so only a complete run deletes files.
    folders = [] if compiled.failed else compiled.folders
    changes = compare(compiled.files, folders)
    refused = write(changes)
    if not refused:  # the lock refers to the current files
        locked = stale_lock(project, compiled)
        refused = write(locked)
        changes = Changes((*changes.write, *locked.write), changes.remove)
    if not refused:
        keep_lock(project, compiled.locked)
        if wrote:
            wrote(changes)
    report(refused)
    if compiled.failed and not refused:
        left = compiled.asked - compiled.written
        sys.stderr.write(f"{compiled.written} queries are written, {left} are not\n")
    return exit_code(compiled.diagnostics) if refused or compiled.failed else 0


def stale_lock(project: Project, compiled: Compiled) -> Changes:
    """Return the changes that would make the lock file current, or no changes if it is current."""
    quiet = not compiled.diagnostics
    head = head_of(project, compiled.files) if quiet else None
    return compare([print_lock(project, compiled.locked, head, compiled.lock_texts)], [])
