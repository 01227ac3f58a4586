"""What is kept between compilations is the answer to the very same question, and to no other."""

from __future__ import annotations

import pytest
from aiosqlc.incremental import memo as module
from aiosqlc.incremental.memo import kept


def test_the_same_object_is_asked_about_once_and_an_equal_one_again() -> None:
    asked: list[object] = []

    @kept
    def length(of: list[int]) -> int:
        asked.append(of)
        return len(of)

    first, equal = [1, 2], [1, 2]
    assert [length(first), length(first), length(equal)] == [2, 2, 2]
    assert asked == [first, equal]


def test_strings_are_compared_by_what_they_say() -> None:
    asked = 0

    @kept
    def count(_: str) -> int:
        nonlocal asked
        asked += 1
        return asked

    half = "a" * 400
    assert count(half + "b") == count(half + "b") == 1
    assert count("c") == 2


def test_what_nobody_asks_for_is_forgotten_and_never_mistaken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_MOST", 3)

    @kept
    def first(of: list[int]) -> int:
        return of[0]

    assert [first([number]) for number in range(50)] == list(range(50))
