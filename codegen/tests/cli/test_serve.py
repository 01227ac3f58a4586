"""`aiosqlc serve`: a database for a program, or an address, and nothing left afterwards."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import asyncpg
import pytest
from aiosqlc.cli.main import main

from tests.servers.programs import program


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
async def test_the_address_is_that_of_a_database_which_ends_with_it(
    project: Path, ending: signal.Signals
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "aiosqlc", "serve", "-f", str(project)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout
    line = process.stdout.readline()
    assert line.startswith("DATABASE_URL=")
    url = line.removeprefix("DATABASE_URL=").strip()
    db = await asyncpg.connect(url)
    assert await db.fetchval("SELECT count(*) FROM author") == 0
    process.send_signal(ending)
    assert process.wait(90) == 0
    process.stdout.close()
    with pytest.raises((OSError, asyncpg.PostgresError, asyncpg.InterfaceError)):
        await db.fetchval("SELECT 1")
    # Another compilation may have taken the place of the server that ended: it lacks the database.
    with pytest.raises((OSError, asyncpg.PostgresError)):
        await asyncpg.connect(url)


@pytest.mark.parametrize("code", [0, 3])
def test_the_programs_exit_code_is_that_of_the_command(project: Path, code: int) -> None:
    text = f"import os, sys; sys.exit({code} if 'DATABASE_URL' in os.environ else 9)"
    assert main(["serve", "-f", str(project), "--", sys.executable, "-c", text]) == code


def test_files_that_need_one_another_are_run_in_the_order_that_the_compiler_found(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "migrations" / "0001_start.sql").unlink()
    (project / "migrations" / "a.sql").write_text("CREATE TABLE a (x kind);")
    (project / "migrations" / "b.sql").write_text("CREATE TYPE kind AS ENUM ('x');")
    assert main(["serve", "-f", str(project), "--", sys.executable, "-c", ""]) == 0
    assert "a.sql runs later, because it needs b.sql" in capsys.readouterr().err


def test_a_program_that_is_not_there_is_named(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["serve", "-f", str(project), "--", "no-such-program"]) == 2
    assert "cannot run no-such-program: No such file or directory" in capsys.readouterr().err


def test_a_schema_that_fails_is_shown_where_it_does(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "migrations" / "0002_broken.sql").write_text("ALTER TABLE autor ADD age int;\n")
    assert main(["serve", "-f", str(project), "--", "true"]) == 1
    err = capsys.readouterr().err
    assert "0002_broken.sql:1" in err
    assert "autor" in err


MYSQL = """\
version: "2"
sql:
  - {engine: mysql, schema: schema.sql, queries: queries.sql, gen: {python: {out: app}}}
"""
ASKING = """\
import os, sys
from urllib.parse import urlsplit
import pymysql
url = urlsplit(os.environ["DATABASE_URL"])
with pymysql.connect(
    host=url.hostname, port=url.port, user=url.username, password=url.password,
    database=url.path[1:],
) as db, db.cursor() as cursor:
    cursor.execute("SELECT t.id, @@datadir FROM t")
    print(*cursor.fetchone())
try:
    pymysql.connect(host=url.hostname, port=url.port, user="root")
except pymysql.OperationalError as error:
    print(error.args[0])
"""
ACCESS_DENIED = "1045"


@pytest.fixture
def mysql_project(tmp_path: Path) -> Path:
    program("mariadbd", "mysqld")
    (tmp_path / "sqlc.yaml").write_text(MYSQL)
    (tmp_path / "schema.sql").write_text("CREATE TABLE t (id int); INSERT INTO t VALUES (7);")
    (tmp_path / "queries.sql").write_text("-- name: Get :many\nSELECT id FROM t;\n")
    return tmp_path


def test_a_private_mysql_server_has_one_account_and_leaves_no_data(
    mysql_project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    command = ["serve", "-f", str(mysql_project), "--", sys.executable, "-c", ASKING]
    assert main(command) == 0
    number, folder, refusal = capfd.readouterr().out.split()
    assert (number, refusal) == ("7", ACCESS_DENIED)
    assert not Path(folder).exists()


def test_a_statement_that_mysql_refuses_is_reported(
    mysql_project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (mysql_project / "schema.sql").write_text("CREATE TABLE t (id int); DROP TABLE u;")
    assert main(["serve", "-f", str(mysql_project), "--", sys.executable, "-c", ""]) == 1
    assert "Unknown table 'u'" in capsys.readouterr().err
