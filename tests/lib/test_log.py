"""Log lines: one JSON object each, with the caller, the time and the request, masked."""

from __future__ import annotations

import io
import json
import logging
import re
from datetime import datetime

import pytest
import structlog
from msgspec import UNSET, UnsetType
from redis.exceptions import ConnectionError as RedisConnectionError

from lib import context, log, trace
from lib.config import LogFormat, LogLevel


@pytest.fixture(autouse=True)
def as_it_was():
    before, handlers, level = structlog.get_config(), logging.root.handlers[:], logging.root.level
    yield
    structlog.configure(**before)
    log._shortcut = None
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)


def configured(**options: object) -> io.BytesIO:
    stream = io.BytesIO()
    log.configure("shop", stream=stream, **options)
    return stream


def lines(stream: io.BytesIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_says_who_when_and_for_which_request() -> None:
    stream = configured(environment="production")
    context.request_id.set("request-17")
    log.get_logger("orders").info("order_placed", lines=3)
    context.request_id.set("")
    (line,) = lines(stream)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", str(line.pop("timestamp")))
    assert line == {
        "event": "order_placed",
        "lines": 3,
        "level": "info",
        "component": "orders",
        "service": "shop",
        "environment": "production",
        "request_id": "request-17",
    }


async def test_a_line_of_a_traced_request_leads_to_its_trace() -> None:
    stream = configured()
    trace.pass_on(f"00-{'a' * 32}-{'b' * 16}-01")
    log.get_logger("orders").info("order_placed")
    trace.pass_on(None)
    log.get_logger("orders").info("order_placed")
    traced, other = lines(stream)
    assert traced["trace_id"] == "a" * 32
    assert "trace_id" not in other


class Line(log.Line, tag_field="event", tag="request"):
    """A line with declared fields."""

    status: int
    user_agent: str | None
    component: str = "http"
    bytes: int | UnsetType = UNSET


@pytest.mark.parametrize("agent", ["curl", "a@b.example", None, "\ud800"])
async def test_a_line_with_declared_fields_is_the_line_of_the_logger(agent) -> None:
    stream = configured()
    context.request_id.set("request-17")
    context.principal.set("user-7")
    trace.pass_on(f"00-{'a' * 32}-{'b' * 16}-01")
    logger = log.get_logger("http")
    logger.warning("request", status=404, user_agent=agent)
    log.write_line(logger, "warning", Line(404, agent))
    trace.pass_on(None)
    one, other = lines(stream)
    for line in (one, other):
        written = line.pop("timestamp").strip("'")
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", written)
    assert one == other


async def test_a_line_with_declared_fields_below_the_level_is_not_written() -> None:
    stream = configured(level=LogLevel.WARNING)
    log.write_line(log.get_logger("http"), "info", Line(200, None))
    assert not lines(stream)


async def test_a_full_second_is_written_with_its_fraction(monkeypatch) -> None:
    class Noon(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime(2030, 1, 1, 12, tzinfo=tz)

    stream = configured()
    monkeypatch.setattr(log, "datetime", Noon)
    log.write_line(log.get_logger("http"), "warning", Line(404, None))
    assert lines(stream)[0]["timestamp"] == "2030-01-01T12:00:00.000001Z"


async def test_a_line_with_declared_fields_has_the_console_format_too() -> None:
    stream = configured(fmt=LogFormat.CONSOLE)
    log.write_line(log.get_logger("http"), "warning", Line(404, None))
    written = stream.getvalue()
    assert not written.startswith(b"{")
    assert all(word in written for word in (b"request", b"404", b"user_agent"))
    assert b"bytes" not in written


@pytest.mark.parametrize(
    ("key", "value", "written"),
    [
        ("password", "hunter2", "***"),
        ("access_token", "abc", "***"),
        ("customer_email", "x", "***"),
        ("note", "ask ann.lee@example.com today", "ask *** today"),
        ("body", {"password": "hunter2", "age": 3}, {"password": "***", "age": 3}),
        ("tokens_used", 5, 5),
    ],
)
def test_personal_data_and_secrets_are_masked(key, value, written) -> None:
    stream = configured()
    log.get_logger("x").info("e", **{key: value})
    assert lines(stream)[0][key] == written


def test_lines_below_the_level_are_not_written() -> None:
    stream = configured(level=LogLevel.WARNING)
    log.get_logger("x").info("quiet")
    log.get_logger("x").warning("loud")
    assert [line["event"] for line in lines(stream)] == ["loud"]


def test_an_exception_is_written_with_its_trace() -> None:
    stream = configured()
    try:
        raise ValueError("broken")
    except ValueError:
        log.get_logger("x").exception("failed")
    assert "ValueError: broken" in str(lines(stream)[0]["exception"])


@pytest.mark.parametrize(
    ("error", "written"),
    [
        (RedisConnectionError("closed by ann.lee@example.com"), "ConnectionError: closed by ***"),
        (TimeoutError(), "TimeoutError"),
    ],
)
def test_an_exception_as_a_field_is_its_class_and_what_it_says(error, written) -> None:
    stream = configured()
    log.get_logger("x").warning("away", error=error)
    assert lines(stream)[0]["error"] == written


@pytest.mark.parametrize("value", ["\ud800", object(), {1: 2}, float("nan"), b"\xff"])
def test_no_value_can_lose_a_line(value) -> None:
    stream = configured()
    log.get_logger("x").info("odd", value=value)
    assert lines(stream)[0]["service"] is not None


def test_the_standard_library_writes_in_the_same_format() -> None:
    stream = configured()
    logging.getLogger("asyncpg").warning("pool is %s", "tired")
    (line,) = lines(stream)
    assert (line["event"], line["component"], line["level"]) == (
        "pool is tired",
        "asyncpg",
        "warning",
    )


def test_the_console_format_is_for_people() -> None:
    stream = configured(fmt=LogFormat.CONSOLE)
    log.get_logger("x").info("order_placed", lines=3)
    text = stream.getvalue().decode()
    assert "order_placed" in text
    assert not text.startswith("{")


def test_a_warning_of_a_library_has_its_error_in_one_line() -> None:
    stream = configured()
    try:
        raise ConnectionRefusedError(111, "refused")
    except ConnectionRefusedError:
        logging.getLogger("asyncpg.pool").warning("retrying", exc_info=True)
        logging.getLogger("asyncpg.pool").exception("a bug")
    first, second = lines(stream)
    assert first["error"] == "ConnectionRefusedError: [Errno 111] refused"
    assert "exception" not in first
    assert "Traceback" in second["exception"]
