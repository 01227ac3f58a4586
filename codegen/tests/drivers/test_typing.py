"""Generated code and its adapter pass the strictest checkers, for every driver."""

from __future__ import annotations

import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.drivers.running import Engine, complaints
from tools.realworld.typecheck import type_errors

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.long
@pytest.mark.parametrize("models", ["dataclass", "pydantic"])
def test_the_code_passes_mypy_and_pyright_at_their_strictest(
    models: str, postgres: Engine, mysql: Engine, tmp_path: Path
) -> None:
    options = f"models: {models}, emit_exceptions: true, emit_helpers: true"
    with ExitStack() as stack:
        for driver in (*postgres.drivers, postgres.drivers):
            stack.enter_context(postgres.compiled(tmp_path, driver, options=options))
        for driver in mysql.drivers:
            stack.enter_context(mysql.compiled(tmp_path, driver, options=options))
    assert type_errors(tmp_path, ROOT) == []


@pytest.mark.parametrize("models", ["dataclass", "pydantic", "attrs", "msgspec"])
def test_the_code_is_strictly_typed_and_formatted(
    mysql: Engine, tmp_path: Path, models: str
) -> None:
    with mysql.compiled(tmp_path, "aiomysql", options=f"models: {models}") as package:
        assert complaints(tmp_path / package) == ""
        mypy = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", package]
        done = subprocess.run(mypy, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


CALLERS = """
from typing import Any

import aiomysql  # type: ignore[import-untyped]
import asyncpg  # type: ignore[import-untyped]
import psycopg

from {aiomysql} import queries as of_aiomysql
from {aiomysql}.helpers import in_transaction as in_aiomysql
from {asyncpg} import queries as of_asyncpg
from {asyncpg}.helpers import in_transaction as in_asyncpg
from {psycopg} import queries as of_psycopg
from {psycopg}.helpers import in_transaction as in_psycopg


async def on_asyncpg(connection: asyncpg.Connection) -> None:
    for author in await in_asyncpg(connection, of_asyncpg.list_authors):
        print(author.name)
    await in_asyncpg(connection, lambda db: of_asyncpg.forget(db, id="1"))  # WRONG


async def on_psycopg(connection: psycopg.AsyncConnection[Any]) -> None:
    for author in await in_psycopg(connection, of_psycopg.list_authors):
        print(author.name)
    await in_psycopg(connection, lambda db: of_psycopg.forget(db, id="1"))  # WRONG


async def on_aiomysql(connection: aiomysql.Connection) -> None:
    for author in await in_aiomysql(connection, of_aiomysql.list_authors):
        print(author.name)
    await in_aiomysql(connection, lambda db: of_aiomysql.forget(db, id="1"))  # WRONG
"""


def test_a_transaction_on_a_drivers_connection_is_typed(
    postgres: Engine, mysql: Engine, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        names = {
            driver: stack.enter_context(
                engine.compiled(tmp_path, driver, options="emit_helpers: true")
            )
            for engine, driver in (
                (postgres, "asyncpg"),
                (postgres, "psycopg"),
                (mysql, "aiomysql"),
            )
        }
        callers = tmp_path / "pcallers" / "callers.py"
        callers.parent.mkdir()
        callers.write_text(CALLERS.format(**names))
        found = type_errors(tmp_path, ROOT)
    wrong = [line for line in CALLERS.splitlines() if "WRONG" in line]
    for checker in ("mypy", "pyright"):
        said = [line for line in found if line.startswith(checker)]
        assert len(said) == len(wrong), "\n".join(said)
