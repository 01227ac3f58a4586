"""Find the rollback of a migration: a separate file, or a section of the migration's file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from aiosqlc.files import read_files
from aiosqlc.ir import SchemaFile
from aiosqlc.parse.scanner import split_statements
from aiosqlc.schema.forward import DOWN, NO_TRANSACTION, UP
from aiosqlc.source import Dialect, SourceFile


def backward(root: Path, file: SourceFile, dialect: Dialect) -> SchemaFile | None:
    """Return the rollback of a migration, or None if the rollback has no statements.

    yoyo and golang-migrate have a separate file; dbmate, goose and sql-migrate have a section.
    """
    for name in _names(file.path.name):
        path = root / file.path.with_name(name)
        if path.is_file():
            found, _ = read_files(root, [path])
            return _whole(found[0], dialect) if found else None
    return _section(file, dialect)


def _names(name: str) -> Iterator[str]:
    stem = name.removesuffix(".sql")
    yield f"{stem}.rollback.sql"
    if stem.endswith(".up"):
        yield f"{stem.removesuffix('.up')}.down.sql"
    for sign in ("_", "-"):
        if stem.endswith(f"{sign}up"):
            yield f"{stem.removesuffix('up')}down.sql"
    if name == "up.sql":
        yield "down.sql"
    if re.match(r"V\d", name):
        yield f"U{name[1:]}"


def _whole(file: SourceFile, dialect: Dialect) -> SchemaFile:
    once = not any(NO_TRANSACTION.match(line) for line in file.text.split("\n"))
    return SchemaFile(file, file.text, split_statements(file.text, dialect), transactional=once)


def _section(file: SourceFile, dialect: Dialect) -> SchemaFile | None:
    kept: list[str] = []
    forward, transactional = True, True
    for line in file.text.split("\n"):
        transactional = transactional and not NO_TRANSACTION.match(line)
        if DOWN.match(line):
            forward = False
        elif UP.match(line):
            forward = True
        kept.append(" " * len(line) if forward or DOWN.match(line) else line)
    sql = "\n".join(kept)
    statements = split_statements(sql, dialect)
    return SchemaFile(file, sql, statements, transactional) if statements else None
