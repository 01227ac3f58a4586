"""Reads schema files: which ones, in which order, and which of their lines."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from aiosqlc.diagnostics import Diagnostic
from aiosqlc.files import find_sql_files, read_files
from aiosqlc.parse.scanner import Dialect, split_statements
from aiosqlc.source import SourceFile, Span
from aiosqlc.stages import SchemaFile

_BACKWARD = (".down.sql", ".rollback.sql", ".undo.sql")


def read_schema(
    root: Path, patterns: Iterable[str], dialect: Dialect, config: SourceFile, span: Span
) -> tuple[tuple[SchemaFile, ...], list[Diagnostic]]:
    """Read the schema files that `patterns` name, in the order they are applied."""
    paths, problems = find_sql_files(root, patterns, config, span)
    forward = [
        path for path in paths if not path.name.endswith(_BACKWARD) and not _UNDONE.match(path.name)
    ]
    files, unreadable = read_files(root, _in_order(forward))
    applied = _by_dependency(files)
    return tuple(schema_file(file, dialect) for file in applied), problems + unreadable


@lru_cache(maxsize=512)  # while watching, most files are what they were
def schema_file(file: SourceFile, dialect: Dialect = Dialect.POSTGRESQL) -> SchemaFile:
    """Reduce one file to its forward statements."""
    sql, transactional = forward_sql(file.text)
    return SchemaFile(file, sql, split_statements(sql, dialect), transactional)


_VERSION = re.compile(r"^(?:[Vv](?P<dotted>\d+(?:[._]\d+)*)__|[Vv]?(?P<plain>\d+))")
_UNDONE = re.compile(r"^U\d[\d._]*__")  # Flyway's way back
_REPEATED = re.compile(r"^R__")  # Flyway's views and functions, made anew after all versions


def _in_order(paths: list[Path]) -> list[Path]:
    """Sort numbered files of one folder by number, as their tools do: `2_x` before `10_y`.

    Folders and files keep the order in which the configuration names them.
    """
    ordered: list[Path] = []
    for path in paths:
        if path.parent not in {done.parent for done in ordered}:
            ordered += _sorted_by_version([other for other in paths if other.parent == path.parent])
    return ordered


def _sorted_by_version(paths: list[Path]) -> list[Path]:
    repeated = [path for path in paths if _REPEATED.match(path.name)]
    once = [path for path in paths if path not in repeated]
    matches = [_VERSION.match(path.name) for path in once]
    versions = [_numbers(match) for match in matches if match]
    if not versions or len(versions) < len(once):
        return paths
    return [path for _, path in sorted(zip(versions, once, strict=True))] + repeated


def _numbers(version: re.Match[str]) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", version["dotted"] or version["plain"])]


_DEPENDS = re.compile(r"^--\s*depends:(?P<names>.*)$", re.MULTILINE)


def _by_dependency(files: list[SourceFile]) -> list[SourceFile]:
    """Put each file after those its yoyo `-- depends:` line names; circles keep sorted order."""
    by_name = {file.path.name.removesuffix(".sql"): file for file in files}
    ordered: dict[Path, SourceFile] = {}
    visiting: set[Path] = set()

    def visit(file: SourceFile) -> None:
        if file.path in ordered or file.path in visiting:
            return
        visiting.add(file.path)
        needs = _DEPENDS.search(file.text)
        for name in needs["names"].split() if needs else []:
            if name in by_name:
                visit(by_name[name])
        ordered[file.path] = file

    for file in files:
        visit(file)
    return list(ordered.values())


# goose, sql-migrate, dbmate and tern mark where a file turns to the way back.
_DOWN = re.compile(
    r"^(?:--\s*\+goose\s+down|--\s*\+migrate\s+down|--\s*migrate:down"
    r"|---- create above / drop below ----)",
    re.IGNORECASE,
)
_UP = re.compile(r"^(?:--\s*\+goose\s+up|--\s*\+migrate\s+up|--\s*migrate:up)", re.IGNORECASE)
_NO_TRANSACTION = re.compile(
    r"^--\s*(?:\+goose\s+no\s+transaction|\+migrate\s+\w+\s+notransaction"
    r"|migrate:up.*transaction:false|transactional:\s*false|atlas:txmode\s+none)",
    re.IGNORECASE,
)
_PSQL = re.compile(r"^\\[A-Za-z!?;]")
_COPY_DATA = re.compile(r"^COPY\s.*\sFROM\s+stdin\b.*;\s*$", re.IGNORECASE)


def forward_sql(text: str) -> tuple[str, bool]:
    """Blank out what must not run, offset for offset; say whether a transaction is fine."""
    kept: list[str] = []
    forward, data, transactional = True, False, True
    for line in text.split("\n"):
        if _NO_TRANSACTION.match(line):
            transactional = False
        if _DOWN.match(line):
            forward = False
        elif _UP.match(line):
            forward = True
        runs = forward and not data and not _PSQL.match(line)
        if data and line.startswith("\\."):
            data = False
        elif runs and _COPY_DATA.match(line):  # pg_dump's rows are data for psql, not SQL
            data, runs = True, False
        kept.append(line if runs else " " * len(line))
    return "\n".join(kept), transactional
