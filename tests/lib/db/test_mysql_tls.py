"""TLS to MySQL: clients that verify are safe; clients that require TLS get it or nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from aiosqlc.servers.mysql.session import open_session
from aiosqlc.servers.private import NoServerError
from pydantic import SecretStr

from devstack.testing import mysql as testing
from devstack.testing.certificates import self_signed
from lib.config import ConfigError, MysqlSettings, load
from lib.db import migrations, mysql
from lib.db.mysql import open_database
from lib.errors import StartError

CIPHER = "SHOW STATUS LIKE 'Ssl_cipher'"
ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tls")


@pytest.fixture(scope="module")
def files(folder: Path) -> dict[str, Path]:
    """Certificates of the server itself, of another address and of a stranger, and none."""
    made = {"none": folder / "none.pem"}
    for name, address in (("own", "127.0.0.1"), ("other", "127.0.0.9"), ("stranger", "127.0.0.1")):
        (folder / name).mkdir()
        made[name] = self_signed(folder / name, address)[0]
    return made


def key_beside(chain: Path) -> tuple[Path, Path]:
    return chain, chain.with_name("key.pem")


@pytest.fixture(scope="module")
def servers(files: dict[str, Path]) -> Iterator[dict[str, str]]:
    """URLs of three servers: a certificate for its address, one for another address, and no TLS."""
    with (
        testing.running(ROOT / "migrations", key_beside(files["own"])) as own,
        testing.running(ROOT / "migrations", key_beside(files["other"])) as other,
        testing.running(ROOT / "migrations") as plain,
    ):
        yield {
            "own": own.create_empty(),
            "other": other.create_empty(),
            "plain": plain.create_empty(),
        }


async def pool(url: str) -> bool:
    """Return whether the pool's connections are encrypted."""
    settings = MysqlSettings.model_validate({"database_url": SecretStr(url), "db_pool_min": 1})
    async with open_database(settings, application="test") as db:
        row = await db.fetchrow(CIPHER)
        return row is not None and bool(list(row)[1])


def migrating(url: str) -> bool:
    """Return whether the connection for migrations is encrypted."""
    with migrations._Session(url, ROOT / "migrations/product/mysql", "x") as session:
        return bool(session.backend.execute(CIPHER).fetchone()[1])


def compiling(url: str) -> bool:
    """Return whether the compiler's connection is encrypted."""
    connection = open_session(url, None).connection
    with connection, connection.cursor() as cursor:
        cursor.execute(CIPHER)
        return bool(cursor.fetchone()[1])


async def encrypted(client: Callable[[str], object], url: str) -> object:
    if client is pool:
        return await pool(url)
    return await asyncio.to_thread(client, url)


clients = pytest.mark.parametrize("client", [pool, migrating, compiling])
FAILURES = (StartError, migrations.MigrationError, NoServerError)


@clients
@pytest.mark.parametrize(
    ("server", "mode", "ca", "is_encrypted"),
    [
        ("own", "VERIFY_IDENTITY", "own", True),
        ("own", "verify_identity", "own", True),
        ("other", "VERIFY_CA", "other", True),
        ("own", "REQUIRED", None, True),
        ("own", "DISABLED", None, False),
        ("plain", "DISABLED", None, False),
    ],
)
async def test_the_mode_decides(servers, files, client, server, mode, ca, is_encrypted) -> None:
    url = f"{servers[server]}?ssl-mode={mode}" + (f"&ssl-ca={files[ca]}" if ca else "")
    assert await encrypted(client, url) is is_encrypted


@clients
@pytest.mark.parametrize(
    ("server", "mode", "ca"),
    [
        ("own", "VERIFY_IDENTITY", "stranger"),
        ("own", "VERIFY_CA", "stranger"),
        ("other", "VERIFY_IDENTITY", "other"),
        ("own", "VERIFY_IDENTITY", None),  # the system's authorities do not know it
        ("own", "VERIFY_CA", "none"),
        ("plain", "VERIFY_IDENTITY", "own"),
        ("plain", "REQUIRED", None),  # nobody in between can talk us out of it
    ],
)
async def test_a_server_that_is_not_who_was_asked_for_is_refused_in_one_sentence(
    servers, files, client, server, mode, ca, monkeypatch
) -> None:
    monkeypatch.setattr(mysql, "CONNECT_WAITS", ())
    url = f"{servers[server]}?ssl-mode={mode}" + (f"&ssl-ca={files[ca]}" if ca else "")
    with pytest.raises(FAILURES) as caught:
        await encrypted(client, url)
    assert servers[server].split(":")[2].partition("@")[0] not in str(caught.value)


async def test_the_reason_is_in_the_message(servers, files, monkeypatch) -> None:
    monkeypatch.setattr(mysql, "CONNECT_WAITS", ())
    with pytest.raises(StartError, match="certificate verify failed"):
        await pool(f"{servers['own']}?ssl-mode=VERIFY_CA&ssl-ca={files['stranger']}")
    with pytest.raises(StartError, match="the server does not support TLS"):
        await pool(f"{servers['plain']}?ssl-mode=REQUIRED")


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("sslmode=require", "has an unknown parameter: sslmode"),
        ("ssl-mode=PREFERRED", "ssl-mode must be one of DISABLED"),
        ("ssl-mode=", "ssl-mode must be one of DISABLED"),
        ("ssl-mode=REQUIRED&ssl-mode=DISABLED", "says ssl-mode twice"),
        ("ssl-ca=/ca.pem", "ssl-ca needs ssl-mode=VERIFY_CA"),
        ("ssl-mode=REQUIRED&ssl-ca=/ca.pem", "ssl-ca needs ssl-mode=VERIFY_CA"),
    ],
)
def test_what_no_url_can_say_is_refused_by_name(query, said, monkeypatch, tmp_path) -> None:
    monkeypatch.chdir(tmp_path)
    url = f"mysql://somebody:hunter2@127.0.0.1:1/none?{query}"
    monkeypatch.setenv("DATABASE_URL", url)
    with pytest.raises(ConfigError, match=said) as caught:
        load(MysqlSettings)
    assert "hunter2" not in str(caught.value)
    with pytest.raises(migrations.MigrationError, match=said):
        migrating(url)
    name = "sslmode" if query.startswith("sslmode") else "ssl-"
    with pytest.raises(NoServerError, match=name):
        compiling(url)


def test_migrations_are_applied_over_tls(servers, files, tmp_path) -> None:
    (tmp_path / "0001_shelf.sql").write_text("CREATE TABLE shelf (label varchar(9))")
    url = f"{servers['own']}?ssl-mode=VERIFY_IDENTITY&ssl-ca={files['own']}"
    assert migrations.apply(url, tmp_path, db="shop") == ["0001_shelf"]
