"""Render the two functions of a declared notification channel: one listens, one sends."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from aiosqlc.emit.classes import print_class
from aiosqlc.emit.literal import docstring, indented, line_literal
from aiosqlc.plan.documents import MAKER
from aiosqlc.plan.model import PyChannel


@cache
def notifications() -> str:
    """Return the source of `notifications.py`, which depends on no library."""
    return files("aiosqlc.emit.written").joinpath("notifications.py").read_text("utf-8")


def print_channel(channel: PyChannel) -> list[str]:
    """Return the source of a channel: SQL text, classes, decoder and functions."""
    decoder = channel.decoder
    kind, name = channel.payload.annotation, line_literal(channel.channel)
    shown = f"`{channel.channel}`"
    decode = decoder.name if decoder else "str"
    listen = indented(
        f"def {channel.listen}(db: ListenConnection, *, size: int = 1000) -> Listener[{kind}]:",
        [
            docstring(channel.doc or (f"Listen to the notifications of the channel {shown}.",)),
            f"return Listener(db, {name}, {decode}, size)",
        ],
    )
    notify = indented(
        f"async def {channel.notify}(db: {channel.executor[1]}, payload: {kind}) -> None:",
        [
            docstring(
                (f"Send a notification on the channel {shown} when the transaction commits.",)
            ),
            f"await db.execute({channel.constant}, encoded(payload, {name}, {decode}))",
        ],
    )
    decoders = [f"{decoder.name}: Final = {MAKER}({kind})"] if decoder else []
    return [
        f"{channel.constant}: Final = {line_literal(channel.sql)}",
        *(print_class(cls) for cls in channel.own_classes),
        *decoders,
        listen,
        notify,
    ]
