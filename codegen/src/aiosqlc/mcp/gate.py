"""Run the calls of tools within the limits of the policy, and write the audit records."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from inspect import isasyncgen, isasyncgenfunction
from typing import Any, Final

import msgspec
from msgspec import Struct, field

from aiosqlc.config.policy import McpPolicy
from aiosqlc.mcp.cursors import Cursors, UnknownCursorError, call_of
from aiosqlc.mcp.forms import Form, TooLargeError, result_of
from aiosqlc.mcp.outcome import Database, Failure, Outcome, Result
from aiosqlc.mcp.reads import STEP, Reads
from aiosqlc.mcp.schemas import to_json
from aiosqlc.mcp.tools import STREAM_OPTION, ArgumentError, Tool, hide, texts_in

_log: Final = logging.getLogger("aiosqlc.mcp")
_MINUTE: Final = 60.0  # seconds
_HELD: Final = 10  # most bytes of rows that a call holds, for each byte of the largest result
_AT_ONCE: Final = 16  # calls of one session that run or wait
_MOST_VALUES: Final = 10_000  # most JSON values in the arguments of one call
_OF_VALUES: Final = (ValueError, OverflowError, TypeError)


class UnreadableError(Exception):
    """Raised if a function cannot read a result, although the caller's arguments are valid."""


class Session(Struct):
    """A caller: its name in the audit log, bound parameter values, recent calls and cursors.

    The server sets bound parameters, and the assistant cannot pass them.
    """

    name: str
    bound: Mapping[str, str] = field(default_factory=dict)
    recent: deque[float] = field(default_factory=deque)
    running: int = 0
    cursors: Cursors = field(default_factory=Cursors)


class Gate(Struct, frozen=True):
    """Runs calls of tools. `audit` receives one record for each call, including refused calls."""

    tools: Mapping[str, Tool]
    policy: McpPolicy
    database: Database
    executor: Callable[[Any], Any]
    audit: Callable[[dict[str, Any]], None]
    clock: Callable[[], float] = time.monotonic

    async def call(self, session: Session, name: str, given: Mapping[str, Any]) -> Outcome:
        """Run one call.

        For an error of the caller or the database, return a `Failure`; do not raise an exception.
        """
        started = self.clock()
        outcome: Outcome = Failure("cancelled", "the caller left")  # unless it stays
        try:
            refusal = self._refusal(session, name, given)
            outcome = refusal or await self._admitted(session, name, given)
        finally:
            self._record(session, name, given, outcome, self.clock() - started)
        return outcome

    async def _admitted(self, session: Session, name: str, given: Mapping[str, Any]) -> Outcome:
        session.running += 1
        try:
            return await self._run(self.tools[name], session, given)
        finally:
            session.running -= 1

    def _refusal(self, session: Session, name: str, given: Mapping[str, Any]) -> Failure | None:
        """Return the reason to refuse a call: an unknown name, a rate limit or a size limit."""
        now = self.clock()
        while session.recent and session.recent[0] <= now - _MINUTE:
            session.recent.popleft()
        if len(session.recent) >= self.policy.calls_per_minute:
            return Failure("rate_limited", "too many calls in the last minute: wait and try again")
        session.recent.append(now)
        if session.running >= _AT_ONCE:
            return Failure("rate_limited", f"at most {_AT_ONCE} calls may run at once")
        if name not in self.tools:
            return Failure("unknown_tool", "there is no tool with this name")
        if _is_too_large(given, self.policy.max_argument):
            limit = self.policy.max_argument
            return Failure("argument_too_large", f"arguments may have at most {limit} characters")
        return None

    async def _run(self, tool: Tool, session: Session, given: Mapping[str, Any]) -> Outcome:
        try:
            arguments = tool.arguments(given, session.bound)
            call = call_of(tool.name, given)
            if tool.form is Form.KEYSET and arguments.get("cursor") is not None:
                arguments["cursor"] = session.cursors.read(arguments["cursor"], call)
        except (ArgumentError, UnknownCursorError) as error:
            return Failure("invalid_argument", str(error))
        try:
            # The server's own timeout is one second shorter.
            async with asyncio.timeout(self.policy.timeout + 1):
                return await self._executed(
                    tool, arguments, lambda cursor: session.cursors.handle(cursor, call)
                )
        except TimeoutError:
            return Failure("timeout", f"no response within {self.policy.timeout} s")
        except Exception as error:  # noqa: BLE001 - the message may quote rows
            known = self.database.failure_of(error) or _of_function(error)
            if known is not None and known.code == "invalid_argument" and not given:
                return Failure(
                    "query_failed", "a stored value is not valid for its use in the query"
                )
            if known is None:
                _log.exception("a tool failed: %s", tool.name)
            return known or Failure("internal_error", "the tool failed")

    async def _executed(
        self, tool: Tool, arguments: dict[str, Any], handle: Callable[[Any], str | None]
    ) -> Outcome:
        """Run a tool's function in a transaction; a result that is too large rolls it back."""
        async with self.database.transaction(writes=tool.offer.writes) as connection:
            reads = Reads(self.executor(connection), self.policy.max_bytes * _HELD)
            try:
                answer = tool.call(reads, **arguments, **_options(tool))
                if tool.form is Form.ROWS:
                    return await self._rows(tool, answer, reads)
                most = (self.policy.max_rows, self.policy.max_bytes)
                value = await answer
                return result_of(
                    tool.form, value, lambda row: hide(to_json(row), tool.masked), most, handle
                )
            except _OF_VALUES as error:
                if reads.sent and self.database.failure_of(error) is None:
                    raise UnreadableError from error
                raise

    async def _rows(self, tool: Tool, answer: Any, reads: Reads) -> Result:
        """Read rows up to the policy's limits, and leave the remaining rows unread."""
        rows: list[Any] = []
        size = 0
        async with aclosing(answer if isasyncgen(answer) else _each(answer)) as stream:
            async for row in stream:
                shown = hide(to_json(row), tool.masked)
                size += len(msgspec.json.encode(shown))
                if size > self.policy.max_bytes and not rows:
                    raise TooLargeError
                if len(rows) == self.policy.max_rows or size > self.policy.max_bytes:
                    return Result({"rows": rows, "truncated": True}, len(rows))
                rows.append(shown)
                reads.release()
        return Result({"rows": rows, "truncated": False}, len(rows))

    def _record(
        self,
        session: Session,
        name: str,
        given: Mapping[str, Any],
        outcome: Outcome,
        seconds: float,
    ) -> None:
        self.audit(
            {
                "event": "mcp_call",
                "session": session.name,
                "tool": name[:64],
                "arguments": sorted(str(key)[:64] for key in list(given)[:64]),
                "outcome": outcome.code if isinstance(outcome, Failure) else "ok",
                "rows": 0 if isinstance(outcome, Failure) else outcome.rows,
                "ms": round(seconds * 1000),
            }
        )


def _options(tool: Tool) -> dict[str, int]:
    """Return the argument that limits how many rows a streaming function holds in memory."""
    return {STREAM_OPTION: STEP} if isasyncgenfunction(tool.call) else {}


async def _each(answer: Awaitable[Sequence[Any]]) -> AsyncGenerator[Any, None]:
    """Yield the rows of a function that returns all rows at once."""
    for row in await answer:
        yield row


def _of_function(error: Exception) -> Failure | None:
    """Return a failure for an exception that the generated function itself raises, or None."""
    if isinstance(error, TooLargeError):
        return Failure("result_too_large", "the result is too large: ask for fewer rows or keys")
    if isinstance(error, _OF_VALUES):
        return Failure(
            "invalid_argument", "the arguments contradict each other or are out of range"
        )
    return None


def _is_too_large(given: Mapping[str, Any], limit: int) -> bool:
    """Return whether the arguments are too long, too many or too deeply nested to be processed."""
    try:
        total = 0
        for count, text in enumerate(texts_in(dict(given))):
            total += len(text)
            if total > limit or count > _MOST_VALUES:
                return True
        return _values_in(given) > _MOST_VALUES
    except RecursionError:
        return True


def _values_in(value: Any) -> int:
    if isinstance(value, Mapping):
        return 1 + sum(map(_values_in, value.values()))
    return 1 + sum(map(_values_in, value)) if isinstance(value, list) else 1
