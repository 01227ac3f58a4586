"""Which code runs on which schema while a release is rolled out: old queries on every new step."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from aiosqlc.config.project import Project, QuerySet
from aiosqlc.diagnostics import Diagnostic, Severity
from aiosqlc.files import find_sql_files
from aiosqlc.parse.queries import parse_files
from aiosqlc.pipeline import analyzer, options_of, read_inputs
from aiosqlc.remember import Analyze
from aiosqlc.schema import schema_file
from aiosqlc.source import SourceFile
from aiosqlc.stages import ParsedQuery, SchemaFile


@dataclass(frozen=True, slots=True)
class Step:
    """One state of the schema in a release; `migration` led to it, empty for the old one."""

    migration: str
    old_code: tuple[Diagnostic, ...]
    new_code: tuple[Diagnostic, ...]


class GitError(Exception):
    """Git could not show a file of the reference."""


def verify_entry(
    project: Project, entry: QuerySet, reference: str, analyze: Analyze | None = None
) -> list[Step]:
    """Try both releases' queries on the old schema and after each pending migration.

    Raises `GitError` where the reference or the repository cannot be read.
    """
    analyze = analyze or analyzer(entry.engine)
    inputs, _ = read_inputs(project, entry)
    old_schema = {
        file.file.path: file
        for file in _old_schema(project, entry, reference, [s.file.path for s in inputs.schema])
    }
    old_queries = _old_queries(project, entry, reference)
    applied = [old_schema[file.file.path] for file in inputs.schema if file.file.path in old_schema]
    pending = [file for file in inputs.schema if file.file.path not in old_schema]
    steps = []
    for count in range(len(pending) + 1):
        state = [*applied, *pending[:count]]
        name = pending[count - 1].file.path.name if count else ""
        steps.append(
            Step(
                name,
                _errors(analyze, state, old_queries, entry),
                _errors(analyze, state, inputs.queries, entry),
            )
        )
    return steps


def _errors(
    analyze: Analyze,
    schema: Sequence[SchemaFile],
    queries: Sequence[ParsedQuery],
    entry: QuerySet,
) -> tuple[Diagnostic, ...]:
    _, found = analyze(schema, queries, options_of(entry))
    return tuple(item for item in found if item.severity is Severity.ERROR)


def _old_schema(
    project: Project, entry: QuerySet, reference: str, current: Sequence[Path]
) -> list[SchemaFile]:
    """Return today's schema files as they were; those that were not there yet are left out."""
    found = []
    for path in current:
        text = _show(project.root, reference, path)
        if text is not None:
            found.append(schema_file(SourceFile(path, text), entry.engine))
    return found


def _old_queries(project: Project, entry: QuerySet, reference: str) -> tuple[ParsedQuery, ...]:
    """Return the queries of the reference: of the folders and files that are named now."""
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
    """Return a file of the reference; None where it did not exist."""
    done = _run_git(root, "show", f"{reference}:./{PurePosixPath(path)}")
    return done.stdout if done.returncode == 0 else None


def _git(folder: Path, *arguments: str) -> str:
    done = _run_git(folder, *arguments)
    if done.returncode:
        raise GitError(done.stderr.strip() or "git failed")
    return done.stdout


def _run_git(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = ["git", *arguments]  # the user's own git, as their shell finds it
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def advice(steps: Sequence[Step]) -> str:
    """Return which order of deploying is safe."""
    old_survives = not any(step.old_code for step in steps)
    new_runs_before = not steps[0].new_code
    if len(steps) == 1:
        return "no migration is pending" if new_runs_before else "the queries do not compile"
    if steps[-1].new_code:
        return "not safe: the new code fails on the new schema"
    if old_survives and new_runs_before:
        return "any order is safe"
    if old_survives:
        return "migrate first, then deploy the code"
    if new_runs_before and not any(step.new_code for step in steps):
        return "deploy the code first, then migrate"
    return "no order is safe: split the migration into one that expands and one that contracts"
