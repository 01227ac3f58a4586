"""Row-level security shows a role only the rows of its tenant, with the same query results.

The role is not the owner of the tables, whom the policies would not restrict.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from aiosqlc.cli.main import main
from aiosqlc.ir import TypedQuery
from aiosqlc.postgres import Analyzer
from psycopg.raw_cursor import RawCursor

from tests.projects import write_project
from tests.servers.postgres import TestPostgres
from tests.tenants.test_tracker import FILLED, TABLES, TRACKER, analysed, unchanged, value

_GRANT = "GRANT ALL ON ALL TABLES IN SCHEMA public TO {};"
CONFIG = """\
version: "2"
sql:
  - engine: postgresql
    schema: schema.sql
    queries: queries.sql
    gen: {python: {out: out}}
    tenant: {column: tenant_id, shared: [country]}
"""
PATHS = """\
CREATE TABLE country (code text PRIMARY KEY);
CREATE TABLE org (id int PRIMARY KEY);
CREATE TABLE person (id int PRIMARY KEY);
CREATE TABLE issue (id int PRIMARY KEY, tenant_id int REFERENCES org);
CREATE TABLE "Comment" (id int PRIMARY KEY, issue_id int NOT NULL REFERENCES issue);
CREATE TABLE first (id int PRIMARY KEY, issue_id int REFERENCES issue, second int);
CREATE TABLE second (id int PRIMARY KEY, first int REFERENCES first);
ALTER TABLE first ADD FOREIGN KEY (second) REFERENCES second;
CREATE TABLE reply (
    id int PRIMARY KEY, comment_id int REFERENCES "Comment", about int REFERENCES issue,
    parent int REFERENCES reply, person int REFERENCES person
);
"""
PATH_ROWS = """
INSERT INTO org VALUES (1), (2); INSERT INTO person VALUES (1); INSERT INTO country VALUES ('a');
INSERT INTO issue SELECT n, 1 + n % 2 FROM generate_series(1, 6) n;
INSERT INTO "Comment" SELECT n, n FROM generate_series(1, 6) n;
INSERT INTO first SELECT n, n, NULL FROM generate_series(1, 6) n;
INSERT INTO second SELECT n, n FROM generate_series(1, 6) n;
INSERT INTO reply SELECT n, n, NULL, NULL, 1 FROM generate_series(1, 3) n;
INSERT INTO reply SELECT n, NULL, n, NULL, 1 FROM generate_series(4, 6) n;
"""


def printed(folder: Path, capsys: pytest.CaptureFixture[str], *options: str) -> str:
    capsys.readouterr()
    assert main(["policies", "-f", str(folder), *options]) == 0
    return capsys.readouterr().out


@dataclass(frozen=True)
class Database:
    """A database, and a role that owns nothing in it."""

    url: str
    role: str


@pytest.fixture
def database(postgres_server: TestPostgres) -> Iterator[Database]:
    role = "tenant_reader"
    url = postgres_server.create_empty("policies")
    with psycopg.connect(postgres_server.url(), autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {role}".encode())
        try:
            yield Database(url, role)
        finally:
            postgres_server.drop(url)
            connection.execute(f"DROP ROLE {role}".encode())


def answer(connection: psycopg.Connection[Any], query: TypedQuery, role: str) -> object:
    """Return the rows of a query for tenant 1, as the role or, if it is empty, as the owner."""
    with connection.transaction(force_rollback=True), RawCursor(connection) as cursor:
        if role:
            cursor.execute(f"SET LOCAL ROLE {role}")
            cursor.execute("SET LOCAL app.tenant = '1'")
        try:
            cursor.execute(query.sql, [value(query, p.number) for p in query.params])
        except psycopg.IntegrityError as error:
            return type(error)
        # A row that was just written contains a new number or the time.
        return cursor.rowcount if query.writes else sorted(map(repr, cursor.fetchall()))


def test_the_trackers_queries_answer_the_same_under_its_policies(
    database: Database,
    analyzer: Analyzer,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    shutil.copytree(TRACKER, tmp_path / "tracker")
    statements = printed(tmp_path / "tracker", capsys)
    queries = [q for q in analysed(analyzer, "\n".join(unchanged())) if not q.leaks]
    assert len(queries) > 30
    with psycopg.connect(database.url, autocommit=True) as connection:
        for path in sorted(TRACKER.glob("migrations/*.sql")):
            connection.execute(path.read_bytes())
        connection.execute(FILLED.encode())
        connection.execute(_GRANT.format(database.role).encode())
        without = [answer(connection, query, "") for query in queries]
        connection.execute(statements.encode())
        under = [answer(connection, query, database.role) for query in queries]
        assert under == without
        with connection.transaction(force_rollback=True):
            connection.execute(
                f"SET LOCAL ROLE {database.role}; SET LOCAL app.tenant = '1'".encode()
            )
            for table in TABLES:
                seen = connection.execute(f"SELECT tenant_id FROM {table}".encode()).fetchall()
                assert {row[0] for row in seen} == {1}, table


def test_policies_follow_foreign_keys_and_can_be_removed(
    database: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    query = "-- name: Q :many\nSELECT code FROM country;\n"
    write_project(tmp_path, {"schema.sql": PATHS, "queries.sql": query, "sqlc.yaml": CONFIG})
    statements = printed(tmp_path, capsys)
    assert "person" not in statements
    assert "country" not in statements
    with psycopg.connect(database.url, autocommit=True) as connection:
        connection.execute((PATHS + PATH_ROWS + _GRANT.format(database.role) + statements).encode())

        def tried(tenant: str, statement: str) -> list[Any]:
            with connection.transaction(force_rollback=True):
                connection.execute(f"SET LOCAL ROLE {database.role}".encode())
                connection.execute(f"SET LOCAL app.tenant = '{tenant}'".encode())
                cursor = connection.execute(statement.encode())
                return [row[0] for row in cursor.fetchall()] if cursor.description else []

        for tenant, own in (("1", [2, 4, 6]), ("2", [1, 3, 5]), ("3", [])):
            for table in ("issue", '"Comment"', "reply", "first", "second"):
                assert sorted(tried(tenant, f"SELECT id FROM {table}")) == own, table
            assert tried(tenant, "SELECT id FROM org") == ([int(tenant)] if own else [])
            assert tried(tenant, "DELETE FROM reply WHERE id IN (1, 2) RETURNING id") == [
                n for n in own if n < 3
            ]
        tried("1", "INSERT INTO reply VALUES (7, 2, 4, NULL, 1)")
        for row in ("(7, 1, 2, NULL, 1)", "(7, 2, 3, NULL, 1)", "(7, NULL, NULL, NULL, 1)"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                tried("1", f"INSERT INTO reply VALUES {row}")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            tried("1", "UPDATE issue SET tenant_id = 2")
        with pytest.raises(psycopg.errors.InvalidTextRepresentation):
            tried("", "SELECT id FROM issue")
        connection.execute(printed(tmp_path, capsys, "--drop").encode())
        assert len(tried("1", "SELECT id FROM issue")) == 6


def test_a_table_that_belongs_to_no_tenant_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    query = "-- name: Q :many\nSELECT code FROM country;\n"
    write_project(tmp_path, {"schema.sql": PATHS, "queries.sql": query, "sqlc.yaml": CONFIG})
    assert main(["policies", "-f", str(tmp_path), "--setting", "shop.t'"]) == 0
    said = capsys.readouterr()
    assert said.err == "no policy for the table person: it does not belong to a tenant\n"
    assert "current_setting('shop.t''')::int4" in said.out
    (tmp_path / "sqlc.yaml").write_text(CONFIG.replace("    tenant:", "    # tenant:"))
    assert main(["policies", "-f", str(tmp_path)]) == 2
    assert "has `engine: postgresql` and `tenant`" in capsys.readouterr().err


def test_the_manual_shows_what_the_command_prints(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    schema = """CREATE TABLE country (code text PRIMARY KEY);
    CREATE TABLE issue (id int PRIMARY KEY, tenant_id int NOT NULL);
    CREATE TABLE comment (id int PRIMARY KEY, issue_id int NOT NULL REFERENCES issue);"""
    query = "-- name: Q :many\nSELECT code FROM country;\n"
    write_project(tmp_path, {"schema.sql": schema, "queries.sql": query, "sqlc.yaml": CONFIG})
    manual = (Path(__file__).parents[2] / "docs" / "tenants.md").read_text()
    assert f"```sql\n{printed(tmp_path, capsys)}```" in manual
