"""Load generator: many sockets, as bare as can be, that wait, or talk in pairs at a steady rate.

Reads `[[channel, authorization], …]` from its input, two in a row for each channel, and connects
them; then questions `{"rate": messages a second, "seconds": …}`. Answers are lines of JSON.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from itertools import cycle
from time import perf_counter
from typing import Any

import msgspec
import uvloop

_UPGRADE = (
    "GET /api/v1/ws HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\n"
    "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nAuthorization: {token}\r\n\r\n"
)
_AT_ONCE = 50


class Frame(msgspec.Struct):
    """What is read of a frame."""

    type: str
    client_id: str = ""
    sequence: int = 0


_decode = msgspec.json.Decoder(Frame).decode


class Counts:
    """What all sockets of this process have seen."""

    def __init__(self) -> None:
        self.sent: dict[str, float] = {}
        self.delivered: list[float] = []
        self.acked: list[float] = []
        self.refused = 0


class Socket(asyncio.Protocol):
    """One user's socket; frames are masked with zeros, which leaves them as they are."""

    def __init__(self, request: str, channel: str, counts: Counts) -> None:
        self._request, self.channel, self._counts = request, channel, counts
        self._buffer = b""
        self._upgraded = False
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.mine: set[str] = set()

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Ask for the upgrade."""
        self._transport = transport
        transport.write(self._request.encode())

    def connection_lost(self, _: Exception | None) -> None:
        """Give up: the service has hung up."""
        sys.stderr.write("a socket was closed\n")

    def data_received(self, data: bytes) -> None:
        """Take frames apart."""
        self._buffer += data
        if not self._upgraded:
            head, separator, rest = self._buffer.partition(b"\r\n\r\n")
            if not separator:
                return
            if b" 101 " not in head[:20]:
                sys.stderr.write(f"no socket: {self._buffer[:300]!r}\n")
                os._exit(1)
            self._upgraded, self._buffer = True, rest
        while len(self._buffer) >= 2:
            size, start = self._buffer[1], 2
            if size == 126:
                size, start = int.from_bytes(self._buffer[2:4], "big"), 4
            if len(self._buffer) < start + size:
                return
            kind, payload = self._buffer[0] & 15, self._buffer[start : start + size]
            self._buffer = self._buffer[start + size :]
            if kind == 9:
                self._write(10, payload)
            elif kind == 1:
                self._take(_decode(payload))

    def send(self, frame: Any) -> None:
        """Send a frame."""
        self._write(1, msgspec.json.encode(frame))

    def say(self, client_id: str) -> None:
        """Send a message and note when."""
        self.mine.add(client_id)
        self._counts.sent[client_id] = perf_counter()
        self.send(
            {
                "type": "send",
                "channel_id": self.channel,
                "client_id": client_id,
                "text": "Could you come on Thursday, a little after nine? The door is open.",
            }
        )

    def _take(self, frame: Frame) -> None:
        if frame.type == "message":
            if frame.client_id not in self.mine:
                self._counts.delivered.append(perf_counter() - self._counts.sent[frame.client_id])
        elif frame.type == "ack":
            self._counts.acked.append(perf_counter() - self._counts.sent[frame.client_id])
        elif frame.type == "ready":
            self.send({"type": "resume"})
        elif frame.type == "resumed":
            self.ready.set_result(None)
        elif frame.type == "error":
            # Overloaded: a client would send it again a moment later; here it counts as missing.
            self._counts.refused += 1

    def _write(self, kind: int, payload: bytes) -> None:
        size = len(payload)
        length = bytes((128 | size,)) if size < 126 else b"\xfe" + size.to_bytes(2, "big")
        self._transport.write(bytes((128 | kind,)) + length + bytes(4) + payload)


async def connect(port: int, sockets: list[list[str]], counts: Counts) -> list[Socket]:
    loop = asyncio.get_running_loop()
    gate = asyncio.Semaphore(_AT_ONCE)

    async def one(channel: str, token: str) -> Socket:
        async with gate:
            request = _UPGRADE.format(port=port, token=token)
            _, socket = await loop.create_connection(
                lambda: Socket(request, channel, counts), "127.0.0.1", port
            )
            await socket.ready
            return socket

    return list(await asyncio.gather(*(one(*each) for each in sockets)))


async def talk(
    sockets: list[Socket], counts: Counts, rate: float, seconds: float
) -> dict[str, float]:
    """Send at a steady rate, whatever comes back; then wait for what is on its way."""
    counts.sent.clear()
    counts.delivered.clear()
    counts.acked.clear()
    counts.refused = 0
    began, cpu, number = perf_counter(), time.process_time(), 0
    turns = cycle(sockets)
    while (now := perf_counter() - began) < seconds:
        while number < now * rate:
            next(turns).say(f"{began:.6f}-{number}")
            number += 1
        await asyncio.sleep(0.002)
    for _ in range(1000):
        if len(counts.delivered) + counts.refused >= number:
            break
        await asyncio.sleep(0.01)
    elapsed = perf_counter() - began
    delivered, acked = sorted(counts.delivered), sorted(counts.acked)
    return {
        "sent": number,
        "delivered": len(delivered),
        "acked": len(acked),
        "refused": counts.refused,
        "missing": number - len(delivered),
        # Until the last one has arrived: what piled up counts against the rate.
        "seconds": elapsed,
        "cpu": time.process_time() - cpu,
        "p50_ms": delivered[len(delivered) // 2] * 1000,
        "p99_ms": delivered[int(len(delivered) * 0.99)] * 1000,
        "ack_p50_ms": acked[len(acked) // 2] * 1000,
        "ack_p99_ms": acked[int(len(acked) * 0.99)] * 1000,
    }


async def main(port: int) -> None:
    async def told() -> Any:
        line = await asyncio.to_thread(sys.stdin.readline)
        return json.loads(line) if line else None

    counts, began = Counts(), perf_counter()
    sockets = await connect(port, await told(), counts)
    print(json.dumps({"seconds": perf_counter() - began}), flush=True)
    while question := await told():
        found = await talk(sockets, counts, **question)
        print(json.dumps(found), flush=True)


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))
