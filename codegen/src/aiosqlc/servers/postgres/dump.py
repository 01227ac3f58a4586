"""Read a database's schema as SQL with PostgreSQL's pg_dump."""

from __future__ import annotations

import os
import subprocess

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from aiosqlc.servers.postgres.embedded import binaries
from aiosqlc.servers.private import NoServerError


def dumped(uri: str) -> str:
    """Return a database's schema as SQL. Raise `NoServerError` if the schema cannot be read."""
    try:
        program = binaries() / "pg_dump"
        target = conninfo_to_dict(uri)
    except NoServerError as error:
        raise NoServerError(f"`--database` needs pg_dump: {error}") from error
    except psycopg.ProgrammingError as error:
        said = str(error).strip()
        raise NoServerError(f"`--database` is not a connection string: {said}") from error
    # All users can read the arguments of a process, but only this account its environment.
    password = target.pop("password", None)
    environment = {**os.environ, **({"PGPASSWORD": str(password)} if password else {})}
    command = [str(program), "--schema-only", "--no-owner", "--no-privileges"]
    command.append(make_conninfo("", **target))
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NoServerError(f"cannot read the database: {done.stderr.strip()}")
    return done.stdout
