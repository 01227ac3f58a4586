"""Read the schema and queries of another git reference, without a checkout."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from aiosqlc.config.project import Project, QuerySet
from aiosqlc.files import find_sql_files
from aiosqlc.ir import ParsedQuery, SchemaFile
from aiosqlc.parse.queries import parse_files
from aiosqlc.schema import schema_file
from aiosqlc.source import SourceFile


class GitError(Exception):
    """Raised if git cannot return a file of the reference."""


def old_schema(
    project: Project, entry: QuerySet, reference: str, current: Sequence[Path]
) -> list[SchemaFile]:
    """Return the old contents of the current schema files, except files that did not exist."""
    found = []
    for path in current:
        text = _show(project.root, reference, path)
        if text is not None:
            found.append(schema_file(SourceFile(path, text), entry.engine))
    return found


def old_queries(project: Project, entry: QuerySet, reference: str) -> tuple[ParsedQuery, ...]:
    """Return the old queries from the folders and files that the configuration now names.

    Raises `GitError` if the reference or the repository cannot be read.
    """
    files = []
    for path in _old_paths(project, entry, reference):
        text = _show(project.root, reference, path)
        if text is not None:
            files.append(SourceFile(path, text))
    queries, _ = parse_files(files, entry.engine)
    return queries


def _old_paths(project: Project, entry: QuerySet, reference: str) -> list[Path]:
    now, _ = find_sql_files(project.root, entry.queries, project.file, entry.queries_span)
    folders = {path.parent for path in now}
    listed = []
    for folder in sorted(folders):
        names = _git(folder, "ls-tree", "--name-only", reference, "./").split("\n")
        listed += [folder / name for name in names if name.endswith(".sql")]
    root = project.root.resolve()
    return [Path(os.path.relpath(path.resolve(), root)) for path in listed]


def _show(root: Path, reference: str, path: Path) -> str | None:
    """Return a file of the reference, or None if it did not exist."""
    done = _run_git(root, "show", f"{reference}:./{PurePosixPath(path)}")
    return done.stdout if done.returncode == 0 else None


def _git(folder: Path, *arguments: str) -> str:
    done = _run_git(folder, *arguments)
    if done.returncode:
        raise GitError(done.stderr.strip() or "git failed")
    return done.stdout


def _run_git(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = ["git", *arguments]  # the user's own git, as found on their PATH
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
