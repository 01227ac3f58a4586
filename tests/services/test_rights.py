"""An attacker with a service's database role can do only what the service's queries do."""

from __future__ import annotations

from collections.abc import Iterator

import asyncpg
import pytest

from devstack.testing.postgres import TestPostgres
from devstack.testing.roles import as_service

# What the owner of the tables could do, which each service was until it got a role of its own.
ATTACKS = {
    "user": [
        "DELETE FROM audit_entry",
        "UPDATE audit_entry SET actor = 'nobody'",
        "TRUNCATE audit_entry",
        "ALTER TABLE audit_entry DISABLE TRIGGER ALL",
        "DROP TRIGGER audit_entry_append_only ON audit_entry",
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE sql AS ''",
    ],
    "point": [
        "UPDATE point_balance SET balance = 1000000",
        "INSERT INTO point_balance (user_id, balance) VALUES (gen_random_uuid(), 7)",
        "UPDATE point_entry SET amount = 1000000",
        "DELETE FROM point_entry",
        "ALTER TABLE point_balance DISABLE TRIGGER point_balance_follows_ledger",
    ],
    "product": [
        "DELETE FROM stock_movement",
        "UPDATE stock_movement SET delta = 0",
        "UPDATE price_change SET price = 0",
    ],
    # with chat, from here
    "chat": [
        "DROP TABLE message",
        "DELETE FROM message",
        "CREATE TABLE kept AS SELECT * FROM message",
    ],
    # with chat, to here
    "order": ["DELETE FROM goods_order", "COPY goods_order TO PROGRAM 'cat'", "DROP TABLE job"],
}


@pytest.fixture(params=ATTACKS)
def attacked(request: pytest.FixtureRequest, postgres_server: TestPostgres) -> Iterator[str]:
    name: str = request.param
    url = postgres_server.create(name)
    yield name + " " + as_service(url)
    postgres_server.give_back(url)


async def test_a_service_that_is_taken_over_rewrites_no_ledger_and_no_schema(attacked: str) -> None:
    name, url = attacked.split()
    connection = await asyncpg.connect(url)
    done = []
    for attack in ATTACKS[name]:
        try:
            await connection.execute(attack)
            done.append(attack)
        except (asyncpg.InsufficientPrivilegeError, asyncpg.IntegrityConstraintViolationError):
            pass
    await connection.close()
    assert done == []
