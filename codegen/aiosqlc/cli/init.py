"""`aiosqlc init`: start a project, from nothing or from a database that exists."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from aiosqlc.config.load import DEFAULT_NAMES

_CONFIG = """\
version: "2"
sql:
  - engine: postgresql
    schema: migrations
    queries: queries
    strict: true
    gen:
      python:
        out: {out}
        models: dataclass
"""

_MIGRATION = """\
CREATE TABLE author (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL,
    bio text,
    changed_at timestamptz NOT NULL DEFAULT now()
);
"""

_QUERIES = """\
-- Authors, found and added.

-- name: GetAuthor :one
SELECT * FROM author WHERE id = @id;

-- name: ListAuthors :many
SELECT * FROM author ORDER BY name, id;

-- name: AddAuthor :one
INSERT INTO author (name, bio) VALUES (@name, @bio) RETURNING *;
"""


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Declare the options of `init`."""
    command.add_argument("folder", nargs="?", type=Path, default=Path(), help="where to start")
    command.add_argument("--database", metavar="URI", help="take the schema from this database")
    command.add_argument("--out", default="store", help="where generated code goes")


def run(arguments: argparse.Namespace) -> int:
    """Write a configuration, a migration and a query file; what is there already stays."""
    folder: Path = arguments.folder
    existing = [name for name in DEFAULT_NAMES if (folder / name).exists()]
    if existing:
        sys.stderr.write(
            f"{folder / existing[0]} exists already: add a `python` entry below `gen:` in it\n"
            f"    gen:\n      python:\n        out: {arguments.out}\n"
        )
        return 1
    schema, queries = _MIGRATION, _QUERIES
    if arguments.database:
        dumped = dump_schema(arguments.database)
        if dumped is None:
            return 1
        schema, queries = dumped, "-- name: Ping :one\nSELECT 1 AS pong;\n"
    files = {
        "sqlc.yaml": _CONFIG.format(out=arguments.out),
        "migrations/0001_start.sql": schema,
        "queries/queries.sql": queries,
    }
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            path.write_text(text, encoding="utf-8")
            sys.stdout.write(f"wrote {path}\n")
    sys.stdout.write(f"next: aiosqlc generate -f {folder / 'sqlc.yaml'}\n")
    return 0


def dump_schema(uri: str) -> str | None:
    """Return a database's schema as SQL; None, with the reason printed, where that fails."""
    from aiosqlc.postgres.server.embedded import binaries

    command = [str(binaries() / "pg_dump"), "--schema-only", "--no-owner", "--no-privileges", uri]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.stderr.write(f"cannot read the database: {done.stderr.strip()}\n")
        return None
    return done.stdout
