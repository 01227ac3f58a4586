"""Channels end with their job or order, members block them, and ended accounts are disconnected."""

from __future__ import annotations

from datetime import timedelta

import pytest

from devstack.testing.wait import eventually
from lib.clock import utc_now
from lib.events.event import Event
from lib.ids import new_id
from services.chat.app import PRODUCERS
from services.chat.keys import CHAT
from services.chat.model.closing import Close
from services.chat.service.events import HANDLERS
from tests.services.chat.talking import CUSTOMER, ORDER, PROVIDER, STRANGER
from tests.services.chat.test_events import JOB, event, job_created, offer_made, tell

__all__ = ["tell"]

ENDS = {
    "a completed job": event("jobs", "job.completed", JOB, {"job_id": JOB, "order_id": ORDER}),
    "a cancelled job": event("jobs", "job.cancelled", JOB, {"job_id": JOB, "order_id": ORDER}),
    "a cancelled order": event(
        "service-orders", "service_order.cancelled", ORDER, {"order_id": ORDER}
    ),
    "an expired order": event(
        "service-orders", "service_order.expired", ORDER, {"order_id": ORDER}
    ),
}
LAPTOP, PHONE = (f"01890000-0000-7000-8000-0000000005e{n}" for n in (1, 2))
# Which channels each of them ends.
ENDED = {
    "a completed job": {"job", "order"},
    "a cancelled job": {"job"},
    "a cancelled order": {"order"},
    "an expired order": {"order"},
}


def user(kind: str, who: str, *, at: timedelta = timedelta()) -> Event:
    raw = event("users", kind, who, {"id": who})
    return Event(raw.id, raw.topic, raw.key, raw.kind, raw.payload, "r-1", "", utc_now() + at)


async def say(call, who: str, channel: str, client_id: str) -> tuple[int, str]:
    body = {"client_id": client_id, "text": "hello"}
    status, answer = await call(who, "POST", f"channels/{channel}/messages", json=body)
    return status, answer["error"]["message"] if status >= 400 else ""


@pytest.fixture
async def channels(tell, call) -> dict[str, str]:
    """Return the channels of an order and of its job, by kind."""
    await tell(offer_made(), job_created())
    found: dict[str, str] = {}

    async def opened() -> bool:
        _, body = await call(CUSTOMER, "GET", "channels")
        found.update({one["kind"]: one["id"] for one in body["data"]})
        return len(found) == 2

    await eventually(opened)
    return found


async def ended(call, channel: str) -> bool:
    _, body = await call(CUSTOMER, "GET", f"channels/{channel}")
    return body["data"]["ended_at"] is not None


@pytest.mark.parametrize("what", ENDS)
async def test_a_channel_is_read_only_some_days_after_its_end(
    tell, channels, call, db, what
) -> None:
    await tell(ENDS[what])
    await eventually(lambda: ended(call, channels[min(ENDED[what])]))
    for kind, channel in channels.items():
        assert await ended(call, channel) is (kind in ENDED[what])
        # Both still have something to settle for some days.
        assert await say(call, CUSTOMER, channel, "early") == (201, "")
        earlier = "UPDATE channel SET ended_at = ended_at - '14 days'::interval WHERE id = $1"
        await db.execute(earlier, channel)
        status, message = await say(call, PROVIDER, channel, "late")
        if kind in ENDED[what]:
            assert (status, message) == (409, "the channel has ended and is read-only")
        else:
            assert status == 201
        # What was stored before is known all the same, and the history can be read.
        assert (await say(call, CUSTOMER, channel, "early"))[0] == 200
        assert (await call(PROVIDER, "GET", f"channels/{channel}/messages"))[0] == 200


async def test_a_blocked_channel_lets_neither_member_write(two, channel, call) -> None:
    customer, provider = two
    path = f"channels/{channel}/block"
    status, body = await call(CUSTOMER, "PUT", path)
    assert (status, body["data"]["blocked"], body["data"]["blocked_by_me"]) == (200, True, True)
    _, body = await call(PROVIDER, "GET", f"channels/{channel}")
    assert (body["data"]["blocked"], body["data"]["blocked_by_me"]) == (True, False)
    for who in (CUSTOMER, PROVIDER):
        refused = (403, "a member has blocked this channel")
        assert await say(call, who, channel, f"no-{who}") == refused
    for kind in ("typing", "presence"):
        await provider.tell(kind, channel_id=channel)
    await provider.send(channel, "over the socket")
    await provider.expect("error", 3)
    assert {error["code"] for error in provider.of("error")} == {"FORBIDDEN"}
    # Only who has blocked it can take that back.
    await call(PROVIDER, "DELETE", path)
    assert (await say(call, PROVIDER, channel, "still"))[0] == 403
    status, body = await call(CUSTOMER, "DELETE", path)
    assert (status, body["data"]["blocked"]) == (200, False)
    assert (await say(call, PROVIDER, channel, "again"))[0] == 201
    await customer.expect("message")
    assert customer.texts == ["hello"]
    assert customer.of("typing") == []


async def test_only_members_block_a_channel(channel, call) -> None:
    for method in ("PUT", "DELETE"):
        assert (await call(STRANGER, method, f"channels/{channel}/block"))[0] == 404


@pytest.mark.parametrize("kind", ["user.deactivated", "user.deleted", "user.erased"])
async def test_sockets_of_who_is_gone_are_closed_and_not_opened_again(
    tell, connect, two, channel, call, client, issuer, kind
) -> None:
    customer, provider = two
    await tell(user(kind, CUSTOMER))
    assert await customer.closed() == Close.GONE
    with pytest.raises(Exception, match="403"):
        await connect(CUSTOMER)
    assert await say(call, CUSTOMER, channel, "late") == (
        403, "the account is no longer active",
    )  # fmt: skip
    # The other member is untouched.
    await provider.send(channel, "are you there?")
    await provider.expect("ack")


async def test_an_account_that_is_active_again_connects_and_writes(
    tell, connect, channel, call
) -> None:
    await connect(CUSTOMER)
    await tell(user("user.deactivated", CUSTOMER))

    async def refused() -> bool:
        return (await say(call, CUSTOMER, channel, str(new_id())))[0] == 403

    await eventually(refused)
    await tell(user("user.activated", CUSTOMER, at=timedelta(seconds=1)))

    async def back() -> bool:
        return (await say(call, CUSTOMER, channel, str(new_id())))[0] == 201

    await eventually(back)
    await connect(CUSTOMER)


async def test_an_activation_that_comes_late_brings_nobody_back(tell, channel, call) -> None:
    await tell(
        user("user.deactivated", CUSTOMER),
        user("user.activated", CUSTOMER, at=-timedelta(minutes=1)),
        user("user.deactivated", PROVIDER),
    )

    async def both_done() -> bool:
        return (await say(call, PROVIDER, channel, str(new_id())))[0] == 403

    await eventually(both_done)
    assert (await say(call, CUSTOMER, channel, str(new_id())))[0] == 403


async def test_a_departure_that_was_not_told_is_found_in_the_database(connect, db, client) -> None:
    customer = await connect(CUSTOMER)
    await db.execute("INSERT INTO departed VALUES ($1, now())", CUSTOMER)
    await client.app[CHAT].fanout._departures.catch_up()
    assert await customer.closed() == Close.GONE


def sessions_ended(who: str, *sessions: str) -> Event:
    return event("users", "user.sessions_ended", who, {"id": who, "sessions": list(sessions)})


async def test_sockets_of_a_session_that_has_ended_are_closed_and_not_opened_again(
    tell, connect
) -> None:
    over, others, anybody = (
        await connect(CUSTOMER, session=LAPTOP),
        await connect(CUSTOMER, session=PHONE),
        await connect(PROVIDER, session=LAPTOP),
    )
    await tell(sessions_ended(CUSTOMER, LAPTOP))
    assert await over.closed() == Close.ENDED
    with pytest.raises(Exception, match="403"):
        await connect(CUSTOMER, session=LAPTOP)
    # Other sessions stay connected, and so do other users: their events name their own sessions.
    for still in (others, anybody):
        await still.tell("ping")
        await still.expect("pong")
    await connect(CUSTOMER, session=PHONE)


async def test_an_end_that_was_not_announced_is_found_in_the_database(connect, db, client) -> None:
    customer = await connect(CUSTOMER, session=LAPTOP)
    await db.execute("INSERT INTO ended_session VALUES ($1, now())", LAPTOP)
    await client.app[CHAT].fanout._departures.catch_up()
    assert await customer.closed() == Close.ENDED


def test_every_topic_that_is_handled_has_a_producer() -> None:
    assert HANDLERS.keys() == PRODUCERS.keys()
