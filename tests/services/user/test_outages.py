"""If Redis or PostgreSQL fails, sign-in is refused, limits are local, and no data is lost."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest
from redis.asyncio import Redis

from devstack.testing.wait import eventually
from tests.services.user.world import PASSWORD, bearer, running_world


async def test_without_redis_people_sign_in_and_events_wait_for_it(
    new_database, tmp_path, killable_redis
) -> None:
    settings = {"redis_url": killable_redis.url}
    async with running_world(await new_database("user"), tmp_path, **settings) as world:
        session = await world.signed_up()
        killable_redis.kill()
        # Counted by the process alone now; what locks guessers out is in the database.
        for number in range(3):
            assert (await world.register(f"a{number}@example.com")).status == 201
        assert (await world.login()).status == 200
        assert (
            await world.call("GET", "/api/v1/auth/sessions", headers=bearer(session))
        ).status == 200
        for _ in range(5):
            assert (await world.login(password="wrong")).status == 401
        assert (await world.login()).status == 429
        ready = await world.call("GET", "/readyz")
        assert (ready.status, ready.body["checks"]["redis"]) == (200, "unavailable")
        killable_redis.start()

        async def outbox_is_empty() -> bool:
            return not await world.db.fetchval("SELECT count(*) FROM outbox")

        await eventually(outbox_is_empty)
    async with Redis.from_url(killable_redis.url) as redis:
        entries = await redis.xrange("events:users")
    ids = [fields[b"key"] for _, fields in entries]
    # The one before the kill went with the old server's memory; the three after it are all here.
    assert len(ids) == len(set(ids)) >= 3


async def test_without_its_database_nobody_gets_in_and_afterwards_everybody_does(
    killable_postgres, tmp_path
) -> None:
    url = await asyncio.to_thread(killable_postgres.create, "user")
    async with running_world(url, tmp_path) as world:
        session = await world.signed_up()
        await world.until_mails_are_sent()
        killable_postgres.kill()
        refused = {
            "login": await world.login(),
            "refresh": await world.post("refresh", {"refresh_token": session["refresh_token"]}),
            "register": await world.register("bob@example.com"),
            "verify": await world.post("verify", {"token": "x"}),
            "forgot": await world.post("password/forgot", {"email": "ann@example.com"}),
            "logout": await world.post("logout", headers=bearer(session)),
        }
        for name, answer in refused.items():
            assert (answer.status, answer.code) == (503, "SERVICE_UNAVAILABLE"), name
        # Others go on verifying tokens: the keys need no database.
        assert (await world.call("GET", "/.well-known/jwks.json")).status == 200
        await asyncio.to_thread(killable_postgres.start)

        async def is_ready() -> bool:
            return (await world.call("GET", "/readyz")).status == 200

        await eventually(is_ready)
        # The refused refresh spent nothing, the refused registration left nothing.
        again = await world.post("refresh", {"refresh_token": session["refresh_token"]})
        assert again.status == 200
        assert (await world.register("bob@example.com")).status == 201
        db = await asyncpg.connect(url)
        assert await db.fetchval("SELECT count(*) FROM account") == 2
        await db.close()


@pytest.mark.parametrize("settings", [{"password_threads": 1, "login_address_attempts": 1000}])
@pytest.mark.usefixtures("full_hashes")
async def test_a_flood_of_logins_is_refused_before_it_takes_the_machine(world) -> None:
    answers = await asyncio.gather(*(world.login(f"a{n}@example.com", PASSWORD) for n in range(90)))
    statuses = {answer.status for answer in answers}
    assert statuses == {401, 503}
    late = [answer for answer in answers if answer.status == 503]
    assert {answer.headers["Retry-After"] for answer in late} == {"1"}
    assert (await world.login("b@example.com", PASSWORD)).status == 401


@pytest.mark.parametrize("redis_url", ["redis://127.0.0.1:1/0", None])
async def test_redis_need_not_be_there_at_the_start(new_database, tmp_path, redis_url) -> None:
    url = await new_database("user")
    async with running_world(url, tmp_path, redis_url=redis_url) as world:
        assert await world.signed_up()
