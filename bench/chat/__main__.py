"""One chat process with thousands of idle sockets and a steady conversation: `make bench`.

Prints memory per idle socket, and what messages cost: delivered per second, latency, CPU seconds.
"""

from __future__ import annotations

import argparse
import json
import resource
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import psutil
import psycopg

from bench.serving import ROOT, cpu_of, serving
from devstack.embedded.ports import free_port
from devstack.testing import auth, postgres, redis
from lib.ids import new_id


def raise_limit() -> None:
    """Let this process and its children open as many sockets as they may."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def fill(url: str, channels: int) -> list[tuple[str, str, str]]:
    """Open channels, each between two people of its own; return (channel, customer, provider)."""
    rows = [(new_id(), new_id(), new_id(), new_id()) for _ in range(channels)]
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO channel (id, kind, subject_id, customer_id, provider_id)"
            " VALUES (%s, 'order', %s, %s, %s)",
            rows,
        )
        cursor.executemany(
            "INSERT INTO member (channel_id, user_id) VALUES (%s, %s), (%s, %s)",
            [(row[0], row[2], row[0], row[3]) for row in rows],
        )
        connection.commit()
    return [(str(row[0]), str(row[2]), str(row[3])) for row in rows]


class Client:
    """The load, a process of its own; it is told lines of JSON and answers with such."""

    def __init__(self, port: int, sockets: list[list[str]]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.chat.load", str(port)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.pid = self._process.pid
        self._tell(sockets)
        self.connected = self._answer()

    def ask(self, question: object) -> dict[str, float]:
        """Tell it something and wait for its answer."""
        self._tell(question)
        return self._answer()

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.communicate()

    def _tell(self, line: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(line) + "\n")
        self._process.stdin.flush()

    def _answer(self) -> dict[str, float]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            sys.exit("the load generator ended")
        found: dict[str, float] = json.loads(line)
        return found


def options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.chat", description=__doc__)
    parser.add_argument("--idle", type=int, default=5000)
    parser.add_argument("--rate", type=float, default=2000.0, help="messages to deliver a second")
    parser.add_argument("--talking", type=int, default=100, help="channels that are spoken in")
    parser.add_argument("--seconds", type=float, default=15.0)
    return parser.parse_args()


def run(given: argparse.Namespace) -> None:
    """Measure and print."""
    raise_limit()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = stack.enter_context(postgres.running(ROOT / "migrations"))
        cache = stack.enter_context(redis.running())
        issuer = stack.enter_context(auth.running())
        url = server.create("chat")
        channels = fill(url, given.talking + (given.idle + 1) // 2)

        def tokens(some: list[tuple[str, str, str]]) -> list[list[str]]:
            return [
                [channel, issuer.authorized(subject=user)["Authorization"]]
                for channel, *people in some
                for user in people
            ]

        port = free_port()
        env = {
            "CHAT_DATABASE_URL": url,
            "CHAT_PORT": str(port),
            "REDIS_URL": cache.url,
            "AUTH_JWKS_URL": issuer.url,
            "LOG_LEVEL": "warning",
        }
        pid = stack.enter_context(
            serving(["services.chat"], port, env, folder / "log", "/readyz")
        ).pid
        service = psutil.Process(pid)
        idle = tokens(channels[given.talking :])[: given.idle]
        before = service.memory_info().rss
        waiting = Client(port, idle)
        stack.callback(waiting.close)
        time.sleep(1)
        held = service.memory_info().rss - before
        print(
            f"{len(idle)} idle sockets, connected in {waiting.connected['seconds']:.1f} s: "
            f"{held / len(idle) / 1024:.1f} KiB of memory each ({held / 1024**2:.0f} MiB)"
        )
        began = cpu_of(pid)
        time.sleep(5)
        print(f"idle: {(cpu_of(pid) - began) / 5 * 100:.1f} % of a processor")

        talkers = Client(port, tokens(channels[: given.talking]))
        stack.callback(talkers.close)
        for name, seconds in (("warm-up", 3.0), ("measured", given.seconds)):
            began, database = cpu_of(pid), cpu_of(server.pid or 0)
            found = talkers.ask({"rate": given.rate, "seconds": seconds})
            if name == "measured":
                report(found, cpu_of(pid) - began, cpu_of(server.pid or 0) - database)


def report(found: dict[str, float], cpu: float, database: float) -> None:
    """Print what was measured."""
    delivered = found["delivered"]
    print(
        f"{found['sent'] / found['seconds']:.0f} messages/s sent, "
        f"{delivered / found['seconds']:.0f} delivered/s to the other member "
        f"(and as many to the author), {found['acked']:.0f} of {found['sent']:.0f} acknowledged, "
        f"{found['missing']:.0f} missing, {found['refused']:.0f} of them refused\n"
        f"latency until delivered: p50 {found['p50_ms']:.1f} ms, p99 {found['p99_ms']:.1f} ms; "
        f"until acknowledged: p50 {found['ack_p50_ms']:.1f} ms, p99 {found['ack_p99_ms']:.1f} ms\n"
        f"CPU in {found['seconds']:.1f} s: service {cpu:.1f} s "
        f"({cpu / delivered * 1e6:.0f} us a message), PostgreSQL {database:.1f} s, "
        f"load generator {found['cpu']:.1f} s"
    )


if __name__ == "__main__":
    # A run that hangs must not hold up the others.
    signal.signal(signal.SIGALRM, lambda *_: sys.exit("the run took too long"))
    signal.alarm(240)
    run(options())
