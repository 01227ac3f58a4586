"""The caller's account with token, limits, metrics and log lines, against a bare handler.

Logging in is not part of it: `python -m bench.http.me`, or the last part of `make bench`.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from contextlib import ExitStack
from pathlib import Path

import psycopg

from bench.http.departments import BARE, OURS, in_turns, options, report
from bench.serving import ROOT, Served, serving
from devstack.embedded.ports import free_port
from devstack.testing import postgres, redis
from devstack.testing.auth import TestIssuer
from lib.auth import Role, SigningKey
from lib.ids import new_id

PATH = "/api/v1/users/me"


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
        }

        def ours(name: str, **more: str) -> Served:
            port = free_port()
            whole = env | {"USER_PORT": str(port)} | more
            log = folder / f"{name}.log"
            return stack.enter_context(serving(["services.user"], port, whole, log, PATH, headers))

        port = free_port()
        command = ["bench.http.bare_me", url, str(port), me]
        log = folder / "bare.log"
        bare = stack.enter_context(serving(command, port, {}, log, PATH, headers))
        cases = {
            "the caller's account, limits in the process": (ours("alone"), 0.85),
            "the caller's account, limits in Redis": (ours("redis", REDIS_URL=shared.url), 0.75),
        }
        for case, (served, bar) in cases.items():
            found = in_turns({OURS: served, BARE: bare}, PATH, given, headers)
            report(case, found, [(OURS, BARE, bar)])
        print(json.dumps({"note": "login excluded; one token, verified once a minute"}))


if __name__ == "__main__":
    run(options())
