"""The rights of a service's role in its database: the GRANTs that `make grants` has written.

A database belongs to the role that migrates it. The service enters as `<database>_service`, which
may do what its queries do and no more; where there is no such role, nobody is given anything.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

FILE: Final = "grants/service.sql"
_NO_SUCH_USER: Final = (1133, 1410)  # the second where one's own account may not make any


def role_of(db: str) -> str:
    """Return the role that a database's service enters as."""
    return f"{db}_service"


def statements(folder: Path) -> list[str]:
    """Return the GRANTs beside a database's migrations, none where there is no such file."""
    file = folder / FILE
    lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
    return [line.removesuffix(";") for line in lines if line.startswith("GRANT ")]


def apply(url: str, folder: Path, *, db: str, only: bool = False) -> bool:
    """Give the service's role its rights; False where there is no such role, or no file.

    What it has besides stays, for the version before that still runs; with `only` it goes (on
    PostgreSQL: elsewhere that takes an administrator). Raises what the driver raises.
    """
    given = statements(folder)
    if not given:
        return False
    if urlsplit(url).scheme == "mysql":
        return _on_mysql(url, given)
    with psycopg.connect(url) as connection:
        found = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (role_of(db),))
        if found.fetchone() is None:
            return False
        role = sql.Identifier(role_of(db))
        row = connection.execute("SELECT current_database(), current_schema()").fetchone()
        database, schema = map(sql.Identifier, row or ("", ""))
        # What is called in its owner's name is not for everybody, whatever a migration forgot.
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


def _on_mysql(url: str, given: list[str]) -> bool:
    # Imported here: who migrates PostgreSQL does without the other driver.
    import pymysql

    from lib.db.mysql_session import connect_arguments

    arguments = connect_arguments(url, connect_seconds=10, statement_seconds=30)
    arguments["database"] = arguments.pop("db")  # its name in this driver
    with pymysql.connect(**arguments) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT version()")
        if "mariadb" in str(cursor.fetchone()).lower():
            # Without it a GRANT to nobody would make somebody, who needs no password.
            cursor.execute("SET sql_mode = concat(@@sql_mode, ',NO_AUTO_CREATE_USER')")
        try:
            for statement in given:
                cursor.execute(statement)
        except pymysql.err.OperationalError as error:
            if error.args[0] in _NO_SUCH_USER:
                return False
            raise
    return True
