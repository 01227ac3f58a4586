"""One server for all examples; each test has a database of its own with its example's schema."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiosqlc.servers.postgres.connection import Connection

from tests.servers import postgres

HERE = Path(__file__).parent
# As if each were a project of its own, which its package is imported from.
sys.path[:0] = [str(path.parent) for path in sorted(HERE.glob("*/sqlc.yaml"))]


@pytest.fixture(scope="session")
def server() -> Iterator[postgres.TestPostgres]:
    """The examples' PostgreSQL."""
    with postgres.running() as found:
        yield found


@pytest.fixture
def database_url(request: pytest.FixtureRequest, server: postgres.TestPostgres) -> Iterator[str]:
    """Return the address of an empty database with the schema of the example that is tested."""
    example = HERE / request.path.relative_to(HERE).parts[0]
    url = server.create_empty()
    with Connection(url) as connection:
        for path in sorted(example.glob("migrations/*.sql")):
            error = connection.run(path.read_text())
            assert error is None, error
    yield url
    server.drop(url)
