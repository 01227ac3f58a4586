"""Detect without a compilation that the inputs and outputs have not changed."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from aiosqlc.config.project import Project
from aiosqlc.emit.settings import ruff_settings, said_by
from aiosqlc.files import find_sql_files
from aiosqlc.lock.head import (
    FORMAT,
    Head,
    as_locked,
    compiler_digest,
    embedded_server,
    read_head,
)
from aiosqlc.store.digest import digest, digest_of
from aiosqlc.store.disk import file_digest

if TYPE_CHECKING:  # an unchanged project imports no other stage
    from aiosqlc.ir import Rendered


def is_unchanged(project: Project) -> bool:
    """Return whether a compilation would report nothing and produce exactly the files on disk."""
    if any(not entry.schema for entry in project.sets):
        return False  # a database without a schema file may have changed
    head = read_head(project)
    if head is None or not head.inputs:
        return False
    if head.inputs != as_locked(inputs_digest(project), head.inputs):
        return False
    return all(file_digest(project.root / path) == wanted for path, wanted in head.outputs.items())


def head_of(project: Project, files: Iterable[Rendered]) -> Head:
    """Return the first line of the lock, which `is_unchanged` compares in the next run."""
    outputs = {
        Path(os.path.relpath(file.path, project.root)).as_posix(): digest(file.text.encode())
        for file in files
    }
    inputs, _, server = inputs_digest(project).partition(" ")
    before = read_head(project)
    # No server is installed, and the lock has the previous server's results.
    if not server and before:
        server = before.inputs.partition(" ")[2]
    return Head(FORMAT, f"{inputs} {server}", outputs)


def inputs_digest(project: Project) -> str:
    """Return a hash of everything that a compilation depends on, including the compiler's code."""
    parts = [compiler_digest(), project.file.text]
    for entry in project.sets:
        parts.append("given" if entry.database_uri else "embedded")
        for patterns in (entry.schema, entry.queries, entry.shims):
            paths, _ = find_sql_files(project.root, patterns, project.file, entry.span)
            for path in paths:
                parts += [os.path.relpath(path, project.root), file_digest(path)]
        if entry.python:
            settings = ruff_settings(entry.python.out)
            parts.append(said_by(settings) if settings else "")
            if entry.python.json:
                from aiosqlc.analysis.stored import sources_of  # for such projects only

                parts += [file_digest(path) for path in sources_of(entry.python.json)]
            existing = sorted(entry.python.out.glob("*.py"))
            parts += [path.name for path in existing]
    server = "given" if all(entry.database_uri for entry in project.sets) else embedded_server()
    return f"{digest_of(*parts)} {server}"
