"""A service reports when its database's certificate expires, before connections fail."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from devstack.testing import mysql as testing
from devstack.testing.certificates import self_signed
from devstack.testing.tls import Authority, terminating
from lib.config import MysqlSettings, PostgresSettings
from lib.db import mysql, postgres

ROOT = Path(__file__).parents[3]
HOUR, DAY = 3600, 86_400


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return self_signed(tmp_path_factory.mktemp("tls"), "127.0.0.1")[0]


@pytest.fixture(scope="module")
def mysql_url(chain: Path) -> Iterator[str]:
    """The URL of a server with TLS, whose certificate is valid for an hour."""
    with testing.running(ROOT / "migrations", (chain, chain.with_name("key.pem"))) as server:
        yield server.create_empty()


async def seconds_left(url: str) -> float | None:
    """Return the metric of a service with this database."""
    registry = CollectorRegistry()
    given = {"database_url": SecretStr(url), "db_pool_min": 1}
    on_mysql = urlsplit(url).scheme == "mysql"
    opening = (
        mysql.open_database(MysqlSettings.model_validate(given), application="t", registry=registry)
        if on_mysql
        else postgres.open_database(
            PostgresSettings.model_validate(given), application="t", registry=registry
        )
    )
    async with opening as db:
        await db.ping()
        ends = registry.get_sample_value("db_server_certificate_expiry_timestamp_seconds")
    return None if ends is None else ends - time.time()


@pytest.mark.parametrize(
    ("query", "is_known"),
    [
        ("ssl-mode=VERIFY_IDENTITY&ssl-ca={ca}", True),
        ("ssl-mode=REQUIRED", False),  # nobody looks at it, nothing will fail
        ("ssl-mode=DISABLED", False),
    ],
)
async def test_the_end_of_mysqls_certificate_is_known_where_it_is_verified(
    mysql_url, chain, query, is_known
):
    left = await seconds_left(f"{mysql_url}?{query.format(ca=chain)}")
    assert (left is not None) is is_known
    assert left is None or 0 < left <= HOUR


async def test_the_end_of_postgresqls_certificate_is_known_where_it_is_verified(
    empty_database, tmp_path
):
    """TLS from the first byte: the wheel's server has no TLS, so a proxy provides it."""
    authority = Authority(tmp_path)
    at = urlsplit(empty_database)
    async with terminating(authority.server(days=1), at.port or 0) as terminator:
        url = at._replace(netloc=f"{at.username}:{at.password}@localhost:{terminator.port}")
        query = f"sslmode=verify-full&sslrootcert={authority.file}&sslnegotiation=direct"
        left = await seconds_left(url._replace(query=query).geturl())
    assert left is not None
    assert DAY - HOUR < left <= DAY
    assert await seconds_left(empty_database) is None
