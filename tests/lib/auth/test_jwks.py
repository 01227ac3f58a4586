"""The key cache and service tokens: fetched on demand, bounded, and shared by waiting callers."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from devstack.testing.clock import Clock
from devstack.testing.wait import eventually
from lib.auth import SigningKey, jwks_document
from lib.auth.jwks import JwksCache, JwksPolicy
from lib.auth.keys import KeyFormatError, parse_jwks
from lib.auth.service_tokens import RenewalPolicy, ServiceTokens
from lib.auth.tokens import Issued
from lib.errors import AppError, Code

OLD, NEW = SigningKey.generate(), SigningKey.generate()


class Publisher:
    """The issuer's document; `document = None` is an unavailable issuer."""

    def __init__(self, *keys: SigningKey) -> None:
        self.document: bytes | None = jwks_document(keys)
        self.fetched = 0

    async def __call__(self) -> bytes:
        self.fetched += 1
        await asyncio.sleep(0)
        if self.document is None:
            raise ConnectionRefusedError
        return self.document


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_many_who_need_a_key_share_one_fetch() -> None:
    publisher = Publisher(OLD)
    cache = JwksCache(publisher, clock=Clock(1000.0))
    keys = await asyncio.gather(*(cache.key(OLD.kid) for _ in range(50)))
    assert all(key is not None for key in keys)
    assert publisher.fetched == 1


async def test_a_new_key_is_found_by_its_name_without_waiting_for_age() -> None:
    publisher, clock = Publisher(OLD), Clock(1000.0)
    cache = JwksCache(publisher, clock=clock)
    await cache.key(OLD.kid)
    publisher.document = jwks_document([NEW, OLD])
    clock.now += 2.0
    assert await cache.key(NEW.kid) is not None
    assert await cache.key(OLD.kid) is not None


async def test_a_withdrawn_key_is_gone_after_the_next_fetch() -> None:
    publisher, clock = Publisher(OLD), Clock(1000.0)
    cache = JwksCache(publisher, clock=clock)
    await cache.key(OLD.kid)
    publisher.document = jwks_document([NEW])
    clock.now += 301.0
    assert await cache.key(OLD.kid) is not None  # this one starts the fetch, it does not wait
    await settle()
    assert await cache.key(OLD.kid) is None


async def test_invented_names_cannot_be_turned_into_load() -> None:
    publisher, clock = Publisher(OLD), Clock(1000.0)
    cache = JwksCache(publisher, clock=clock)
    for number in range(1000):
        assert await cache.key(f"invented-{number}") is None
        clock.now += 0.01  # ten seconds in all
    assert publisher.fetched <= 6


async def test_while_the_issuer_is_away_old_keys_serve_for_an_hour_then_nobody_gets_in() -> None:
    publisher, clock = Publisher(OLD), Clock(1000.0)
    cache = JwksCache(publisher, clock=clock)
    await cache.key(OLD.kid)
    publisher.document = None
    clock.now += 3600.0
    assert await cache.key(OLD.kid) is not None
    await settle()
    clock.now += 3.0
    with pytest.raises(AppError) as refused:
        await cache.key(OLD.kid)
    assert refused.value.code is Code.SERVICE_UNAVAILABLE
    publisher.document = jwks_document([OLD])
    clock.now += 3.0
    assert await cache.key(OLD.kid) is not None


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"[]",
        b"null",
        b'{"keys":[]}',
        b'{"keys":[{"kty":"RSA","kid":"a"}]}',
        b"\xff",
        b'{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"a","x":"AA"}]}',
        b'{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"a","x":"\xc3\xa9"}]}',
        b" " * 70000,
        pytest.param(jwks_document([SigningKey.generate() for _ in range(17)]), id="too many keys"),
    ],
    ids=lambda document: repr(document[:40]),
)
async def test_a_document_that_is_no_key_set_changes_nothing(document: bytes) -> None:
    with pytest.raises(KeyFormatError):
        parse_jwks(document)
    publisher, clock = Publisher(OLD), Clock(1000.0)
    cache = JwksCache(publisher, clock=clock)
    await cache.key(OLD.kid)
    publisher.document = document
    clock.now += 10.0
    assert await cache.key("other") is None
    assert await cache.key(OLD.kid) is not None


async def test_a_caller_that_leaves_does_not_take_the_keys_from_the_others() -> None:
    cache = JwksCache(Publisher(OLD), JwksPolicy(), clock=Clock(1000.0))
    leaver = asyncio.create_task(cache.key(OLD.kid))
    stayer = asyncio.create_task(cache.key(OLD.kid))
    await asyncio.sleep(0)
    leaver.cancel()
    assert await stayer is not None


class Minter:
    def __init__(self, clock: list[datetime], lifetime: timedelta) -> None:
        self.clock, self.lifetime, self.made, self.broken = clock, lifetime, 0, False
        self.asked = 0

    async def __call__(self) -> Issued:
        self.asked += 1
        await asyncio.sleep(0)
        if self.broken:
            raise ConnectionRefusedError
        self.made += 1
        return Issued(f"token-{self.made}", str(self.made), self.clock[0] + self.lifetime)


async def test_a_service_token_is_used_until_shortly_before_its_end() -> None:
    clock = [datetime(2030, 1, 1, tzinfo=UTC)]
    minter = Minter(clock, timedelta(minutes=15))
    tokens = ServiceTokens(minter, clock=lambda: clock[0])
    assert set(await asyncio.gather(*(tokens.token() for _ in range(20)))) == {"token-1"}
    clock[0] += timedelta(minutes=9, seconds=59)
    assert await tokens.headers() == {"Authorization": "Bearer token-1"}
    clock[0] += timedelta(seconds=1)
    # The present one is good for a while yet: nobody waits for the next, which is asked for once.
    assert set(await asyncio.gather(*(tokens.token() for _ in range(20)))) == {"token-1"}
    await eventually(lambda: minter.made == 2)
    assert await tokens.token() == "token-2"


async def test_a_failed_renewal_matters_only_when_the_token_is_over() -> None:
    clock = [datetime(2030, 1, 1, tzinfo=UTC)]
    minter = Minter(clock, timedelta(minutes=15))
    tokens = ServiceTokens(minter, clock=lambda: clock[0])
    await tokens.token()
    minter.broken = True
    clock[0] += timedelta(minutes=12)
    assert {await tokens.token() for _ in range(20)} == {"token-1"}
    await eventually(lambda: minter.asked == 2)
    # Not with every call: the issuer is left alone for a moment.
    for _ in range(20):
        assert await tokens.token() == "token-1"
        await asyncio.sleep(0)
    assert minter.asked == 2
    clock[0] += timedelta(minutes=3)
    with pytest.raises(ConnectionRefusedError):
        await tokens.token()


async def test_those_who_wait_for_a_first_token_share_what_comes_of_it() -> None:
    clock = [datetime(2030, 1, 1, tzinfo=UTC)]
    minter = Minter(clock, timedelta(minutes=15))
    minter.broken = True
    tokens = ServiceTokens(minter, clock=lambda: clock[0])
    calls = [asyncio.create_task(tokens.token()) for _ in range(20)]
    await asyncio.sleep(0)
    calls[0].cancel()  # whoever came first leaves
    answers = await asyncio.gather(*calls, return_exceptions=True)
    assert {type(answer) for answer in answers[1:]} == {ConnectionRefusedError}
    assert minter.asked == 1
    minter.broken = False
    assert await tokens.token() == "token-1"


async def test_tokens_that_run_are_there_before_anybody_asks_and_come_back_by_themselves() -> None:
    clock = [datetime(2030, 1, 1, tzinfo=UTC)]
    minter = Minter(clock, timedelta(minutes=15))
    minter.broken = True
    often = RenewalPolicy(after_failure=timedelta(seconds=0.01))
    tokens = ServiceTokens(minter, often, clock=lambda: clock[0])

    async def is_good() -> bool:
        try:
            await tokens.ping()
        except AppError:
            return False
        return True

    async with tokens.running():
        await eventually(lambda: minter.asked > 2)
        with pytest.raises(AppError) as refused:
            await tokens.ping()
        assert refused.value.code is Code.SERVICE_UNAVAILABLE
        minter.broken = False
        await eventually(is_good)
        assert (minter.made, await tokens.token()) == (1, "token-1")
        clock[0] += timedelta(minutes=10)
        await eventually(lambda: minter.made == 2)
        minter.broken = True
        clock[0] += timedelta(minutes=15)
        assert not await is_good()
    assert "service-tokens" not in {task.get_name() for task in asyncio.all_tasks()}


async def test_a_refused_token_is_given_up_unless_it_is_new() -> None:
    clock = [datetime(2030, 1, 1, tzinfo=UTC)]
    minter = Minter(clock, timedelta(minutes=15))
    tokens = ServiceTokens(minter, clock=lambda: clock[0])
    first = await tokens.token()
    tokens.refused(first)
    assert await tokens.token() == first
    clock[0] += timedelta(seconds=11)
    tokens.refused("another one")
    assert await tokens.token() == first
    tokens.refused(first)
    assert await tokens.token() == "token-2"


async def test_a_short_token_is_not_renewed_at_each_call() -> None:
    clock = [datetime(2030, 1, 1, tzinfo=UTC)]
    minter = Minter(clock, timedelta(minutes=2))
    tokens = ServiceTokens(minter, clock=lambda: clock[0])
    for _ in range(6):
        await tokens.token()
        clock[0] += timedelta(seconds=10)
    assert minter.made == 1
