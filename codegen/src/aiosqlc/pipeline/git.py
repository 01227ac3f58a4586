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
    """Return the schema files with their content at a reference, without files that it lacks."""
    found = []
    for path in current:
        text = _show(project.root, reference, path)
        if text is not None:
            found.append(schema_file(SourceFile(path, text), entry.engine))
    return found


def old_file(project: Project, reference: str, path: Path) -> str | None:
    """Return the content of a file at a git reference, or None if the file did not exist."""
    return _show(project.root, reference, path)


def old_queries(project: Project, entry: QuerySet, reference: str) -> tuple[ParsedQuery, ...]:
    """Return the queries of a git reference, from the paths that the configuration names now.

    Raises `GitError` if the reference or the repository cannot be read.
    """
    files = []
    for path in _old_paths(project, entry, reference):
        text = _show(project.root, reference, path)
        if text is not None:
            files.append(SourceFile(path, text))
    queries, _ = parse_files(files, entry.engine)
    return queries


def base_of(root: Path, reference: str) -> str:
    """Return the commit at which the current branch left a git reference.

    If the histories do not meet, as in a shallow clone, return the reference's own commit. Raises
    `GitError` with a sentence for the user.
    """
    try:
        inside = _run_git(root, "rev-parse", "--is-shallow-repository")
    except FileNotFoundError:
        raise GitError("git is not installed") from None
    if inside.returncode:
        if "not a git repository" in inside.stderr:
            raise GitError("the configuration is not in a git repository")
        raise GitError(inside.stderr.strip().removeprefix("fatal: "))
    found = _run_git(
        root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{reference}^{{commit}}"
    )
    if found.returncode:
        if inside.stdout.strip() == "true":
            raise GitError(
                f"this shallow clone does not have {reference}: fetch it first, in a workflow with"
                " `fetch-depth: 0`"
            )
        raise GitError(f"git knows no commit {reference}: name a branch, a tag or a commit")
    commit = found.stdout.strip()
    meeting = _run_git(root, "merge-base", commit, "HEAD")
    return meeting.stdout.strip() if meeting.returncode == 0 else commit


def removed_files(project: Project, reference: str, current: Sequence[Path]) -> list[Path]:
    """Return the SQL files in the folders of the current files that exist only in the reference."""
    folders = {path.parent for path in current}
    found = []
    for folder in sorted(folders):
        names = _git(project.root / folder, "ls-tree", "--name-only", reference, "./").split("\n")
        found += [folder / name for name in names if name.endswith(".sql")]
    return [path for path in found if not (project.root / path).exists()]


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
