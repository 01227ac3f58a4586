"""Privileges of a service's database role, as GRANT statements written by `make grants`.

The owner of a database is the role that migrates it. The service connects as `<database>_service`,
which has only the privileges that its queries need. If this role is missing, no privileges are
granted.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

FILE: Final = "grants/service.sql"


def role_of(db: str) -> str:
    """Return the name of the role as which a service connects to the database `db`."""
    return f"{db}_service"


def statements(folder: Path) -> list[str]:
    """Return the GRANTs from the file in a migration folder, or none if the file is missing."""
    file = folder / FILE
    lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
    return [line.removesuffix(";") for line in lines if line.startswith("GRANT ")]


def apply(url: str, folder: Path, *, db: str, only: bool = False) -> bool:
    """Grant the service's role its privileges. Return False if the role or FILE is missing.

    Other privileges of the role stay, because the previous version of the service still needs them.
    With `only`, they are revoked. Raises the exceptions of the driver.
    """
    given = statements(folder)
    if not given:
        return False
    if urlsplit(url).scheme == "mysql":
        # Imported here: who migrates PostgreSQL does without the other driver.
        from lib.db.mysql_grants import apply as on_mysql

        return on_mysql(url, given, role_of(db), only=only)
    with psycopg.connect(url) as connection:
        found = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (role_of(db),))
        if found.fetchone() is None:
            return False
        role = sql.Identifier(role_of(db))
        row = connection.execute("SELECT current_database(), current_schema()").fetchone()
        database, schema = map(sql.Identifier, row or ("", ""))
        # A function may run with its owner's privileges, so PUBLIC must not execute any, even if a
        # migration did not revoke this.
        closed = "REVOKE EXECUTE ON ALL ROUTINES IN SCHEMA {} FROM PUBLIC"
        connection.execute(sql.SQL(closed).format(schema))
        if only:
            for what in ("TABLES", "SEQUENCES", "ROUTINES"):
                gone = f"REVOKE ALL ON ALL {what} IN SCHEMA {{}} FROM {{}}"
                connection.execute(sql.SQL(gone).format(schema, role))
        connection.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(database, role))
        connection.execute(sql.SQL("GRANT USAGE ON SCHEMA {} TO {}").format(schema, role))
        for statement in given:
            connection.execute(statement.encode())
    return True
