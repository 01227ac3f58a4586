"""A database for each test: a reset beside CREATE DATABASE: `python -m bench.testing [FOLDER …]`.

Each FOLDER has the migrations of one more schema. A round writes rows, and then makes the database
new in three ways, in turn. The medians and their ratios come from one run on one server.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median

import psycopg
from aiosqlc.postgres.catalog.facts import load_facts
from aiosqlc.postgres.sampling import Sampler
from aiosqlc.postgres.scratch import Rows
from aiosqlc.servers.postgres.connection import Connection
from aiosqlc.testing import Databases
from psycopg import sql

from tests.servers import postgres

ROUNDS = 40
TRACKER = Path(__file__).resolve().parents[2] / "examples" / "tracker" / "migrations"
ROWS = 5  # at most, in each table that a test writes
HUNDRED = "\n".join(
    f"CREATE TABLE t{n} (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL,"
    f" changed_at timestamptz NOT NULL DEFAULT now(), up bigint REFERENCES t{n // 2});"
    f" CREATE INDEX ON t{n} (up);"
    for n in range(100)
)


def schema(folder: Path) -> str:
    files = sorted(p for p in folder.glob("*.sql") if "rollback" not in p.name)
    text = "".join(path.read_text() for path in files)
    return text.replace(" CONCURRENTLY", "")  # all files are one transaction


def written(url: str) -> dict[str, bytes]:
    """Return a few random rows of each table, as COPY writes them."""
    with Connection(url) as connection:
        rows = Rows(connection, url, load_facts(connection), Sampler(1))
        with rows.kept():
            rows.fill(ROWS)
    found = {}
    with psycopg.connect(url) as connection:
        names = connection.execute(
            "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables"
            " WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
        ).fetchall()
        for (table,) in names:
            with connection.cursor().copy(f"COPY {table} TO STDOUT") as copy:
                if text := b"".join(map(bytes, copy)):
                    found[table] = text
    return found


def write(url: str, tables: Mapping[str, bytes]) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("SET session_replication_role = replica")
        for table, text in tables.items():
            connection.execute(f"DELETE FROM {table}")
            with connection.cursor().copy(f"COPY {table} FROM STDIN") as copy:
                copy.write(text)


def timed(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    action()
    return (time.perf_counter() - started) * 1e3


def replaced(admin: psycopg.Connection, template: str, strategy: str) -> None:
    new, old = sql.Identifier("replaced"), sql.Identifier(template)
    admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(new))
    how = sql.SQL(f" STRATEGY {strategy}")
    admin.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(new, old) + how)


def measure(server: postgres.TestPostgres, name: str, text: str) -> None:
    template = server.create_empty("template")
    with psycopg.connect(template, autocommit=True) as connection:
        connection.execute(text, prepare=False)
    with (
        Databases(template, file_copy=True) as databases,
        psycopg.connect(server.url(), autocommit=True) as admin,
    ):
        every = written(databases.take())
        few = dict(list(every.items())[:3])
        url = databases.take()
        took: dict[str, list[float]] = {}
        for _ in range(ROUNDS):
            for label, tables in ((f"{len(few)} tables", few), (f"all {len(every)}", every)):
                write(url, tables)
                spent = timed(lambda: databases.give_back(url))
                took.setdefault(f"reset, {label} written", []).append(spent)
                assert databases.take() == url
            for strategy in ("FILE_COPY", "WAL_LOG"):
                spent = timed(
                    lambda how=strategy: replaced(admin, template.rpartition("/")[2], how)
                )
                took.setdefault(f"DROP and CREATE, {strategy}", []).append(spent)
        admin.execute("DROP DATABASE IF EXISTS replaced")
    base = min(median(took[f"DROP and CREATE, {each}"]) for each in ("FILE_COPY", "WAL_LOG"))
    print(f"\n{name}")
    for label, times in took.items():
        print(f"  {label:28} {median(times):7.1f} ms {base / median(times):6.1f}")


if __name__ == "__main__":
    given = [(f"{path.parent.name}/{path.name}", schema(path)) for path in map(Path, sys.argv[1:])]
    print("medians, and the ratio to the faster CREATE DATABASE … TEMPLATE")
    with postgres.running() as running:
        for one in (("tracker", schema(TRACKER)), *given, ("100 tables", HUNDRED)):
            measure(running, *one)
