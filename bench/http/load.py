"""Load generator: keep-alive connections that ask for one address for some seconds.

Runs as a process of its own, reads headers to send as JSON from its input, and prints
`{"requests": …, "seconds": …, "p50_ms": …, "p99_ms": …}`.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from time import perf_counter

import uvloop


class Connection(asyncio.Protocol):
    """Sends the next request as soon as the answer to the last one is complete."""

    def __init__(self, request: bytes, latencies: list[float]) -> None:
        self._request = request
        self._latencies = latencies
        self._buffer = b""
        self._sent = 0.0
        self.stopped = False

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Send the first request."""
        self._transport = transport
        self._send()

    def data_received(self, data: bytes) -> None:
        """Record the answer once it is whole, and ask again."""
        self._buffer += data
        head, separator, rest = self._buffer.partition(b"\r\n\r\n")
        if not separator or len(rest) < _content_length(head):
            return
        if not head.startswith(b"HTTP/1.1 200"):
            # Not an exception: the loop would swallow it and the figures would be wrong.
            sys.stderr.write(f"unexpected answer: {self._buffer[:300]!r}\n")
            os._exit(1)
        self._latencies.append(perf_counter() - self._sent)
        self._buffer = b""
        if not self.stopped:
            self._send()

    def close(self) -> None:
        """Ask no more."""
        self.stopped = True
        self._transport.close()

    def _send(self) -> None:
        self._sent = perf_counter()
        self._transport.write(self._request)


def _content_length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        if line[:15].lower() == b"content-length:":
            return int(line[15:])
    return 0


async def run(
    port: int, path: str, connections: int, seconds: float, headers: dict[str, str]
) -> dict[str, float]:
    sent = {"Host": f"127.0.0.1:{port}", "Accept": "*/*", **headers}
    lines = "".join(f"{name}: {value}\r\n" for name, value in sent.items())
    request = f"GET {path} HTTP/1.1\r\n{lines}\r\n".encode()
    latencies: list[float] = []
    loop = asyncio.get_running_loop()
    started = perf_counter()
    opened = [
        await loop.create_connection(lambda: Connection(request, latencies), "127.0.0.1", port)
        for _ in range(connections)
    ]
    await asyncio.sleep(seconds)
    elapsed = perf_counter() - started
    count = len(latencies)
    for _, protocol in opened:
        protocol.close()
    ordered = sorted(latencies[:count])
    return {
        "requests": count,
        "seconds": elapsed,
        "p50_ms": ordered[count // 2] * 1000,
        "p99_ms": ordered[int(count * 0.99)] * 1000,
    }


def main() -> None:
    port, path, connections, seconds = sys.argv[1:]
    # Not on the command line, where everybody could read a token.
    headers = json.loads(sys.stdin.read() or "{}")
    result = uvloop.run(run(int(port), path, int(connections), float(seconds), headers))
    print(json.dumps(result))


if __name__ == "__main__":
    main()
