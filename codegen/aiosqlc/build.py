"""Compiles a project and puts the result on disk."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from aiosqlc.config.project import Project
from aiosqlc.diagnostics import Diagnostic
from aiosqlc.lock import keep_lock, print_lock
from aiosqlc.output import compare, write
from aiosqlc.pipeline import compile_project
from aiosqlc.remember import Analyze
from aiosqlc.unchanged import head_of


def build(
    project: Project,
    report: Callable[[Sequence[Diagnostic]], None],
    analyze: Analyze | None = None,
) -> int:
    """Generate every file and the lock; nothing is written where there is an error."""
    compiled = compile_project(project, analyze)
    report(compiled.diagnostics)
    if compiled.failed:
        return 1
    refused = write(compare(compiled.files, compiled.folders))
    if not refused:  # the lock names the files that are there now
        quiet = not compiled.diagnostics
        head = head_of(project, compiled.files) if quiet else None
        refused = write(compare([print_lock(project, compiled.locked, head)], []))
    if not refused:
        keep_lock(project, compiled.locked)
    report(refused)
    return 1 if refused else 0
