"""The operator's command that encrypts personal IDs with the newest key."""

from __future__ import annotations

import asyncio
import base64
import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest

from devstack.testing.wait import eventually
from lib.ids import new_id
from services.user import rekey
from services.user.personal_ids import PersonalIds, parse_keys
from tests.rows.user.factory import Factory
from tests.rows.user.models import AccountRole

ROOT = Path(__file__).resolve().parents[3]
FIRST, SECOND, GONE = (
    f"{name}:{base64.b64encode(bytes([n]) * 32).decode()}"
    for n, name in enumerate(("first", "second", "gone"), 1)
)
ROTATING = f"{SECOND},{FIRST}"


@pytest.fixture
async def url(new_database, monkeypatch) -> str:
    url = await new_database("user")
    monkeypatch.setenv("USER_DATABASE_URL", url)
    monkeypatch.setenv("USER_ENCRYPTION_KEYS", ROTATING)
    # Of the rows that a test holds on to.
    monkeypatch.setenv("USER_DB_STATEMENT_SECONDS", "60")
    return url


@pytest.fixture
async def connection(url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(url)
    yield connection
    await connection.close()


async def keep(connection: asyncpg.Connection, keys: str, numbers: Sequence[str]) -> list[UUID]:
    """Insert providers with these numbers, encrypted with the first of the keys."""
    ids = PersonalIds(parse_keys(keys))
    accounts = [new_id() for _ in numbers]
    rows = Factory(connection)
    for number, account in zip(numbers, accounts, strict=True):
        email = f"{account}@example.com"
        await rows.make_account(id=account, email=email, role=AccountRole.PROVIDER)
        one = ids.encrypt(number, account)
        await rows.make_provider(account_id=account, personal_id=one.ciphertext, key_id=one.key_id)
    return accounts


async def read(connection: asyncpg.Connection, keys: str) -> list[str]:
    """Return all numbers in the order of their accounts, decrypted with these keys only."""
    ids = PersonalIds(parse_keys(keys))
    rows = await connection.fetch("SELECT * FROM provider ORDER BY account_id")
    return [ids.decrypt(row["personal_id"], row["key_id"], row["account_id"]) for row in rows]


async def run() -> int:
    return await asyncio.to_thread(rekey.main, [])


async def a_run_waits(url: str) -> None:
    """Return when a session waits for a row of this database."""
    observer = await asyncpg.connect(url)

    async def waits() -> bool:
        waiting: int = await observer.fetchval(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )
        return waiting > 0

    try:
        await eventually(waits, within=60)
    finally:
        await observer.close()


def numbers(count: int) -> list[str]:
    return [f"{n:011}" for n in range(count)]


async def test_all_are_under_the_newest_key_afterwards_and_the_former_one_can_go(
    connection, capsys
) -> None:
    given = numbers(2 * rekey.BATCH + 3)
    await keep(connection, FIRST, given[:-1])
    await keep(connection, SECOND, given[-1:])
    before = await connection.fetch("SELECT account_id, created_at FROM provider")
    assert await run() == 0
    assert capsys.readouterr().out.splitlines()[-2:] == [f"second: {len(given)}", "first: 0"]
    assert await read(connection, SECOND) == given
    after = await connection.fetch("SELECT account_id, created_at FROM provider")
    assert sorted(after) == sorted(before)


async def test_a_second_run_changes_nothing(connection, capsys) -> None:
    await keep(connection, FIRST, numbers(3))
    assert await run() == 0
    done = await connection.fetch("SELECT * FROM provider ORDER BY account_id")
    assert await run() == 0
    assert capsys.readouterr().out.splitlines()[-2:] == ["second: 3", "first: 0"]
    assert await connection.fetch("SELECT * FROM provider ORDER BY account_id") == done


async def test_what_was_killed_half_way_is_finished_by_the_next_run(url, connection) -> None:
    given = numbers(2 * rekey.BATCH)
    accounts = await keep(connection, FIRST, given)
    count = "SELECT count(*) FROM provider WHERE key_id = 'second'"
    observer = await asyncpg.connect(url)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "services.user.rekey"), cwd=ROOT, env=dict(os.environ)
    )
    try:
        # The second batch waits for this row, so the process is killed between the two.
        async with connection.transaction():
            await connection.execute(
                "SELECT FROM provider WHERE account_id = $1 FOR UPDATE", accounts[-1]
            )

            async def one_batch() -> bool:
                return await observer.fetchval(count) == rekey.BATCH

            await eventually(one_batch, within=60)
            process.kill()
            assert await process.wait() == -signal.SIGKILL
        assert await observer.fetchval(count) == rekey.BATCH
        assert await read(connection, ROTATING) == given
        assert await run() == 0
        assert await read(connection, SECOND) == given
    finally:
        await observer.close()
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_two_runs_at_once_do_not_hinder_each_other(connection) -> None:
    given = numbers(2 * rekey.BATCH)
    await keep(connection, FIRST, given)
    assert await asyncio.gather(run(), run()) == [0, 0]
    assert await read(connection, SECOND) == given


async def test_a_provider_who_leaves_during_a_run_stays_away(url, connection) -> None:
    accounts = await keep(connection, FIRST, numbers(3))
    async with connection.transaction():
        await connection.execute("DELETE FROM provider WHERE account_id = $1", accounts[1])
        running = asyncio.create_task(run())
        await a_run_waits(url)
    assert await running == 0
    assert await read(connection, SECOND) == [numbers(3)[0], numbers(3)[2]]


async def test_what_comes_under_a_former_key_during_a_run_is_told_and_left_to_the_next(
    url, connection, capsys
) -> None:
    late, held = await keep(connection, FIRST, numbers(2))
    row = await connection.fetchrow("DELETE FROM provider WHERE account_id = $1 RETURNING *", late)
    async with connection.transaction():
        await connection.execute("SELECT FROM provider WHERE account_id = $1 FOR UPDATE", held)
        running = asyncio.create_task(run())
        await a_run_waits(url)
        await connection.execute(
            "INSERT INTO provider VALUES ($1, $2, $3, $4, $5, $6)", *row.values()
        )
    assert await running == 1
    said = capsys.readouterr()
    assert said.out.splitlines()[-2:] == ["second: 1", "first: 1"]
    assert "run the command again" in said.err
    assert await run() == 0
    assert await read(connection, SECOND) == numbers(2)


async def test_what_no_key_opens_is_told_and_kept_and_the_rest_is_done(connection, capsys) -> None:
    given = numbers(rekey.BATCH + 25)
    lost = await keep(connection, GONE, given[: rekey.BATCH + 22])
    (damaged,) = await keep(connection, FIRST, given[-3:-2])
    await connection.execute(
        "UPDATE provider SET personal_id = '\\x00' WHERE account_id = $1", damaged
    )
    readable = await keep(connection, FIRST, given[-2:])
    stored = "SELECT * FROM provider WHERE account_id <> ALL ($1) ORDER BY account_id"
    before = await connection.fetch(stored, readable)

    assert await run() == 1
    said = capsys.readouterr()
    assert said.out.splitlines()[-3:] == ["second: 2", "first: 1", f"gone: {len(lost)}"]
    assert f"{len(lost) + 1} personal ids cannot be decrypted" in said.err
    assert f"account {lost[0]}: there is no key gone" in said.err
    assert "and 203 more" in said.err
    assert "meanwhile" not in said.err
    assert await connection.fetch(stored, readable) == before

    await connection.execute("DELETE FROM provider WHERE account_id = $1", damaged)
    assert await read(connection, f"{SECOND},{GONE}") == given[:-3] + given[-2:]


async def test_a_damaged_value_is_named_with_its_account(connection, capsys) -> None:
    (account,) = await keep(connection, FIRST, numbers(1))
    await connection.execute("UPDATE provider SET personal_id = '\\x00'")
    assert await run() == 1
    assert f"account {account}: the stored value is damaged" in capsys.readouterr().err


@pytest.mark.parametrize("keys", ["", "second", "second:c2hvcnQ="])
async def test_without_keys_that_make_sense_nothing_is_touched(
    connection, monkeypatch, capsys, keys
) -> None:
    await keep(connection, FIRST, numbers(1))
    monkeypatch.setenv("USER_ENCRYPTION_KEYS", keys)
    assert await run() == 1
    assert "USER_ENCRYPTION_KEYS" in capsys.readouterr().err
    assert await read(connection, FIRST) == numbers(1)
