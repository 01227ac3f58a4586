"""Store the warnings about a schema in its database, so that later runs can repeat them."""

from __future__ import annotations

import json
from collections.abc import Sequence

from aiosqlc.diagnostics import Diagnostic, Label, Severity
from aiosqlc.ir import SchemaFile
from aiosqlc.servers.postgres.connection import Connection
from aiosqlc.source import Span

_SCHEMA = "aiosqlc_notes"  # an empty schema whose comment contains the notes
_READ = f"select obj_description(oid, 'pg_namespace') from pg_namespace where nspname = '{_SCHEMA}'"  # noqa: S608 - a constant name


def write_notes(
    connection: Connection, files: Sequence[SchemaFile], notes: Sequence[Diagnostic]
) -> None:
    """Store warnings about these schema files in the database."""
    if not notes:
        return
    places = {id(file.file): number for number, file in enumerate(files)}
    rows = [
        (
            item.code,
            item.message,
            item.hint,
            places[id(item.labels[0].file)],
            item.labels[0].span.start,
            item.labels[0].span.end,
        )
        for item in notes
    ]
    literal = json.dumps(rows).replace("'", "''")
    connection.run(f"create schema {_SCHEMA}")
    connection.run(f"comment on schema {_SCHEMA} is '{literal}'")


def read_notes(connection: Connection, files: Sequence[SchemaFile]) -> tuple[Diagnostic, ...]:
    """Return the stored warnings, with their positions in these schema files."""
    found = connection.rows(_READ)
    rows = json.loads(found[0][0] or "[]") if found else []
    return tuple(
        Diagnostic(
            code,
            message,
            (Label(files[number].file, Span(start, end)),),
            hint,
            Severity.WARNING,
        )
        for code, message, hint, number, start, end in rows
    )
