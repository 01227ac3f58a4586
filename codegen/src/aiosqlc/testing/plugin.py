"""A pytest plugin with fixtures that give each test a database of its own.

`addopts = "-p aiosqlc.testing.plugin"` turns it on. `pytest_plugins` in a root conftest also turns
it on.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from aiosqlc.testing.databases import Databases, TemplateError

_MISSING = (
    "DATABASE_URL is not set: run `aiosqlc serve -- python -m pytest`, or define a fixture"
    " `aiosqlc_template` that returns the URL of a database with the schema"
)


@pytest.fixture(scope="session")
def aiosqlc_template() -> str:
    """Return the URL of the template: a database with the schema. Override this fixture."""
    url = os.environ.get("DATABASE_URL")
    if not url:
        pytest.fail(_MISSING, pytrace=False)
    return url


@pytest.fixture(scope="session")
def aiosqlc_databases(aiosqlc_template: str) -> Iterator[Databases]:
    """Return the copies of the template, for tests that need several databases."""
    try:
        databases = Databases(aiosqlc_template)
    except TemplateError as error:
        pytest.fail(str(error), pytrace=False)
    with databases:
        yield databases


@pytest.fixture
def aiosqlc_database(aiosqlc_databases: Databases) -> Iterator[str]:
    """Return the URL of a database that is equal to the template, for this test alone."""
    try:
        url = aiosqlc_databases.take()
    except TemplateError as error:
        pytest.fail(str(error), pytrace=False)
    yield url
    aiosqlc_databases.give_back(url)
