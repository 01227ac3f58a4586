"""Invalid second factors of an attacker who has read how they are verified."""

from __future__ import annotations

import json
import time
from typing import Any

import cbor2
import pytest

from tests.services.user.software_key import ORIGIN, SoftwareKey, encode
from tests.services.user.test_second_factor import enrol, next_code, show
from tests.services.user.world import World, bearer


def said(challenge: str, **changed: Any) -> bytes:
    whole = {"type": "webauthn.create", "challenge": challenge, "origin": ORIGIN}
    return json.dumps(whole | changed).encode()


# Lists in lists, lengths beyond memory, what parsers of the format have stumbled over.
MADE = {
    "deep": b"\x81" * 100_000,
    "deep maps": b"\xa1\x00" * 100_000,
    "bytes without end": b"\x5b\x7f\xff\xff\xff\xff\xff\xff\xff",
    "a list without end": b"\x9b\x00\x00\x00\x00\x7f\xff\xff\xff",
    "a map without end": b"\xbb\x00\x00\x00\x00\x7f\xff\xff\xff",
    "an exponent": b"\xc4\x82\x1b\x7f\xff\xff\xff\xff\xff\xff\xff\x01",
    "no date": b"\xc1\xfb\x7f\xf0\x00\x00\x00\x00\x00\x00",
    "itself": b"\xd8\x1c\x81\xd8\x1d\x00",
    "an expression": b"\xd8\x23\x6b(a+)+$aaaaaa",
    "a number": b"\x01",
    "no data": cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": b""}),
    "too short a key": cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": b"\x41" * 60}),
}
SAID = {
    "deep": b"[" * 100_000,
    "no text": b"\xff\xfe",
    "a number": b"1",
    "a challenge of another kind": b'{"type":"webauthn.create","challenge":{},"origin":1}',
}


async def test_no_passkey_that_a_parser_stumbles_over_is_a_failure(world: World) -> None:
    """Each of the sixteen is refused within the time of a request, and the service continues."""
    session = await world.proved()
    key = SoftwareKey()
    for what in (*MADE, *SAID):
        options = await world.post("passkeys/options", headers=bearer(session))
        assert options.status == 200, options.body
        credential = key.create(options.data)
        if what in MADE:
            client = said(options.data["challenge"])
            credential["response"] = {
                "clientDataJSON": encode(client), "attestationObject": encode(MADE[what])
            }  # fmt: skip
        else:
            credential["response"]["clientDataJSON"] = encode(SAID[what])
        given = {"name": "mine", "credential": credential}
        began = time.process_time()
        answer = await world.post("passkeys", given, headers=bearer(session))
        assert (answer.status, answer.code) == (400, "VALIDATION_ERROR"), what
        assert time.process_time() - began < 10, what


@pytest.mark.parametrize("field", ["id", "rawId", "type", "response"])
async def test_a_passkey_of_other_types_than_a_browser_sends_is_refused(
    world: World, field: str
) -> None:
    session = await world.proved()
    for value in (None, 1, [], {}, "", "ä", "\ud7ff", "A" * 100_000, [[]] * 1000):
        options = await world.post("passkeys/options", headers=bearer(session))
        credential = SoftwareKey().create(options.data) | {field: value}
        given = {"name": "mine", "credential": credential}
        answer = await world.post("passkeys", given, headers=bearer(session))
        assert answer.status == 400, (field, value)


async def test_nobody_shows_a_factor_of_somebody_else(world: World) -> None:
    """Mallory has a factor of their own, and knows Ann's passkey and codes."""
    ann = await world.proved()
    totp, recovery = await enrol(world, ann)
    mallory = await world.proved("mallory@example.com")
    await enrol(world, mallory)
    key = SoftwareKey()
    options = await world.post("passkeys/options", headers=bearer(ann))
    added = {"name": "Ann's", "credential": key.create(options.data)}
    assert (await world.post("passkeys", added, headers=bearer(ann))).status == 201
    thief = (await world.login("mallory@example.com")).data
    assert thief["second_factor_wanted"]
    # Ann's challenge, answered in Mallory's session; and Mallory's own, of which there is none.
    asked = await world.post("passkeys/challenge", headers=bearer(ann))
    assert (await world.post("passkeys/challenge", headers=bearer(thief))).status == 404
    tried = [
        {"code": next_code(totp)},
        {"recovery_code": recovery[0]},
        {"passkey": key.get(asked.data)},
    ]
    statuses = [await show(world, thief, **one) for one in tried]
    assert set(statuses) <= {400, 401}, statuses
    # Nor is what Ann has used up by that.
    assert await show(world, ann, recovery_code=recovery[0]) == 204


async def test_a_signature_for_adding_is_none_for_showing(world: World) -> None:
    ann = await world.proved()
    key = SoftwareKey()
    options = await world.post("passkeys/options", headers=bearer(ann))
    added = {"name": "mine", "credential": key.create(options.data)}
    assert (await world.post("passkeys", added, headers=bearer(ann))).status == 201
    thief = (await world.login()).data
    # What was asked to add a key, in a session that may; the same as an answer elsewhere.
    again = await world.post("passkeys/options", headers=bearer(ann))
    assert await show(world, thief, passkey=key.get(again.data)) == 400
    assert await show(world, ann, passkey=key.get(again.data)) == 400


@pytest.mark.parametrize(
    "code", ["１２３４５６", "12345６", " 123456", "123456\n", "+12345", "0x1234"]
)
async def test_a_code_is_six_digits_and_nothing_that_looks_like_them(
    world: World, code: str
) -> None:
    """A comparison of bytes would have failed with digits of other scripts."""
    ann = await world.proved()
    await enrol(world, ann)
    assert await show(world, (await world.login()).data, code=code) == 400
