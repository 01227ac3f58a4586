"""Fixtures of the compiler's tests: servers, a project, an analyser, and `--update-goldens`.

This option rewrites the expected output of golden cases, which a person then reads in the diff.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from aiosqlc.cli.main import main
from aiosqlc.postgres import Analyzer

from tests import plugin
from tests.plugin import (
    Full,
    full,
    pytest_collection,
    pytest_collection_finish,
    pytest_collection_modifyitems,
    pytest_configure,
    pytest_sessionfinish,
)
from tests.servers import mysql, postgres

__all__ = [
    "Full",
    "full",
    "pytest_collection",
    "pytest_collection_finish",
    "pytest_collection_modifyitems",
    "pytest_configure",
    "pytest_sessionfinish",
]


def pytest_addoption(parser: pytest.Parser) -> None:
    plugin.pytest_addoption(parser)
    parser.addoption("--update-goldens", action="store_true", help="rewrite the expected files")


@pytest.fixture
def update_goldens(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--update-goldens", default=False))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a project as `init` writes it."""
    assert main(["init", str(tmp_path)]) == 0
    return tmp_path


@pytest.fixture(scope="module")
def analyzer() -> Iterator[Analyzer]:
    """An analyser for PostgreSQL whose server keeps running."""
    with Analyzer() as analyzer:
        yield analyzer


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[postgres.TestPostgres]:
    """The PostgreSQL server that all tests share."""
    with postgres.running() as server:
        yield server


@pytest.fixture
async def empty_database(postgres_server: postgres.TestPostgres) -> AsyncIterator[str]:
    """The URL of an empty database."""
    url = await asyncio.to_thread(postgres_server.create_empty)
    yield url
    await asyncio.to_thread(postgres_server.drop, url)


@pytest.fixture(scope="session")
def mysql_server() -> Iterator[mysql.TestMysql]:
    """The server at `TEST_MYSQL_URL`, or a shared MariaDB if one is installed."""
    with mysql.shared() as server:
        yield server


@pytest.fixture
async def empty_mysql(mysql_server: mysql.TestMysql) -> AsyncIterator[str]:
    """The URL of an empty MySQL database."""
    url = await asyncio.to_thread(mysql_server.create_empty)
    yield url
    await asyncio.to_thread(mysql_server.drop, url)
