"""Render the analysed queries of a configuration entry as files."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import replace

from aiosqlc.analysis.checks import concerns
from aiosqlc.config.project import Project, QuerySet
from aiosqlc.diagnostics import Diagnostic, Label, Severity
from aiosqlc.ir import Analysis, Rendered, TypedQuery
from aiosqlc.lock.document import Locked

if TYPE_CHECKING:  # a project without Python code imports none of its stages
    from aiosqlc.emit.paired import Planned

_NOT_TOGETHER = (
    "give each entry its own `out` folder, or combine the entries: `queries` may be a list"
)


class Compiled(Struct):
    """The result of compiling a project.

    If the diagnostics include errors, `files` must not be written.

    If the project was compiled with `keep_going`, `files` may be written in spite of errors. The
    files then contain only `written` of the `asked` queries. Without `keep_going`, `sound` is the
    number of queries that `keep_going` would write. `near` maps a file to the folder whose settings
    format the file.
    """

    files: list[Rendered] = field(default_factory=list)
    folders: list[Path] = field(default_factory=list)
    diagnostics: list[Diagnostic] = field(default_factory=list)
    locked: dict[str, Locked] = field(default_factory=dict)
    lock_texts: dict[str, Sequence[str]] = field(default_factory=dict)
    planned: dict[str, Planned] = field(default_factory=dict)
    near: dict[Path, Path] = field(default_factory=dict)
    asked: int = 0
    sound: int = 0
    written: int = 0

    def add(self, files: Sequence[Rendered], near: Path) -> None:
        """Add Python files, which are formatted with the settings for the folder `near`."""
        self.files += files
        self.near |= dict.fromkeys([file.path for file in files], near)

    @property
    def failed(self) -> bool:
        """Return whether one of the diagnostics is an error."""
        return any(item.severity is Severity.ERROR for item in self.diagnostics)


class Texts(Struct, frozen=True):
    """An entry's queries, rendered for its JSON document and for the lock; None if not rendered."""

    document: Sequence[bytes] | None = None
    lock: Sequence[str] | None = None


def print_set(
    project: Project,
    entry: QuerySet,
    analysis: Analysis,
    into: Compiled,
    texts: Texts | None = None,
    *,
    keep_going: bool = False,
    check_only: bool = False,
) -> None:
    """Plan and render one entry; `keep_going` drops queries whose names clash."""
    if texts and texts.lock:
        into.lock_texts[str(entry.index)] = texts.lock
    if entry.json:
        from aiosqlc.emit.json import print_json

        path = entry.json.out / entry.json.filename
        document = (
            Rendered(path, "")
            if check_only
            else print_json(entry, entry.json, analysis, texts.document if texts else None)
        )
        if same_paths(project, entry, [document], into):
            return
        into.files.append(document)
        into.written += 0 if entry.python else len(analysis.queries)
    if entry.python:
        from aiosqlc.pipeline.python import print_python

        print_python(
            project,
            entry,
            entry.python,
            analysis,
            into,
            keep_going=keep_going,
            check_only=check_only,
        )


def same_paths(
    project: Project, entry: QuerySet, files: Sequence[Rendered], into: Compiled
) -> bool:
    """Report generated files that have the same path, and return whether there are any.

    Two query files with different names can become one module, and two entries can have the same
    `out`.
    """
    taken = {os.path.relpath(file.path, project.root) for file in into.files}
    own = [os.path.relpath(file.path, project.root) for file in files]
    twice = [path for path in dict.fromkeys(own) if path in taken or own.count(path) > 1]
    if not twice:
        return False
    elsewhere = any(path in taken for path in twice)
    more = f", and {len(twice) - 1} more" if len(twice) > 1 else ""
    into.diagnostics.append(
        Diagnostic(
            "E503",
            f"two generated files would have the same path: {twice[0]}{more}",
            (Label(project.file, entry.span),),
            _NOT_TOGETHER if elsewhere else "rename a query file",
        )
    )
    return True


def without_concerned(analysis: Analysis, diagnostics: Sequence[Diagnostic]) -> Analysis:
    """Return an analysis without the queries that have errors."""
    errors = [item for item in diagnostics if item.severity is Severity.ERROR]

    def sound(queries: Sequence[TypedQuery]) -> tuple[TypedQuery, ...]:
        return tuple(
            [one for one in queries if not any(concerns(item, one.parsed) for item in errors)]
        )

    return replace(analysis, queries=sound(analysis.queries), channels=sound(analysis.channels))
