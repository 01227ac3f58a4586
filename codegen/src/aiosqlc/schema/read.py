"""Select, sort and read schema files."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from aiosqlc.diagnostics import Diagnostic
from aiosqlc.files import find_sql_files, read_files
from aiosqlc.ir import SchemaFile
from aiosqlc.schema.forward import forward_sql, forward_statements
from aiosqlc.schema.order import by_dependency, forward_files, since_checkpoint
from aiosqlc.source import Dialect, SourceFile, Span
from aiosqlc.store.memo import memo


def read_schema(
    root: Path, patterns: Iterable[str], dialect: Dialect, config: SourceFile, span: Span
) -> tuple[tuple[SchemaFile, ...], list[Diagnostic]]:
    """Read the schema files that match `patterns`, in the order of application."""
    paths, problems = find_sql_files(root, patterns, config, span)
    files, unreadable = read_files(root, forward_files(paths))
    return _applied(tuple(files), dialect), problems + unreadable


@memo
def _applied(files: tuple[SourceFile, ...], dialect: Dialect) -> tuple[SchemaFile, ...]:
    applied = by_dependency(since_checkpoint(list(files)))
    return tuple([schema_file(file, dialect) for file in applied])


@memo  # while watching, most files are unchanged
def schema_file(file: SourceFile, dialect: Dialect = Dialect.POSTGRESQL) -> SchemaFile:
    """Reduce a schema file to the statements that migrate forward."""
    sql, transactional = forward_sql(file.text, dialect)
    return SchemaFile(file, sql, forward_statements(sql, dialect), transactional)
