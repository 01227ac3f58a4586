"""Handle the frames of a client."""

from __future__ import annotations

from typing import Any, Final

from lib.errors import AppError, Code
from services.chat.model import frames
from services.chat.model.closing import Close
from services.chat.rooms.presence import WATCHED
from services.chat.rooms.resume import resume
from services.chat.rooms.wire import framed, text_frame
from services.chat.service.channels import no_such_channel
from services.chat.service.chat import Chat
from services.chat.service.messages import Stored
from services.chat.ws.socket import Socket

_PONG: Final = framed(frames.Pong())


async def handle(chat: Chat, socket: Socket, frame: frames.ClientFrame) -> None:
    """Execute a frame and respond to it.

    Raises:
        AppError: if the frame has no effect; the caller sends the error to the client.
    """
    match frame:
        case frames.Send():
            await _send(chat, socket, frame)
        case frames.Resume():
            await _resume(chat, socket, frame)
        case frames.Read():
            await chat.mark_read(socket.user_id, frame.channel_id, frame.message_id)
        case frames.Typing():
            await chat.typing(socket.user_id, frame.channel_id)
        case frames.Presence():
            await _presence(chat, socket, frame)
        case frames.Ping():
            socket.write(_PONG)


async def _send(chat: Chat, socket: Socket, frame: frames.Send) -> None:
    def acknowledge(stored: Stored) -> None:
        message = stored.message
        answer(
            socket,
            frames.Ack(
                client_id=message.client_id,
                channel_id=message.channel_id,
                message_id=message.id,
                sequence=message.sequence,
                created_at=message.created_at,
            ),
        )

    await chat.send(socket.user_id, frame.channel_id, frame.client_id, frame.text, acknowledge)


async def _resume(chat: Chat, socket: Socket, frame: frames.Resume) -> None:
    try:
        reached = await resume(
            chat.db, chat.hub, socket.seat, socket.user_id, frame.channels, socket.write_slowly
        )
    except ConnectionResetError:
        return
    except BaseException:
        # Part of the channels would stay silent: better to begin again.
        socket.close(Close.TRY_LATER)
        raise
    for channel_id in frame.channels.keys() - reached.keys():
        refused = frames.refusal(no_such_channel())
        answer(socket, frames.Refused(refused.code, refused.message, channel_id=channel_id))
    answer(socket, frames.Resumed(reached))


async def _presence(chat: Chat, socket: Socket, frame: frames.Presence) -> None:
    if len(socket.watched) >= WATCHED:
        raise AppError(Code.BAD_REQUEST, f"a socket can watch at most {WATCHED} other users")
    answered = await chat.watch(socket.seat, socket.user_id, frame.channel_id)
    socket.watched.add(answered.user_id)
    answer(socket, answered)


def answer(socket: Socket, frame: Any) -> None:
    """Write a frame to this socket alone."""
    socket.write(text_frame(frames.encode(frame)))
