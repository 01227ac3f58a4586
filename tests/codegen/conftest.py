"""A project, an analyser, and `--update-goldens`.

It rewrites what golden cases expect, for a person to read in the diff.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from aiosqlc.cli.main import main
from aiosqlc.postgres import Analyzer


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-goldens", action="store_true", help="rewrite the expected files")


@pytest.fixture
def update_goldens(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--update-goldens", default=False))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project as `init` leaves it."""
    assert main(["init", str(tmp_path)]) == 0
    return tmp_path


@pytest.fixture(scope="module")
def analyzer() -> Iterator[Analyzer]:
    """An analyser of PostgreSQL whose server stays warm."""
    with Analyzer() as analyzer:
        yield analyzer
