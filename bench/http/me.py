"""One's own account with token, limits, metrics and log lines, against a bare handler.

Logging in is not part of it: `python -m bench.http.me`, or the last part of `make bench`.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg

from bench.http.departments import BARE, OURS, Served, in_turns, options, report
from devstack.embedded.ports import free_port
from devstack.testing import postgres, redis
from devstack.testing.auth import TestIssuer
from lib.auth import Role, SigningKey
from lib.ids import new_id

ROOT = Path(__file__).resolve().parents[2]
PATH = "/api/v1/users/me"
# As above: the limits do their work, and nobody comes near them.
OUT_OF_REACH = {
    "RATE_LIMIT": "1e9",
    "RATE_LIMIT_BURST": "1000000000",
    "USER_RATE_LIMIT": "1000000000",
}


def fill(url: str) -> str:
    """Insert a thousand accounts and return the id of one of them."""
    ids = [new_id() for _ in range(1000)]
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO account (id, email, first_name, last_name, phone_number, role, verified)"
            " VALUES (%s, %s, 'Ann', 'Tester', '995555123456', 'CUSTOMER', true)",
            [(row, f"ann{number}@example.com") for number, row in enumerate(ids)],
        )
        connection.commit()
        connection.autocommit = True
        cursor.execute("VACUUM ANALYZE account")
    return str(ids[500])


@contextmanager
def serving(
    command: list[str], port: int, env: dict[str, str], headers: dict[str, str], log: Path
) -> Iterator[Served]:
    """Run a server; enter when it answers, leave when it has ended."""
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", *command], cwd=ROOT, env=os.environ | env, stdout=out, stderr=out
        )
    try:
        until = time.monotonic() + 20
        request = urllib.request.Request(f"http://127.0.0.1:{port}{PATH}", headers=headers)
        while True:
            try:
                urllib.request.urlopen(request).read()
                break
            except OSError as error:
                if time.monotonic() > until or process.poll() is not None:
                    sys.exit(f"the server did not start: {error}\n{log.read_text()[-2000:]}")
                time.sleep(0.1)
        yield Served(port, process.pid)
    finally:
        process.terminate()
        process.wait(timeout=20)


def run(given: argparse.Namespace) -> None:
    """Measure in turns and print medians and ratios: limits in the process, then in Redis."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = stack.enter_context(postgres.running(ROOT / "migrations"))
        shared = stack.enter_context(redis.running())
        url = server.create("user")
        me = fill(url)
        issuer = TestIssuer(SigningKey.generate())
        headers = issuer.authorized(subject=me, role=Role.CUSTOMER)
        env = {
            "USER_DATABASE_URL": url,
            "USER_JWT_PRIVATE_KEYS": issuer.key.pem().decode(),
            "MAIL_FOLDER": str(folder / "mail"),
            "FILES_FOLDER": str(folder / "files"),
            **OUT_OF_REACH,
        }

        def ours(name: str, **more: str) -> Served:
            port = free_port()
            whole = env | {"USER_PORT": str(port)} | more
            log = folder / f"{name}.log"
            return stack.enter_context(serving(["services.user"], port, whole, headers, log))

        port = free_port()
        command = ["bench.http.bare_me", url, str(port), me]
        bare = stack.enter_context(serving(command, port, {}, headers, folder / "bare.log"))
        cases = {
            "one's own account, limits in the process": ours("alone"),
            "one's own account, limits in Redis": ours("redis", REDIS_URL=shared.url),
        }
        for case, served in cases.items():
            report(case, in_turns({OURS: served, BARE: bare}, PATH, given, headers))
        print(json.dumps({"note": "login excluded; one token, verified once a minute"}))


if __name__ == "__main__":
    run(options())
