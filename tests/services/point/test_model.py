"""Ids are ids, and lists have an end."""

from __future__ import annotations

from uuid import UUID

import pytest

from lib.errors import AppError, Code
from services.point import model

ALICE = "01890000-0000-7000-8000-000000000001"


@pytest.mark.parametrize("text", [ALICE, ALICE.upper(), ALICE.replace("-", "")])
def test_a_uuid_may_be_spelled_as_people_spell_them(text: str) -> None:
    assert model.user_id(text) == UUID(ALICE)
    assert model.user_ids([text]) == {text: UUID(ALICE)}


@pytest.mark.parametrize("text", ["", " ", "x", ALICE + "0", ALICE[:-1], "٠" * 36])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(AppError) as raised:
        model.user_id(text)
    assert raised.value.code is Code.VALIDATION_ERROR


def test_a_list_has_at_most_a_thousand_ids() -> None:
    assert len(model.user_ids([ALICE] * 1_000)) == 1
    with pytest.raises(AppError) as raised:
        model.user_ids([ALICE] * 1_001)
    assert [d.message for d in raised.value.details] == ["has 1001 ids; 1000 are the most"]


def test_no_entry_seen_means_from_the_beginning() -> None:
    assert model.after_id("") < model.user_id("00000000-0000-0000-0000-000000000001")
