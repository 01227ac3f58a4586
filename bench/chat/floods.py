"""Requests of others while sockets are flooded with control frames: `python -m bench.chat.floods`.

Each attacker has an account of its own, sends as fast as it can, and connects again when it is cut
off. Prints the latency of ordinary requests before and meanwhile.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import aiohttp

from bench.serving import ROOT, serving
from devstack.embedded.ports import free_port
from devstack.testing import auth, postgres, redis
from lib.ids import new_id
from services.chat.config import ChatConfig

_FRAMES = {
    "pings": bytes([0x89, 0x80, 0, 0, 0, 0]),
    "pongs": bytes([0x8A, 0x80, 0, 0, 0, 0]),
    "fragments": bytes([0x00, 0x80, 0, 0, 0, 0]),
}
_FIRST = {"fragments": bytes([0x01, 0x80, 0, 0, 0, 0])}
_EVERY = 0.02


async def attack(port: int, authorization: str, kind: str) -> None:
    """Flood sockets, one after the other, for ever."""
    handshake = (
        f"GET /api/v1/ws HTTP/1.1\r\nHost: a\r\nAuthorization: {authorization}\r\n"
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n"
    ).encode()
    data = _FRAMES[kind] * 10_000
    while True:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(handshake)
            if b" 101 " not in await reader.readuntil(b"\r\n\r\n"):
                await asyncio.sleep(0.1)
                continue
            writer.write(_FIRST.get(kind, b""))
            while True:
                writer.write(data)
                async with asyncio.timeout(2):
                    await writer.drain()
        except (ConnectionError, TimeoutError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.transport.abort()


async def attack_all(port: int, kind: str, authorizations: list[str]) -> None:
    """Run the attackers of one process."""
    await asyncio.gather(*(attack(port, one, kind) for one in authorizations))


async def latencies(port: int, authorization: str, seconds: float) -> dict[str, list[float]]:
    """Ask for a list and for life at a steady pace; return milliseconds by path."""
    found: dict[str, list[float]] = {"/api/v1/channels": [], "/livez": []}
    headers = {"Authorization": authorization}
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}", headers=headers) as http:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for path, times in found.items():
                began = time.perf_counter()
                async with http.get(path) as answer:
                    await answer.read()
                    answer.raise_for_status()
                times.append((time.perf_counter() - began) * 1000)
            await asyncio.sleep(_EVERY)
    return found


def report(name: str, found: dict[str, list[float]]) -> None:
    """Print the percentiles of each path."""
    for path, times in found.items():
        cuts = statistics.quantiles(times, n=100)
        print(
            f"{name:>10}  {path:<18} {len(times):>5} requests  p50 {cuts[49]:6.1f} ms"
            f"  p99 {cuts[98]:6.1f} ms  max {max(times):6.1f} ms",
            flush=True,
        )


def run(given: argparse.Namespace) -> None:
    """Measure and print."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = stack.enter_context(postgres.running(ROOT / "migrations"))
        cache = stack.enter_context(redis.running())
        issuer = stack.enter_context(auth.running())
        port = free_port()
        env = {
            "CHAT_DATABASE_URL": server.create("chat"),
            "CHAT_PORT": str(port),
            "REDIS_URL": cache.url,
            "AUTH_JWKS_URL": issuer.url,
            "LOG_LEVEL": "warning",
            # The limits themselves are measured here: the defaults, not those out of reach.
            "CHAT_FRAME_RATE": str(ChatConfig.model_fields["frame_rate"].default),
            "CHAT_FRAME_BURST": str(ChatConfig.model_fields["frame_burst"].default),
        }
        stack.enter_context(serving(["services.chat"], port, env, folder / "log", "/readyz"))
        asking = issuer.authorized(subject=str(new_id()))["Authorization"]
        report("quiet", asyncio.run(latencies(port, asking, given.seconds)))
        for kind in _FRAMES:
            users = [
                issuer.authorized(subject=str(new_id()))["Authorization"]
                for _ in range(given.attackers)
            ]
            command = [sys.executable, "-m", "bench.chat.floods", "--attack", str(port), kind]
            attackers = subprocess.Popen([*command, *users], cwd=ROOT)
            try:
                time.sleep(1)
                report(kind, asyncio.run(latencies(port, asking, given.seconds)))
            finally:
                attackers.kill()
                attackers.wait()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--attack"]:
        # Attackers have machines of their own: here they must not take ours from the service.
        os.nice(10)
        asyncio.run(attack_all(int(sys.argv[2]), sys.argv[3], sys.argv[4:]))
    parser = argparse.ArgumentParser(prog="python -m bench.chat.floods", description=__doc__)
    parser.add_argument("--attackers", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=10.0)
    signal.signal(signal.SIGALRM, lambda *_: sys.exit("the run took too long"))
    signal.alarm(240)
    run(parser.parse_args())
