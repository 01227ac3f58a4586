"""Read and parse the files of a configuration entry."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from aiosqlc.config.project import Project, QuerySet
from aiosqlc.diagnostics import Diagnostic
from aiosqlc.files import find_sql_files, read_files
from aiosqlc.ir import SchemaFile
from aiosqlc.parse.queries import parse_file, parse_files
from aiosqlc.pipeline.analysed import Inputs
from aiosqlc.schema import read_schema
from aiosqlc.store.memo import memo

_parsed = memo(parse_file)  # while watching, most files are unchanged


def read_inputs(
    project: Project,
    entry: QuerySet,
    prepare: Callable[[tuple[SchemaFile, ...], tuple[SchemaFile, ...]], None] | None = None,
) -> tuple[Inputs, list[Diagnostic]]:
    """Read the schema and the queries of one entry.

    `prepare` is called with the schema and the shims while other processes parse the queries.
    """

    @cache
    def read() -> tuple[tuple[SchemaFile, ...], tuple[SchemaFile, ...], list[Diagnostic]]:
        place = project.file, entry.schema_span
        schema, problems = read_schema(project.root, entry.schema, entry.engine, *place)
        place = project.file, entry.span
        shims, unshimmed = read_schema(project.root, entry.shims, entry.engine, *place)
        problems += unshimmed
        if prepare and not problems:
            prepare(schema, shims)
        return schema, shims, problems

    paths, missing = find_sql_files(project.root, entry.queries, project.file, entry.queries_span)
    files, unreadable = read_files(project.root, paths, whole=False)
    queries, mistakes = parse_files(files, entry.engine, _parsed, meanwhile=read)
    schema, shims, problems = read()
    readable = not problems
    problems = [*problems, *missing, *unreadable, *mistakes]
    return Inputs(schema, tuple(files), queries, shims, readable), problems
