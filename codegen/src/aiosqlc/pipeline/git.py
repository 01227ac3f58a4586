"""Read the schema and queries of another git reference, without a checkout."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from aiosqlc.config.project import Project, QuerySet
from aiosqlc.files import decoded, find_sql_files
from aiosqlc.ir import ParsedQuery, SchemaFile
from aiosqlc.parse.queries import parse_files
from aiosqlc.schema import schema_file
from aiosqlc.source import SourceFile


class GitError(Exception):
    """Raised if git cannot return a file of the reference."""


def old_schema(
    project: Project, entry: QuerySet, reference: str, current: Sequence[Path]
) -> list[SchemaFile]:
    """Return the schema files with their content at a reference; omit files that did not exist.

    Raises `GitError`, also if a file is not UTF-8.
    """
    found = _texts(project.root, reference, current)
    return [schema_file(SourceFile(path, text), entry.engine) for path, text in found.items()]


def old_file(project: Project, reference: str, path: Path) -> str | None:
    """Return the content of a file at a git reference, or None if the file did not exist."""
    return _texts(project.root, reference, [path]).get(path)


def old_queries(project: Project, entry: QuerySet, reference: str) -> tuple[ParsedQuery, ...]:
    """Return the queries of a git reference, from the paths that the configuration names now.

    Raises `GitError` if the reference or the repository cannot be read.
    """
    now, _ = find_sql_files(project.root, entry.queries, project.file, entry.queries_span)
    root = project.root.resolve()
    paths = [
        Path(os.path.relpath(path.resolve(), root))
        for path in _sql_files({path.parent for path in now}, reference)
    ]
    found = _texts(project.root, reference, paths)
    files = [SourceFile(path, text) for path, text in found.items()]
    return parse_files(files, entry.engine)[0]


def base_of(root: Path, reference: str) -> str:
    """Return the newest commit that the current branch and a git reference have in common.

    If the histories do not meet, as in a shallow clone, return the reference's own commit. Raises
    `GitError` with a sentence for the user.
    """
    commit = commit_of(root, reference)
    meeting = _run_git(root, "merge-base", commit, "HEAD")
    return meeting.stdout.decode().strip() if meeting.returncode == 0 else commit


def commit_of(root: Path, reference: str) -> str:
    """Return the commit that a git reference names.

    Raises `GitError` with a sentence for the user.
    """
    try:
        shallow = _git(root, "rev-parse", "--is-shallow-repository").strip() == b"true"
    except FileNotFoundError:
        raise GitError("git is not installed") from None
    except GitError as error:
        if "not a git repository" in str(error):
            raise GitError("the configuration is not in a git repository") from None
        raise GitError(str(error).removeprefix("fatal: ")) from None
    found = _run_git(
        root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{reference}^{{commit}}"
    )
    if found.returncode:
        if shallow:
            raise GitError(
                f"this shallow clone does not have {reference}: fetch it first, for example with"
                " `fetch-depth: 0` in a GitHub workflow"
            )
        raise GitError(f"git knows no commit {reference}: name a branch, a tag or a commit")
    return found.stdout.decode().strip()


def removed_files(project: Project, reference: str, current: Sequence[Path]) -> list[Path]:
    """Return the SQL files, in the folders of the current files, that only the reference has."""
    folders = {project.root / path.parent for path in current}
    return [path for path in _sql_files(folders, reference) if not path.exists()]


def _sql_files(folders: Iterable[Path], reference: str) -> list[Path]:
    return [
        folder / name
        for folder in sorted(folders)
        for name in _blobs(folder, reference)
        if name.endswith(".sql")
    ]


def _texts(root: Path, reference: str, paths: Sequence[Path]) -> dict[Path, str]:
    """Return the texts of the files at a reference; omit files that did not exist."""
    listed = {
        folder: _blobs(root / folder, reference)
        for folder in dict.fromkeys(path.parent for path in paths)
        if (root / folder).is_dir()
    }
    ids = {path: listed.get(path.parent, {}).get(path.name, "") for path in paths}
    ids = {path: of for path, of in ids.items() if of}
    found = {}
    for path, data in zip(ids, _contents(root, list(ids.values())), strict=True):
        try:
            found[path] = decoded(data)
        except UnicodeDecodeError:
            raise GitError(f"{path.as_posix()} is not UTF-8 in this reference") from None
    return found


def _blobs(folder: Path, reference: str) -> dict[str, str]:
    """Return the names and object ids of a folder's files in a reference."""
    listed = _git(folder, "ls-tree", "-z", reference, "./").decode("utf-8", "surrogateescape")
    entries = [item.partition("\t") for item in listed.split("\0") if item]
    kinds = [(name, head.split()) for head, _, name in entries]
    return {name: of for name, (_, kind, of) in kinds if kind == "blob"}


def _contents(root: Path, ids: Sequence[str]) -> Iterator[bytes]:
    """Yield the contents of git objects, using one git process."""
    if not ids:
        return
    data = _git(root, "cat-file", "--batch", asked="".join(f"{one}\n" for one in ids))
    start = 0
    for one in ids:
        end = data.index(b"\n", start)
        head = data[start:end].split()
        if len(head) != len(("id", "kind", "size")):  # a partial clone that cannot be completed
            raise GitError(f"git cannot read the object {one}")
        start = end + 1 + int(head[2])
        yield data[end + 1 : start]
        start += 1


def _git(folder: Path, *arguments: str, asked: str = "") -> bytes:
    done = _run_git(folder, *arguments, asked=asked)
    if done.returncode:
        raise GitError(done.stderr.decode(errors="replace").strip() or "git failed")
    return done.stdout


def _run_git(folder: Path, *arguments: str, asked: str = "") -> subprocess.CompletedProcess[bytes]:
    command = ["git", *arguments]  # the user's own git, as found on their PATH
    return subprocess.run(
        command, cwd=folder, capture_output=True, input=asked.encode(), check=False
    )
