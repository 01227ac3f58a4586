"""Idempotency keys over HTTP, on a real database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry
from pytest_aiohttp.plugin import AiohttpClient

from devstack.testing.wait import DEADLINE, eventually
from lib.auth.principal import Principal, set_principal
from lib.config import Settings
from lib.db import Database
from lib.db.errors import DatabaseUnavailableError, SerializationFailureError
from lib.db.postgres import PostgresDatabase
from lib.errors import AppError, Code
from lib.http.middleware.exchange import Exchange
from lib.http.middleware.idempotency import Idempotency
from lib.http.middleware.stack import MiddlewareStack
from lib.idempotency import (
    Answer,
    IdempotencyKeys,
    IdempotencyPolicy,
    Lease,
    Scope,
    fingerprint,
)
from lib.store import idempotency as store
from tests.conftest import NewDatabase

SCHEMA = Path(__file__).resolve().parents[2] / "sql" / "shared" / "schema"
SCOPE = Scope("user-1", "/things", "key-1")
PRINT = fingerprint(b"body")
_WAITING = (
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE wait_event_type = 'Lock' AND datname = current_database()"
)
Client = TestClient[web.Request, web.Application]


@pytest.fixture
async def db(new_database: NewDatabase) -> AsyncIterator[PostgresDatabase]:
    url = await new_database("shared", schema=SCHEMA)
    async with asyncpg.create_pool(url, min_size=1, max_size=8) as pool:
        database = PostgresDatabase(pool, acquire_seconds=DEADLINE, open_seconds=DEADLINE)
        yield database
        await database.close()


class Shop:
    """An application that counts its executions, and responds as a test sets."""

    def __init__(self, keys: IdempotencyKeys) -> None:
        self.begun = self.done = 0
        self.db: Database | None = None  # where the work is done, if it is to be one transaction
        self.failures: list[Exception] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.registry = CollectorRegistry()
        middleware = MiddlewareStack(Settings(), self.registry)
        self.idempotency = Idempotency(
            keys, exempt={"/exempt"}, resumable={"/resumable"}, own={"/own"}
        )
        middleware.admit, middleware.idempotent = self._sign_in, self.idempotency.serve
        self.app = web.Application(middlewares=[middleware.serve])
        paths = ("/things", "/exempt", "/resumable", "/own")
        self.app.add_routes([web.route("*", path, self._work) for path in paths])

    def answered(self, method: str, status: int) -> float | None:
        labels = {"method": method, "route": "/things", "status": str(status)}
        return self.registry.get_sample_value("http_requests_total", labels)

    async def _sign_in(self, exchange: Exchange) -> None:
        who = exchange.request.headers.get("X-Who", "user-1")
        nobody: frozenset[Any] = frozenset()
        set_principal(Principal(who, nobody, nobody, True, "", "", 0.0))

    async def _work(self, request: web.Request) -> web.Response:
        self.begun += 1
        await self.gate.wait()
        if self.db is not None:
            async with self.db.transaction() as tx:
                await tx.execute("SELECT 1")
        self.done += 1
        if self.failures:
            raise self.failures.pop(0)
        return web.json_response(
            {"number": self.done}, status=201, headers={"Location": f"/things/{self.done}"}
        )


@pytest.fixture
def wait_seconds() -> float:
    """The time that a repeated request waits for the first one."""
    return DEADLINE


@pytest.fixture
def shop(db: PostgresDatabase, wait_seconds: float) -> Shop:
    return Shop(IdempotencyKeys(db, IdempotencyPolicy(wait_seconds=wait_seconds)))


@pytest.fixture
async def client(shop: Shop, aiohttp_client: AiohttpClient) -> Client:
    return await aiohttp_client(shop.app)


async def post(client: Client, key: str | None = "k-1", body: str = "{}", **more: Any) -> Any:
    headers = {"Idempotency-Key": key} if key is not None else {}
    answer = await client.post(
        more.pop("path", "/things"), data=body, headers=headers | more.pop("headers", {})
    )
    return answer.status, await answer.json(), answer


async def test_the_same_request_gets_the_same_answer_and_is_done_once(
    client: Client, shop: Shop
) -> None:
    status, body, first = await post(client)
    status_2, body_2, second = await post(client)
    assert (status, body) == (status_2, body_2) == (201, {"number": 1})
    assert second.headers["Location"] == first.headers["Location"]
    assert second.headers["Content-Type"] == first.headers["Content-Type"]
    assert "Idempotency-Replayed" not in first.headers
    assert second.headers["Idempotency-Replayed"] == "true"
    assert shop.done == 1


@pytest.mark.parametrize(
    "other",
    [
        {"key": "k-2"},
        {"headers": {"X-Who": "user-2"}},
        {"key": None},
        {"path": "/exempt"},
    ],
    ids=repr,
)
async def test_another_key_person_or_route_is_another_request(
    client: Client, shop: Shop, other: dict[str, Any]
) -> None:
    await post(client)
    assert (await post(client, **other))[0] == 201
    assert shop.done == 2


async def test_the_key_with_another_body_is_refused(client: Client, shop: Shop) -> None:
    await post(client, body='{"amount": 1}')
    status, body, _ = await post(client, body='{"amount": 2}')
    assert (status, body["error"]["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")
    assert shop.done == 1


async def test_only_post_looks_at_the_header(client: Client, shop: Shop) -> None:
    for _ in range(2):
        await client.put("/things", headers={"Idempotency-Key": "k-1"})
    assert shop.done == 2


@pytest.mark.parametrize("key", ["", " ", "a b", "x" * 256, "é"])
async def test_a_key_that_is_none_is_refused(client: Client, shop: Shop, key: str) -> None:
    assert (await post(client, key))[0] == 400
    assert shop.done == 0


async def test_twenty_at_once_are_done_once(client: Client, shop: Shop) -> None:
    answers = await asyncio.gather(*(post(client) for _ in range(20)))
    assert {status for status, *_ in answers} == {201}
    assert {body["number"] for _, body, _ in answers} == {1}
    assert shop.done == 1


@pytest.mark.parametrize("wait_seconds", [0.3])
async def test_a_repeat_does_not_wait_longer_than_it_should(client: Client, shop: Shop) -> None:
    shop.gate.clear()
    first = asyncio.create_task(post(client))
    await eventually(lambda: shop.begun == 1)
    status, body, answer = await post(client)
    assert (status, body["error"]["code"]) == (409, "CONFLICT")
    assert answer.headers["Retry-After"] == "1"
    shop.gate.set()
    assert (await first)[0] == 201
    assert (await post(client))[1] == {"number": 1}


async def test_a_refusal_is_kept_and_a_failure_is_not(client: Client, shop: Shop) -> None:
    shop.failures = [AppError(Code.CONFLICT, "taken")]
    first, second = await post(client), await post(client)
    assert (first[0], second[0], shop.done) == (409, 409, 1)
    assert first[1] == second[1]
    shop.failures = [AppError(Code.SERVICE_UNAVAILABLE, "later"), ValueError("bug")]
    assert [(await post(client, "k-2"))[0] for _ in range(4)] == [503, 500, 201, 201]
    assert shop.done == 4


@pytest.mark.parametrize(
    "passing",
    [
        AppError(Code.RATE_LIMIT_EXCEEDED, "too fast", headers={"Retry-After": "1"}),
        AppError(Code.RATE_LIMIT_EXCEEDED, "too fast"),
        AppError(Code.CONFLICT, "in a moment", headers={"Retry-After": "1"}),
        SerializationFailureError(),
        AppError(Code.FORBIDDEN, "verify your e-mail first"),
        AppError(Code.UNAUTHORIZED, "sign in"),
    ],
    ids=repr,
)
async def test_a_refusal_that_passes_is_not_kept(client: Client, shop: Shop, passing) -> None:
    shop.failures = [passing]
    assert (await post(client))[0] >= 400
    assert (await post(client))[0] == 201


async def test_work_that_was_committed_is_not_repeated_although_its_answer_is_lost(
    client: Client, shop: Shop, db: PostgresDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def die(*_: object) -> None:
        raise DatabaseUnavailableError

    shop.db = db
    with monkeypatch.context() as patched:
        patched.setattr(IdempotencyKeys, "finish", die)
        assert (await post(client))[0] == 201
        assert (await post(client, path="/resumable"))[0] == 201
    await db.execute("UPDATE idempotency_key SET leased_until = now()")
    status, body, _ = await post(client)
    assert (status, body["error"]["code"], shop.done) == (409, "CONFLICT", 2)
    assert "was executed" in body["error"]["message"]
    assert (await post(client, path="/resumable"))[0] == 201
    assert shop.done == 3


async def test_what_keeps_its_keys_itself_is_finished_without_its_client_and_not_kept(
    client: Client, shop: Shop, db: PostgresDatabase
) -> None:
    shop.gate.clear()
    leaving = asyncio.create_task(post(client, path="/own"))
    await eventually(lambda: shop.begun == 1)
    leaving.cancel()
    ending = asyncio.create_task(shop.idempotency.finish())
    shop.gate.set()
    await ending
    assert shop.done == 1
    assert (await post(client, path="/own"))[0] == 201
    assert (shop.done, await db.fetchval("SELECT count(*) FROM idempotency_key")) == (2, 0)


async def test_work_that_was_rolled_back_is_done_again(
    client: Client, shop: Shop, db: PostgresDatabase
) -> None:
    keys = IdempotencyKeys(db, IdempotencyPolicy(lease_seconds=0.0))
    lease = await keys.begin(SCOPE, PRINT)
    assert isinstance(lease, Lease)

    async def work() -> None:
        async with db.transaction() as tx:
            await keys.mark_done(lease, tx)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await work()
    assert isinstance(await keys.begin(SCOPE, PRINT), Lease)


async def test_the_end_waits_for_work_whose_client_has_left(client: Client, shop: Shop) -> None:
    shop.gate.clear()
    first = asyncio.create_task(post(client))
    await eventually(lambda: shop.begun == 1)
    first.cancel()
    ending = asyncio.create_task(shop.idempotency.finish())
    await asyncio.sleep(0)
    assert not ending.done()
    shop.gate.set()
    await ending
    assert shop.done == 1


async def test_work_goes_on_although_its_client_left(client: Client, shop: Shop) -> None:
    shop.gate.clear()
    first = asyncio.create_task(post(client))
    await eventually(lambda: shop.begun == 1)
    first.cancel()
    await eventually(lambda: shop.answered("POST", 499) == 1)
    shop.gate.set()
    assert (await post(client))[1] == {"number": 1}
    assert (shop.begun, shop.done) == (1, 1)


async def test_a_lease_whose_owner_died_ends(db: PostgresDatabase) -> None:
    keys = IdempotencyKeys(db, IdempotencyPolicy(lease_seconds=0.1, wait_seconds=DEADLINE))
    died = await keys.begin(SCOPE, PRINT)
    heir = await keys.begin(SCOPE, PRINT)
    assert isinstance(died, Lease)
    assert isinstance(heir, Lease)
    await keys.finish(heir, Answer(201, (), b"heir"))
    await keys.finish(died, Answer(201, (), b"died"))  # too late: it changes nothing
    assert await keys.begin(SCOPE, PRINT) == Answer(201, (), b"heir")


async def test_a_dead_lease_is_not_for_another_request(db: PostgresDatabase) -> None:
    keys = IdempotencyKeys(db, IdempotencyPolicy(lease_seconds=0.0))
    await keys.begin(SCOPE, PRINT)
    with pytest.raises(AppError) as refused:
        await keys.begin(SCOPE, fingerprint(b"other"))
    assert refused.value.code is Code.IDEMPOTENCY_KEY_REUSED


async def test_old_answers_are_forgotten(db: PostgresDatabase) -> None:
    keys = IdempotencyKeys(db, IdempotencyPolicy(keep_seconds=0.0))
    lease = await keys.begin(SCOPE, PRINT)
    assert isinstance(lease, Lease)
    await keys.finish(lease, Answer(200, (), b""))
    assert isinstance(await keys.begin(SCOPE, fingerprint(b"other")), Lease)
    assert await keys.forget_old() == 1


async def test_arrears_of_answers_are_forgotten_by_short_statements(
    db: PostgresDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lib.idempotency._AT_ONCE", 2)
    keys = IdempotencyKeys(db, IdempotencyPolicy(keep_seconds=0.0))
    for number in range(5):
        await keys.begin(Scope("user-1", "/things", f"key-{number}"), PRINT)
    assert await store.forget_answers(db, at_most=1) == 1
    assert await keys.forget_old() == 4
    assert await keys.forget_old() == 0


async def test_a_key_that_is_claimed_while_it_is_forgotten_stays(db: PostgresDatabase) -> None:
    await IdempotencyKeys(db, IdempotencyPolicy(keep_seconds=0.0)).begin(SCOPE, PRINT)
    async with asyncio.TaskGroup() as group, db.transaction() as held:
        lease = await IdempotencyKeys(held).begin(SCOPE, PRINT)
        forgetting = group.create_task(store.forget_answers(db, at_most=1))

        async def waits() -> bool:
            return await db.fetchval(_WAITING) == 1

        await eventually(waits)
    assert isinstance(lease, Lease)
    assert forgetting.result() == 0


@given(st.lists(st.binary(max_size=4), max_size=4), st.lists(st.binary(max_size=4), max_size=4))
def test_fingerprints_differ_where_the_parts_do(one: list[bytes], other: list[bytes]) -> None:
    assert (fingerprint(*one) == fingerprint(*other)) is (one == other)
