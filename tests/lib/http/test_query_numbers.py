"""Numbers in a query string must be plain digits."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated
from urllib.parse import urlencode

import msgspec
import pytest
from aiohttp.test_utils import make_mocked_request
from hypothesis import example, given
from hypothesis import strategies as st

from lib.errors import AppError, Code
from lib.http import decode
from lib.resource.lists import PageQuery


class Numbers(PageQuery, frozen=True, kw_only=True):
    count: Annotated[int, msgspec.Meta(ge=-10_000)] = 0
    most: int | None = None
    ratio: float = 0.0
    price: Decimal | None = None
    sizes: tuple[int, ...] = ()
    name: str = ""


def read(**values: str) -> Numbers:
    return decode.query(make_mocked_request("GET", f"/things?{urlencode(values)}"), Numbers)


WHOLE = ("page", "page_size", "count", "most", "sizes")
DECIMAL = "price"
# What numbers are spelt with somewhere, and whatever else there is.
SPELLINGS = st.text("0123456789+-.,_eExXinfa \t\n٠١٢１２½", min_size=1, max_size=6) | st.text(
    min_size=1, max_size=4
)
ODD = (
    "1e1",
    "+1",
    " 1",
    "1 ",
    "1\n",
    "1_0",
    "١",
    "１",
    "1.",
    ".5",
    "inf",
    "nan",
    "0x1",
    "--1",
    "1e-7",
)


def is_plain(text: str, *, fraction: bool) -> bool:
    whole, point, rest = text.removeprefix("-").partition(".")
    digits = set("0123456789")
    parts = [whole, rest] if point and fraction else [whole + point + rest]
    return all(part and set(part) <= digits for part in parts)


@pytest.mark.parametrize(
    ("name", "text"),
    [(name, text) for name in (*WHOLE, DECIMAL) for text in ODD]
    + [("ratio", text) for text in ODD if not text.startswith("1e")],
)
def test_each_odd_spelling_is_refused_by_the_name_of_its_field(name: str, text: str) -> None:
    with pytest.raises(AppError) as refused:
        read(**{name: text})
    assert refused.value.code is Code.VALIDATION_ERROR
    assert [problem.field for problem in refused.value.details] == [name]


@pytest.mark.parametrize("name", [*WHOLE, DECIMAL])
@given(text=SPELLINGS)
@example(text="1.0")
def test_every_accepted_number_is_written_in_plain_digits(name: str, text: str) -> None:
    try:
        read(**{name: text})
    except AppError:
        return
    if text.lower() != "null":
        assert is_plain(text, fraction=name == DECIMAL)


@given(count=st.integers(-10_000, 10_000), price=st.decimals(allow_nan=False, allow_infinity=False))
def test_plain_numbers_are_read_as_they_are(count: int, price: Decimal) -> None:
    found = read(count=f"{count}", sizes=f"{count}", price=f"{price:f}", name="1e1")
    assert (found.count, found.sizes, found.price) == (count, (count,), price)
    assert found.name == "1e1"


@given(ratio=st.floats(allow_nan=False, allow_infinity=False))
@example(ratio=-1.0630328292909165e-144)
def test_a_float_is_read_as_json_writes_it(ratio: float) -> None:
    assert read(ratio=repr(ratio)).ratio == ratio


def test_other_fields_at_fault_are_named_as_well() -> None:
    with pytest.raises(AppError) as refused:
        read(page="1e1", page_size="101", ratio="x")
    assert {problem.field for problem in refused.value.details} == {"page", "page_size", "ratio"}


class Times(msgspec.Struct, frozen=True, kw_only=True):
    since: datetime | msgspec.UnsetType = msgspec.UNSET


def read_since(text: str) -> datetime | msgspec.UnsetType:
    request = make_mocked_request("GET", f"/things?{urlencode({'since': text})}")
    return decode.query(request, Times).since


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "1e3", "1767225600", "00"])
def test_a_number_is_not_taken_for_the_seconds_of_a_time(text: str) -> None:
    with pytest.raises(AppError) as caught:
        read_since(text)
    (field,) = caught.value.details
    assert (field.field, field.message) == ("since", "must be a time such as 2026-01-31T12:00:00Z")


def test_a_time_is_read_as_it_is_written() -> None:
    assert read_since("2026-01-31T12:00:00Z") == datetime(2026, 1, 31, 12, tzinfo=UTC)
