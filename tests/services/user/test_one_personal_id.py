"""One personal ID has one account: a keyed fingerprint identifies it."""

from __future__ import annotations

import asyncio
import base64
import hashlib

import asyncpg
import pytest

from lib.auth import Role
from services.user import rekey
from services.user.personal_ids import PersonalIds, parse_keys
from tests.services.searching import rows_of
from tests.services.user.cast import actor
from tests.services.user.test_rekey import FIRST, ROTATING, keep
from tests.services.user.world import World, bearer, person

NUMBER = "01001011111"
TAKEN = "the personal id belongs to another account"
REGISTER = "register/provider"


async def register(world: World, address: str, number: str = NUMBER):
    return await world.post(REGISTER, person(email=address, personal_id_number=number))


async def test_a_second_account_with_the_personal_id_is_refused_as_a_whole(world: World) -> None:
    assert (await register(world, "ann@example.com")).status == 201
    answer = await register(world, "eve@example.com")
    assert (answer.status, answer.message) == (409, TAKEN)
    for table in ("account", "provider", "mail_outbox", "outbox"):
        assert await world.db.fetchval(f"SELECT count(*) FROM {table}") <= 1, table
    assert (await register(world, "eve@example.com", "01001022222")).status == 201


async def test_of_several_at_once_one_account_gets_the_personal_id(world: World) -> None:
    answers = await asyncio.gather(
        *(register(world, f"number.{number}@example.com") for number in range(4))
    )
    assert sorted(answer.status for answer in answers) == [201, 409, 409, 409]


async def test_whoever_asks_to_provide_has_a_personal_id_of_their_own(world: World) -> None:
    assert (await register(world, "ann@example.com")).status == 201
    eve, moderator = await world.proved("eve@example.com"), await actor(world, Role.MODERATOR)
    path = "/api/v1/users/me/provider-request"
    body = {"personal_id_number": NUMBER}
    answer = await world.call("POST", path, body, headers=bearer(eve))
    assert (answer.status, answer.message) == (409, TAKEN)
    own = {"personal_id_number": "01001022222"}
    assert (await world.call("POST", path, own, headers=bearer(eve))).status == 201
    # What was asked in vain keeps nobody else from it.
    decided = f"/api/v1/provider-requests/{eve['user_id']}"
    no = {"approved": False, "reason": "no"}
    assert (await moderator.call("PUT", decided, no)).status == 204
    assert (await register(world, "bob@example.com", "01001022222")).status == 201


async def test_a_deleted_account_leaves_its_personal_id(world: World) -> None:
    assert (await register(world, "ann@example.com")).status == 201
    ann = (await world.login()).data
    assert (await world.call("DELETE", "/api/v1/users/me", headers=bearer(ann))).status == 204
    assert (await register(world, "anna@example.com")).status == 201


async def test_no_row_says_the_personal_id_or_its_plain_hash(world: World) -> None:
    assert (await register(world, "ann@example.com")).status == 201
    plain = {NUMBER.encode().hex(), NUMBER, hashlib.sha256(NUMBER.encode()).hexdigest()}
    async for table, row in rows_of(world.db):
        for text in plain:
            assert text not in row, table


OLD = f"old:{base64.b64encode(bytes([9]) * 32).decode()}"


@pytest.mark.parametrize(
    "settings", [{"encryption_keys": f"new:{base64.b64encode(bytes([8]) * 32).decode()},{OLD}"}]
)
async def test_a_personal_id_under_a_former_key_is_recognised(world: World) -> None:
    ids = PersonalIds(parse_keys(OLD))
    (account,) = await keep(world.db, OLD, [NUMBER])
    await world.db.execute(
        "UPDATE provider SET fingerprint = $1 WHERE account_id = $2",
        *(ids.fingerprints(NUMBER)[0], account),
    )
    answer = await register(world, "eve@example.com")
    assert (answer.status, answer.message) == (409, TAKEN)


async def test_rekeying_makes_prints_and_names_those_that_were_shared_before(
    monkeypatch, capsys, new_database
) -> None:
    url = await new_database("user")
    monkeypatch.setenv("USER_DATABASE_URL", url)
    monkeypatch.setenv("USER_ENCRYPTION_KEYS", ROTATING)
    connection = await asyncpg.connect(url)
    shared = await keep(connection, FIRST, [NUMBER, "01001022222", NUMBER])
    for _ in range(2):
        assert await asyncio.to_thread(rekey.main, []) == 0
        said = capsys.readouterr()
        assert said.out == "second: 3\nfirst: 0\n"
        assert said.err == "1 accounts have a personal id that another account has too\n"
    rows = await connection.fetch("SELECT account_id FROM provider WHERE fingerprint IS NULL")
    assert [row["account_id"] for row in rows] == [max(shared[0], shared[2])]
    await connection.close()
