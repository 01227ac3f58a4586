"""TLS to PostgreSQL: a server with a wrong identity receives no data and no password."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import pytest
from pydantic import SecretStr

from devstack.testing.tls import Authority, terminating
from lib.config import PostgresSettings
from lib.db import migrations, postgres
from lib.db.postgres import open_database
from lib.errors import StartError

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Attempts are repeated without a wait."""
    monkeypatch.setattr(postgres, "CONNECT_WAITS", (0.0,))


async def ask(url: str) -> object:
    settings = PostgresSettings.model_validate({"database_url": SecretStr(url), "db_pool_min": 1})
    async with open_database(settings, application="test") as db:
        return await db.fetchval("SELECT 1")


@pytest.mark.parametrize(
    ("host", "days", "ca", "is_let_in"),
    [
        ("localhost", 1, "authority", True),
        ("localhost", 1, "stranger", False),
        ("db.example.com", 1, "authority", False),
        ("localhost", -1, "authority", False),
    ],
    ids=["who was asked for", "we do not know", "for another name", "that has ended"],
)
async def test_a_server_that_is_not_who_was_asked_for_is_sent_nothing(
    empty_database: str, tmp_path: Path, host: str, days: int, ca: str, is_let_in: bool
) -> None:
    """TLS from the first byte: the wheel's server has no TLS, so a proxy provides it."""
    authority = Authority(tmp_path)
    file = {"authority": authority.file, "stranger": Authority(tmp_path, "stranger").file}[ca]
    at = urlsplit(empty_database)
    async with terminating(authority.server(host, days=days), at.port or 0) as terminator:
        url = at._replace(
            netloc=f"{at.username}:{at.password}@localhost:{terminator.port}",
            query=f"sslmode=verify-full&sslrootcert={file}&sslnegotiation=direct",
        ).geturl()
        if is_let_in:
            assert await ask(url) == 1
            return
        with pytest.raises(StartError) as refused:
            await ask(url)
        assert terminator.forwarded == 0
    assert (at.password or "?") not in str(refused.value)


@pytest.mark.parametrize("mode", ["require", "verify-ca", "verify-full"])
async def test_who_asks_for_tls_gets_it_or_no_connection(empty_database: str, mode: str) -> None:
    """The server, or an attacker in between, reports that TLS is not supported."""
    url = f"{empty_database}?sslmode={mode}"
    with pytest.raises(StartError):
        await ask(url)
    with pytest.raises(migrations.MigrationError):
        migrations.roll_back_one(url, ROOT / "migrations" / "point", db="point")
