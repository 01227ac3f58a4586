"""Both engines for the drivers' tests, each with the common queries compiled once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.drivers import connecting, connecting_mysql
from tests.drivers.running import Engine, Subject
from tests.servers.mysql import TestMysql
from tests.servers.postgres import TestPostgres

Folders = pytest.TempPathFactory


@pytest.fixture(scope="session")
def postgres(postgres_server: TestPostgres) -> Engine:
    """PostgreSQL in the form that the tests use."""
    return connecting.engine_on(postgres_server)


@pytest.fixture(scope="session")
def mysql(mysql_server: TestMysql) -> Engine:
    """MySQL or MariaDB in the form that the tests use."""
    return connecting_mysql.engine_on(mysql_server)


@pytest.fixture(scope="package")
def postgres_package(postgres: Engine, tmp_path_factory: Folders) -> Iterator[str]:
    """The common queries for every driver of PostgreSQL, in adjacent packages."""
    with postgres.compiled(tmp_path_factory.mktemp("pg"), postgres.drivers) as package:
        yield package


@pytest.fixture(scope="package")
def mysql_package(mysql: Engine, tmp_path_factory: Folders) -> Iterator[str]:
    """The common queries for every driver of MySQL, in a package without a name."""
    options = "models: dataclass, emit_exceptions: true, emit_helpers: true"
    folder = tmp_path_factory.mktemp("my")
    with mysql.compiled(folder, mysql.drivers, options=options, named=False) as package:
        yield package


@pytest.fixture(scope="module")
def subject(request: pytest.FixtureRequest) -> Iterator[Subject]:
    """An engine and a driver of it, which a module selects, on the module's own tables."""
    engine, driver = request.param
    package = request.getfixturevalue(f"{engine}_package")
    with request.getfixturevalue(engine).subject(driver, package) as found:
        yield found


@pytest.fixture
def empty(subject: Subject) -> None:
    """Start a test with empty tables."""
    subject.empty()
