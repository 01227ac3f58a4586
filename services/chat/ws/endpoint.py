"""The lifecycle of a socket, from handshake to close."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from typing import Final

from aiohttp import WSMsgType, web

from lib import context
from lib.auth import Principal
from lib.auth.access import guarded
from lib.errors import AppError, Code
from lib.http.middleware.auth import public
from lib.http.route import long_lived
from lib.limits import Limiter, TokenBucket
from lib.limits.client_address import limit_key
from lib.log import get_logger
from services.chat.config import ChatConfig
from services.chat.keys import CHAT
from services.chat.model import frames
from services.chat.model.closing import Close
from services.chat.service.channels import check_active
from services.chat.service.chat import Chat
from services.chat.ws.dispatch import answer, handle
from services.chat.ws.handshake import ACCESS, identify
from services.chat.ws.meter import METER, metered
from services.chat.ws.socket import CLOSE_SECONDS, Socket
from services.chat.ws.sockets import SOCKETS

log = get_logger(__name__)

CONFIG: Final = web.AppKey("CONFIG", ChatConfig)
LIMITER: Final = web.AppKey("LIMITER", Limiter)
# A socket with this many rate limit errors within this many seconds is closed.
STRIKES: Final = 20
STRIKE_SECONDS: Final = 10.0


@guarded(ACCESS)
@public  # it looks for a token in one more place, and for what is declared itself
@long_lived
async def connect(request: web.Request) -> web.StreamResponse:
    """Serve a socket until either party closes it."""
    principal, user_id, session_id = await identify(request)
    config, chat = request.app[CONFIG], request.app[CHAT]
    socket = Socket(user_id, session_id, limit=config.buffer_bytes, metrics=chat.metrics)
    await check_active(chat.db, user_id, session_id)
    with request.app[SOCKETS].holding(socket, limit_key(context.client.get())):
        if await chat.hub.join(user_id, socket.seat):
            chat.presence.touch(user_id)
        try:
            return await _serve(request, socket, principal)
        finally:
            if chat.hub.leave(user_id, socket.seat):
                chat.presence.touch(user_id)
            chat.presence.forget(socket.seat, tuple(socket.watched))


async def _serve(
    request: web.Request, socket: Socket, principal: Principal
) -> web.WebSocketResponse:
    config, chat = request.app[CONFIG], request.app[CHAT]
    ws = web.WebSocketResponse(
        timeout=CLOSE_SECONDS,
        heartbeat=config.heartbeat_seconds,
        protocols=(frames.PROTOCOL,),
        # Frames are made once for all sockets, which rules out a compression of each its own.
        compress=False,
        max_msg_size=frames.MAX_INCOMING,
        decode_text=False,
    )
    allowance = request.app[METER].allowance(socket.user_id)
    with metered(request, allowance, partial(socket.close, Close.FLOOD)):
        await ws.prepare(request)
        socket.opened(ws, request.transport)
        chat.metrics.open.inc()
        expiry = asyncio.get_running_loop().call_later(
            principal.expires_at - time.time(), socket.close, Close.EXPIRED
        )
        try:
            expires_at = datetime.fromtimestamp(principal.expires_at, UTC)
            answer(socket, frames.Ready(socket.user_id, expires_at, config.heartbeat_seconds))
            # The library answers pings while it reads, also on a connection that is being cut off.
            with suppress(ConnectionError):
                await _read(request, chat, socket, ws)
        finally:
            socket.ended()
            expiry.cancel()
            chat.metrics.open.dec()
    return ws


async def _read(
    request: web.Request, chat: Chat, socket: Socket, ws: web.WebSocketResponse
) -> None:
    """Process frames one by one, so that a client's messages keep their order."""
    limiter, rule = request.app[LIMITER], request.app[CONFIG].per_user_frames()
    strikes: deque[float] = deque(maxlen=STRIKES)
    async for message in ws:
        if message.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
            return
        if socket.is_closing:
            continue
        raw = b""
        try:
            if message.type is WSMsgType.TEXT:
                raw = message.data
            await _admit(limiter, rule, socket, strikes)
            if message.type is WSMsgType.BINARY:
                raise AppError(Code.BAD_REQUEST, "frames are text")
            await handle(chat, socket, frames.decode(raw))
        except AppError as error:
            answer(socket, frames.refusal(error, raw))
        except Exception as error:
            log.exception("frame_failed", exc_info=error)
            failed = AppError(Code.INTERNAL_ERROR, "internal error")
            answer(socket, frames.refusal(failed, raw))


async def _admit(
    limiter: Limiter, rule: TokenBucket, socket: Socket, strikes: deque[float]
) -> None:
    """Count a frame. Raises RATE_LIMIT_EXCEEDED if the user sends frames too fast.

    Repeated violations close the socket.
    """
    decision = await limiter.take(rule, f"chat:{socket.user_id}")
    if decision.allowed:
        return
    now = time.monotonic()
    if len(strikes) == STRIKES and now - strikes[0] < STRIKE_SECONDS:
        socket.close(Close.FLOOD)
    strikes.append(now)
    raise AppError(
        Code.RATE_LIMIT_EXCEEDED, "too many frames; slow down", headers=decision.headers()
    )
