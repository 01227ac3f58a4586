"""Log lines: one JSON object each, with who, when and for which request, without personal data."""

from __future__ import annotations

import io
import json
import logging
import re

import pytest
import structlog
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


async def test_the_short_way_writes_the_same_line_as_the_logger() -> None:
    stream = configured()
    logger = log.get_logger("http")
    logger.warning("request", status=404, user_agent="a@b.example")
    fields = {"component": "http", "status": 404, "user_agent": "a@b.example"}
    log.write_line(logger, "warning", "request", fields)
    one, other = lines(stream)
    assert one.keys() == other.keys()
    assert {**one, "timestamp": ""} == {**other, "timestamp": ""}


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
