"""`aiosqlc serve`: a database for a program, or an address, and nothing left afterwards."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import asyncpg
import pytest
from aiosqlc.cli.main import main


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
