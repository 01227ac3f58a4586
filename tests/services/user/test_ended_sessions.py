"""For any early end of a session, an event names the session for the other services."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

import jwt
import pytest

from tests.services.user.test_second_factor import enrol
from tests.services.user.test_undo_address import CHANGED, OWN, THIEF, move, undo
from tests.services.user.world import AUTH, World, bearer

ME = "/api/v1/users/me"
FIRST, SECOND = 0, 1


def session_of(session: Any) -> str:
    claims = jwt.decode(session["access_token"], options={"verify_signature": False})
    return claims["sid"]


async def log_out(world: World, mine: Any) -> None:
    assert (await world.post("logout", headers=bearer(mine))).status == 204


async def log_out_everywhere(world: World, mine: Any) -> None:
    assert (await world.post("logout-all", headers=bearer(mine))).status == 204


async def revoke(world: World, mine: Any) -> None:
    path = f"{AUTH}/sessions/{session_of(mine)}"
    assert (await world.call("DELETE", path, headers=bearer(mine))).status == 204


async def use_twice(world: World, mine: Any) -> None:
    spent = {"refresh_token": mine["refresh_token"]}
    assert (await world.post("refresh", spent)).status == 200
    assert (await world.post("refresh", spent)).status == 401


async def change_password(world: World, mine: Any) -> None:
    words = {"old_password": "correct-horse-7", "new_password": OWN}
    changed = await world.call("PATCH", f"{ME}/change-password", words, headers=bearer(mine))
    assert changed.status == 204


async def reset_password(world: World, mine: Any) -> None:
    assert (await world.post("password/forgot", {"email": "ann@example.com"})).status == 204
    given = {"token": await world.token("Password reset"), "new_password": OWN}
    assert (await world.post("password/reset", given)).status == 204


async def undo_the_address(world: World, mine: Any) -> None:
    assert await move(world, mine, THIEF) == 200
    assert await undo(world, await world.token(CHANGED)) == 204


async def add_a_factor(world: World, mine: Any) -> None:
    await enrol(world, mine)


async def delete(world: World, mine: Any) -> None:
    assert (await world.call("DELETE", ME, headers=bearer(mine))).status == 204


# Which of two sessions each ends, where it is done in the first.
ENDS: dict[Callable[[World, Any], Awaitable[None]], set[int]] = {
    log_out: {FIRST},
    revoke: {FIRST},
    use_twice: {FIRST},
    add_a_factor: {SECOND},
    log_out_everywhere: {FIRST, SECOND},
    change_password: {FIRST, SECOND},
    reset_password: {FIRST, SECOND},
    undo_the_address: {FIRST, SECOND},
    delete: {FIRST, SECOND},
}


@pytest.mark.parametrize("end", ENDS, ids=lambda end: end.__name__)
async def test_an_end_names_the_sessions_that_ended_and_no_others(world: World, end) -> None:
    mine = await world.proved()
    sessions = [session_of(one) for one in (mine, (await world.login()).data)]
    await end(world, mine)
    events = "SELECT payload::text FROM outbox WHERE kind = 'user.sessions_ended' ORDER BY position"
    ended: list[str] = []
    for row in await world.db.fetch(events):
        payload = json.loads(row["payload"])
        assert payload["id"] == mine["user_id"]
        ended += payload["sessions"]
    assert sorted(ended) == sorted(sessions[number] for number in ENDS[end])
