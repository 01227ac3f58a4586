"""For every error of msgspec, the caller gets a message of this platform."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal

import msgspec
import pytest
from msgspec import Meta

from lib.errors import FieldError
from lib.resource.field_errors import collect
from lib.resource.messages import not_json, sentence


class Colour(Enum):
    """Two of several values."""

    RED = "red"
    BLUE = "blue"


@dataclass
class Point:
    """A class that is not a Struct, so msgspec checks its fields."""

    x: int


class Closed(msgspec.Struct, forbid_unknown_fields=True):
    """A Struct that refuses unknown fields, also inside values that are not checked alone."""

    x: int = 0


MOMENT = "must be a time such as 2026-01-31T12:00:00Z"
# What a field is declared as, what comes, what the caller reads.
CASES: list[tuple[Any, Any, str]] = [
    (int, "x", "must be a whole number"),
    (int, 1.5, "must be a whole number"),
    (float, "x", "must be a number"),
    (str, 5, "must be text"),
    (str, None, "must be text"),
    (bool, 1, "must be true or false"),
    (str | None, 5, "must be text or null"),
    (int | None, [], "must be a whole number or null"),
    (int | str, None, "must be a whole number or text"),
    (list[int], {}, "must be a list"),
    (dict[str, int], [], "must be an object"),
    (None, 1, "must be null"),
    (Point, 1, "must be an object"),
    (Annotated[str, Meta(min_length=1)], "", "must not be empty"),
    (Annotated[str, Meta(min_length=3)], "ab", "must have at least 3 characters"),
    (Annotated[str, Meta(max_length=3)], "abcd", "must have at most 3 characters"),
    (Annotated[list[int], Meta(min_length=1)], [], "must not be empty"),
    (Annotated[list[int], Meta(min_length=2)], [1], "must have at least 2 entries"),
    (Annotated[list[int], Meta(max_length=1)], [1, 2], "must have at most 1 entry"),
    (Annotated[dict[str, int], Meta(max_length=0)], {"a": 1}, "must have at most 0 members"),
    (Annotated[bytes, Meta(max_length=1)], "YWJj", "must have at most 1 byte"),
    (tuple[int, int], [1], "must have 2 entries"),
    (Annotated[int, Meta(ge=1)], 0, "must be at least 1"),
    (Annotated[int, Meta(le=-1)], 0, "must be at most -1"),
    (Annotated[int, Meta(gt=1)], 1, "must be at least 2"),
    (Annotated[int, Meta(lt=1)], 1, "must be at most 0"),
    (Annotated[float, Meta(ge=0.5)], 0.1, "must be at least 0.5"),
    (Annotated[float, Meta(gt=1)], 1.0, "must be more than 1"),
    (Annotated[float, Meta(lt=1e20)], 1e21, "must be less than 1e+20"),
    (Annotated[int, Meta(multiple_of=5)], 3, "must be a multiple of 5"),
    (Annotated[float, Meta(multiple_of=0.5)], 0.3, "must be a multiple of 0.5"),
    (Annotated[str, Meta(pattern="^a\n`$")], "b", "does not have the right format"),
    (
        Annotated[str, Meta(pattern="^a$", extra={"message": "must be an a"})],
        "b",
        "must be an a",
    ),
    (uuid.UUID, "x", "is not a UUID"),
    (datetime, "tomorrow", MOMENT),
    (datetime, "2026-13-01T00:00:00Z", MOMENT),
    (datetime, "0000-01-01T00:00:00Z", MOMENT),
    (datetime, True, MOMENT),
    (date, "x", "must be a date such as 2026-01-31"),
    (time, "x", "must be a time such as 12:00:00Z"),
    (timedelta, "x", "must be a duration such as PT1H30M"),
    (timedelta, "P999999999999D", "is out of range"),
    (Annotated[datetime, Meta(tz=True)], "2026-01-01T00:00:00", "must have a time zone"),
    (Annotated[datetime, Meta(tz=False)], "2026-01-01T00:00:00Z", "must not have a time zone"),
    (bytes, "?", "must be text in base64"),
    (Decimal, "x", "must be a decimal number"),
    (Decimal, [], "must be a decimal number"),
    (Colour, "green", "must be one of red, blue"),
    (Colour | None, "green", "must be one of red, blue"),
    (Literal["A", "B"], "`C`", "must be one of A, B"),
    (Literal[1, 2], 3, "must be one of 1, 2"),
    (Point, {}, "must have the field x"),
]


class TestOneValue:
    """A field of a body or of a query string."""

    @pytest.mark.parametrize(("kind", "given", "words"), CASES)
    def test_it_is_refused_in_our_words(self, kind: Any, given: Any, words: str) -> None:
        spec = msgspec.defstruct("Spec", [("field", kind)])
        assert collect({"field": given}, spec, strict=True) == [FieldError("field", words)]

    def test_one_deep_inside_is_named_by_its_way(self) -> None:
        spec = msgspec.defstruct("Spec", [("field", dict[str, list[Closed]])])
        (problem,) = collect({"field": {"a": [{"y": 1}]}}, spec, strict=True)
        assert problem == FieldError("field[...][0]", "must not have the field y")

    def test_a_body_that_is_no_object_is_told_so(self) -> None:
        assert collect([], Closed, strict=True) == [FieldError("body", "must be an object")]


@pytest.mark.parametrize("reason", ["", "Something new", "Expected", "Expected `str` of length 9"])
def test_what_nobody_has_foreseen_is_still_a_sentence(reason: str) -> None:
    assert sentence(reason) == "is not valid"


def test_of_very_many_values_none_is_named() -> None:
    many = Enum("Many", {f"V{n}": n for n in range(21)})
    assert sentence("Invalid enum value 99", many) == "is not one of the allowed values"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"{'a': 1}", "it is not JSON (byte 1)"),
        (b'{"a": 1} x', "it is not JSON (byte 10)"),
        (b'{"a": 1', "it is not complete JSON"),
        (b'{"a": NaN}', "it is not JSON (byte 6)"),
        (b'{"a": "\xff"}', "it is not UTF-8"),
        (b"[" * 100_000, "it is nested too deeply"),
    ],
)
def test_what_is_no_json_is_told_where(body: bytes, words: str) -> None:
    with pytest.raises((msgspec.DecodeError, UnicodeDecodeError, RecursionError)) as refused:
        msgspec.json.decode(body)
    assert not_json("it", refused.value) == words
