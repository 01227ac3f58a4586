"""Select the migrations to check: new since a git reference, after a given file, or all."""

from __future__ import annotations

import re

from msgspec import Struct

from aiosqlc.analysis.watched.observed import Pending
from aiosqlc.config.project import Project, QuerySet
from aiosqlc.ir import ParsedQuery, SchemaFile
from aiosqlc.messages.suggest import did_you_mean
from aiosqlc.pipeline.analysed import Inputs
from aiosqlc.production.migrations.formats import Format, format_of, runs_in_block
from aiosqlc.schema.backward import backward

_ACCEPTED = re.compile(
    r"^[^\S\n]*--[^\S\n]*lock:[^\S\n]*accepted\b[^\S\n]*(?P<reason>.*)$",
    re.IGNORECASE | re.MULTILINE,
)


class UnknownMigrationError(Exception):
    """Raised if no migration has the given name."""


class Chosen(Struct, frozen=True):
    """The schema in production, the migrations to check, and the queries that run during them."""

    applied: tuple[SchemaFile, ...]
    pending: tuple[Pending, ...]
    queries: dict[str, tuple[str, ...]]


def since_reference(project: Project, entry: QuerySet, inputs: Inputs, old: Inputs) -> Chosen:
    """Return the migrations that `old` does not have, with the schema and the queries of `old`."""
    before = {file.file.path for file in old.schema}
    pending = [file for file in inputs.schema if file.file.path not in before]
    return Chosen(old.schema, _pending(project, entry, pending), texts_of(old.queries))


def after(project: Project, entry: QuerySet, inputs: Inputs, name: str) -> Chosen:
    """Return the migrations after the one in the file `name`, which may omit `.sql`.

    Raises `UnknownMigrationError`.
    """
    stems = [file.file.path.name.removesuffix(".sql") for file in inputs.schema]
    wanted = name.removesuffix(".sql")
    if wanted not in stems:
        hint = did_you_mean(
            wanted, stems, otherwise="the `schema` files of the configuration do not include it"
        )
        raise UnknownMigrationError(f"unknown migration {name}; {hint}")
    first = stems.index(wanted) + 1
    pending = inputs.schema[first:]
    return Chosen(
        inputs.schema[:first], _pending(project, entry, pending), texts_of(inputs.queries)
    )


def each(project: Project, entry: QuerySet, inputs: Inputs) -> Chosen:
    """Select every migration, each as a release of its own after all earlier migrations."""
    pending = _pending(project, entry, inputs.schema, alone=True)
    return Chosen((), pending, texts_of(inputs.queries))


def accepted(file: SchemaFile) -> str | None:
    """Return the reason of `-- lock: accepted REASON`, or None if the line is missing."""
    found = _ACCEPTED.search(file.file.text)
    return found["reason"].strip() if found else None


def tool_of(project: Project, entry: QuerySet, file: SchemaFile) -> Format:
    """Return the tool that a migration is written for."""
    back = backward(project.root, file.file, entry.engine)
    beside = back is not None and back.file.path.name.endswith(".rollback.sql")
    return format_of(file, has_rollback_file=beside)


def texts_of(queries: tuple[ParsedQuery, ...]) -> dict[str, tuple[str, ...]]:
    """Return every SQL text of each query, with `file.sql:Name` as the key."""
    return {
        query.place: tuple(dict.fromkeys((query.sql, *(item.sql for item in query.variants))))
        for query in queries
    }


def _pending(
    project: Project,
    entry: QuerySet,
    files: tuple[SchemaFile, ...] | list[SchemaFile],
    *,
    alone: bool = False,
) -> tuple[Pending, ...]:
    found = []
    for file in files:
        back = backward(project.root, file.file, entry.engine)
        tool = tool_of(project, entry, file)
        found.append(Pending(file, back, runs_in_block(file, tool), alone))
    return tuple(found)
