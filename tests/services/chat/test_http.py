"""Channels and history over HTTP: for the two members, newest first, page by page."""

from __future__ import annotations

import pytest

from lib.auth import Role
from services.chat.store.models import ChannelKind
from tests.services.chat.talking import CUSTOMER, ORDER, PROVIDER, STRANGER, open_between

NOWHERE = "01890000-0000-7000-8000-00000000dead"
JOB = "01890000-0000-7000-8000-0000000000e1"


@pytest.fixture
def say(call, channel):
    async def send(user: str, text: str, where: str = channel, client_id: str = ""):
        body = {"client_id": client_id or text.replace(" ", "-"), "text": text}
        return await call(user, "POST", f"channels/{where}/messages", json=body)

    return send


async def test_a_message_sent_over_http_arrives_on_sockets(two, say, channel) -> None:
    status, body = await say(CUSTOMER, "hello")
    assert status == 201
    delivered = await two[1].expect("message")
    assert delivered["message_id"] == body["data"]["id"]
    assert (body["data"]["channel_id"], body["data"]["sequence"]) == (channel, 1)
    again, same = await say(CUSTOMER, "hello")
    assert (again, same["data"]) == (200, body["data"])
    status, body = await say(CUSTOMER, "other", client_id="hello")
    assert (status, body["error"]["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")
    await say(CUSTOMER, "next")
    assert (await two[1].expect("message", 2))["sequence"] == 2


async def test_history_is_read_from_the_newest_back(call, say, channel) -> None:
    for number in range(7):
        assert (await say(CUSTOMER, f"text {number}"))[0] == 201
    seen, before = [], ""
    for expected in (3, 3, 1):
        _, body = await call(
            PROVIDER, "GET", f"channels/{channel}/messages?limit=3{before and f'&before={before}'}"
        )
        assert len(body["data"]["messages"]) == expected
        seen += [message["text"] for message in body["data"]["messages"]]
        before = body["data"]["next_before"]
    assert before is None
    assert seen == [f"text {number}" for number in reversed(range(7))]


async def test_a_list_of_channels_says_what_is_new_in_each(call, say, channel, db) -> None:
    job = await open_between(db, JOB, kind=ChannelKind.JOB)
    quiet = await open_between(db, NOWHERE)
    await say(PROVIDER, "when?", channel)
    await say(PROVIDER, "hello?", channel)
    await say(CUSTOMER, "on Monday", channel)
    await say(PROVIDER, "done", job)
    status, body = await call(CUSTOMER, "GET", "channels")
    assert status == 200
    assert [one["id"] for one in body["data"]] == [job, channel, quiet]
    assert [one["unread"] for one in body["data"]] == [1, 2, 0]
    newest, talked, silent = body["data"]
    assert newest["kind"] == "job"
    assert newest["subject_id"] == JOB
    assert talked["last_message"]["text"] == "on Monday"
    assert talked["last_sequence"] == 3
    assert silent["last_message"] is None
    assert body["meta"]["total_count"] == 3
    _, others = await call(PROVIDER, "GET", "channels?page_size=1&page=2")
    assert [one["id"] for one in others["data"]] == [channel]
    assert others["data"][0]["unread"] == 1
    assert others["meta"] == {"page": 2, "page_size": 1, "total_count": 3, "total_pages": 3}
    for query, found in ((f"subject_id={JOB}", [job]), ("kind=order", [channel, quiet])):
        _, body = await call(CUSTOMER, "GET", f"channels?{query}")
        assert [one["id"] for one in body["data"]] == found
    assert (await call(STRANGER, "GET", "channels"))[1]["data"] == []


async def test_a_mark_says_how_far_each_has_read(call, say, channel) -> None:
    ids = [(await say(CUSTOMER, f"text {number}"))[1]["data"]["id"] for number in range(3)]
    for message, sequence in ((ids[1], 2), (ids[0], 1)):
        status, body = await call(
            PROVIDER, "PUT", f"channels/{channel}/read", json={"message_id": message}
        )
        assert (status, body["data"]["sequence"]) == (200, sequence)
    _, mine = await call(PROVIDER, "GET", f"channels/{channel}")
    assert (mine["data"]["read_sequence"], mine["data"]["unread"]) == (2, 1)
    _, theirs = await call(CUSTOMER, "GET", f"channels/{channel}")
    assert theirs["data"]["other_read_sequence"] == 2
    assert theirs["data"]["unread"] == 0


def routes(channel: str) -> list[tuple[str, str, dict]]:
    read = {"message_id": NOWHERE}
    sent = {"client_id": "c-1", "text": "hello"}
    return [
        ("GET", f"channels/{channel}", {}),
        ("GET", f"channels/{channel}/messages", {}),
        ("POST", f"channels/{channel}/messages", {"json": sent}),
        ("PUT", f"channels/{channel}/read", {"json": read}),
    ]


@pytest.mark.parametrize("number", range(4))
async def test_a_channel_of_others_is_answered_like_none(call, channel, number) -> None:
    answers = []
    for where in (channel, NOWHERE):
        method, path, options = routes(where)[number]
        status, body = await call(STRANGER, method, path, **options)
        answers.append((status, body["error"]["code"], body["error"]["message"]))
    assert answers == [(404, "NOT_FOUND", "channel not found")] * 2


async def test_without_a_token_nothing_is_answered(client, channel, subtests) -> None:
    for number in range(4):
        with subtests.test(number=number):
            method, path, options = routes(channel)[number]
            async with client.request(method, f"/api/v1/{path}", **options) as answer:
                assert answer.status == 401


async def test_what_is_wrong_is_named(call, channel, subtests) -> None:
    for method, path, body, field in [
        ("GET", "channels/x", None, "id"),
        ("GET", "channels?kind=private", None, "kind"),
        ("GET", "channels?subject_id=1", None, "subject_id"),
        ("GET", "channels/{c}/messages?limit=0", None, "limit"),
        ("GET", "channels/{c}/messages?limit=101", None, "limit"),
        ("GET", "channels/{c}/messages?before=x", None, "before"),
        ("GET", "channels/{c}/messages?before=" + NOWHERE, None, "before"),
        ("POST", "channels/{c}/messages", {"client_id": "a", "text": ""}, "text"),
        ("POST", "channels/{c}/messages", {"client_id": "a", "text": "\n \t"}, "text"),
        ("POST", "channels/{c}/messages", {"client_id": "a", "text": "x" * 4001}, "text"),
        ("POST", "channels/{c}/messages", {"client_id": "a" * 65, "text": "x"}, "client_id"),
        ("POST", "channels/{c}/messages", {"client_id": "ä", "text": "x"}, "client_id"),
        ("POST", "channels/{c}/messages", {"text": "x"}, "client_id"),
        ("POST", "channels/{c}/messages", {"client_id": "a", "text": "x", "to": "y"}, "to"),
        ("PUT", "channels/{c}/read", {"message_id": NOWHERE}, "message_id"),
        ("PUT", "channels/{c}/read", {}, "message_id"),
    ]:
        with subtests.test(method=method):
            options = {} if body is None else {"json": body}
            status, answer = await call(CUSTOMER, method, path.format(c=channel), **options)
            assert (status, answer["error"]["code"]) == (400, "VALIDATION_ERROR"), answer
            assert [one["field"] for one in answer["error"]["details"]] == [field]


@pytest.mark.parametrize("role", [Role.MODERATOR, Role.ADMIN])
async def test_who_moderates_reads_and_no_more(call, say, channel, role) -> None:
    await say(CUSTOMER, "hello")
    status, body = await call(STRANGER, "GET", f"channels/{channel}/messages", role=role)
    assert (status, len(body["data"]["messages"])) == (200, 1)
    assert (await call(STRANGER, "GET", f"channels/{NOWHERE}/messages", role=role))[0] == 404
    for method, path, options in routes(channel):
        if not path.endswith("messages") or method != "GET":
            assert (await call(STRANGER, method, path, role=role, **options))[0] == 404


async def test_only_verified_people_write(client, issuer, channel, call) -> None:
    headers = issuer.authorized(subject=CUSTOMER, role=Role.CUSTOMER, verified=False)
    for method, path, options in routes(channel)[2:]:
        async with client.request(method, f"/api/v1/{path}", headers=headers, **options) as answer:
            assert answer.status == 403
    assert (await call("order", "GET", "channels", role=Role.SERVICE))[0] == 403
    assert (await call(CUSTOMER, "GET", f"channels/{ORDER}"))[0] == 404
