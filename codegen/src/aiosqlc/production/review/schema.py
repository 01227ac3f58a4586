"""Find edited or removed schema files that databases may already have applied."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from aiosqlc.diagnostics import Diagnostic, Label, Severity
from aiosqlc.ir import SchemaFile
from aiosqlc.parse.scanner import Kind, scan
from aiosqlc.source import Dialect, Span

_NUMBERED = re.compile(r"(?:[VvUu])?\d+\w*|migration\.sql|up\.sql", re.IGNORECASE)


class Edited(Struct, frozen=True):
    """The schema files that a change edits. Files in `described` declare the current schema.

    Files in `migrations` are numbered; a migration tool applies each of them only once.
    """

    described: tuple[SchemaFile, ...] = ()
    migrations: tuple[SchemaFile, ...] = ()

    def __bool__(self) -> bool:
        """Return whether the change edits a schema file."""
        return bool(self.described or self.migrations)


def edited(old: Sequence[SchemaFile], new: Sequence[SchemaFile], dialect: Dialect) -> Edited:
    """Return the files whose statements changed; changes of comments and spaces do not count."""
    before = {file.file.path: file for file in old}
    differing = [
        file
        for file in new
        if file.file.path in before
        and _code(file, dialect) != _code(before[file.file.path], dialect)
    ]
    numbered = [file for file in differing if _NUMBERED.match(_name(file.file.path))]
    described = [file for file in differing if file not in numbered]
    return Edited(tuple(described), tuple(numbered))


def problems(found: Edited, removed: Sequence[Path]) -> list[Diagnostic]:
    """Return a finding for each edited migration, and one finding for all removed migrations."""
    items = []
    for file in found.migrations:
        start = file.statements[0] if file.statements else Span(0, 0)
        text = file.sql[start.start : start.end]
        begin = start.start + len(text) - len(text.lstrip())
        items.append(
            Diagnostic(
                "R001",
                f"{_name(file.file.path)} changed after it was merged",
                (Label(file.file, Span(begin, start.end)),),
                "databases that have applied this file do not apply the new version: write a new"
                " migration",
                Severity.WARNING,
            )
        )
    if removed:
        names = ", ".join(_name(path) for path in removed)
        items.append(
            Diagnostic(
                "R001",
                f"applied migrations are removed: {names}",
                hint="databases keep the changes of the removed files: restore the files, and write"
                " a new migration",
                severity=Severity.WARNING,
            )
        )
    return items


def _name(path: Path) -> str:
    """Return the name of a migration; for some tools this is the name of its folder."""
    return path.parent.name if path.name in {"migration.sql", "up.sql"} else path.name


def _code(file: SchemaFile, dialect: Dialect) -> list[str]:
    return [t.text for t in scan(file.sql, dialect) if t.kind is not Kind.COMMENT]
