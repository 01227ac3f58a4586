"""The service's process stays within its container's memory during pictures and sign-ins."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from itertools import count, cycle
from pathlib import Path

import aiohttp
import asyncpg
import psutil
import pytest

from devstack.embedded import children
from devstack.embedded.ports import free_port
from devstack.testing.wait import eventually
from lib.auth import Role
from services.user.config import MOST_PASSWORD_THREADS
from services.user.images import MAX_PIXELS, MAX_PROGRESSIVE_PIXELS
from services.user.memory import PROCESS_MIB, needed_mib
from tests.conftest import NewDatabase
from tests.rows.user.factory import Factory
from tests.rows.user.models import AccountRole
from tests.services.running import ISSUER
from tests.services.user.test_memory import ROOT, drawn, limits

SENDERS, GUESSERS = 16, 32
PICTURES, GUESSES = 12, 60
SIDE, PROGRESSIVE = int(MAX_PIXELS**0.5), int(MAX_PROGRESSIVE_PIXELS**0.5)


def peak_mib(process: psutil.Process) -> float:
    """Return the peak memory of a process."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024


@pytest.fixture
async def service(
    new_database: NewDatabase, tmp_path: Path
) -> AsyncIterator[tuple[psutil.Process, str, str]]:
    """The service in its own process, its address, and the URL of its database."""
    url, port = await new_database("user"), free_port()
    environ = {
        "USER_PORT": str(port),
        "USER_DATABASE_URL": url,
        "USER_JWT_PRIVATE_KEYS": ISSUER.key.pem().decode(),
        "USER_PASSWORD_THREADS": str(MOST_PASSWORD_THREADS),
        "USER_LOGIN_ADDRESS_ATTEMPTS": "1000000",
        "RATE_LIMIT": "1e9",
        "RATE_LIMIT_BURST": "1000000000",
        "USER_RATE_LIMIT": "1000000000",
        "FILES_FOLDER": str(tmp_path / "files"),
        "MAIL_FOLDER": str(tmp_path / "mails"),
    }
    process = children.spawn(
        [sys.executable, "-m", "services.user"],
        log=subprocess.DEVNULL,
        env={**os.environ, **environ},
        cwd=ROOT,
    )
    address = f"http://127.0.0.1:{port}"
    try:

        async def ready() -> bool:
            try:
                async with aiohttp.request("GET", f"{address}/livez") as answer:
                    return answer.status == 200
            except aiohttp.ClientError:
                return False

        await eventually(ready)
        yield psutil.Process(process.pid), address, url
    finally:
        children.stop(process, within=10)


async def senders(url: str) -> list[dict[str, str]]:
    """Add accounts and return the headers of each."""
    connection = await asyncpg.connect(url)
    try:
        rows = Factory(connection)
        accounts = [
            await rows.make_account(role=AccountRole.CUSTOMER, verified=True)
            for _ in range(SENDERS)
        ]
    finally:
        await connection.close()
    return [ISSUER.authorized(subject=str(one.id), role=Role.CUSTOMER) for one in accounts]


@pytest.fixture(scope="module")
def pictures() -> Iterator[bytes]:
    """Yield the largest pictures of each kind in turn, without end."""
    return cycle(
        [
            drawn("PNG", "RGBA", (SIDE, SIDE)),
            drawn("PNG", "RGB", (SIDE, SIDE)),
            drawn("JPEG", "RGB", (SIDE, SIDE), subsampling=0),
            drawn("JPEG", "RGB", (PROGRESSIVE, PROGRESSIVE), progressive=True, subsampling=0),
        ]
    )


@pytest.mark.long
async def test_pictures_and_sign_ins_at_once_stay_within_every_container(
    service, pictures, record_property
) -> None:
    process, address, url = service
    at_rest = peak_mib(process)
    names = count()
    done = asyncio.Event()
    seen = {"pictures": 0, "guesses": 0}

    async def send(http: aiohttp.ClientSession, headers: dict[str, str]) -> None:
        while not done.is_set():
            form = aiohttp.FormData(default_to_multipart=True)
            form.add_field("image", next(pictures), filename="me", content_type="image/png")
            where = f"{address}/api/v1/users/me/picture"
            async with http.put(where, data=form, headers=headers) as answer:
                assert answer.status in (204, 503), await answer.text()
                seen["pictures"] += answer.status == 204

    async def guess(http: aiohttp.ClientSession) -> None:
        while not done.is_set():
            body = {"email": f"nobody{next(names)}@example.com", "password": "wrong-horse-7"}
            async with http.post(f"{address}/api/v1/auth/login", json=body) as answer:
                assert answer.status in (401, 503), await answer.text()
                seen["guesses"] += answer.status == 401

    async def enough() -> bool:
        return seen["pictures"] >= PICTURES and seen["guesses"] >= GUESSES

    async with (
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http,
        asyncio.TaskGroup() as group,
    ):
        for headers in await senders(url):
            group.create_task(send(http, headers))
        for _ in range(GUESSERS):
            group.create_task(guess(http))
        await eventually(enough, within=240)
        done.set()
    peak = peak_mib(process)
    print(f"at rest {at_rest:.0f} MiB, at most {peak:.0f} MiB, {seen}")
    record_property("peak_mib", peak)
    assert at_rest <= PROCESS_MIB
    assert peak <= needed_mib(MOST_PASSWORD_THREADS)
    assert all(peak <= given for given in limits().values()), limits()
