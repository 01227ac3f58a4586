"""A hot standby confirms the compiler's facts about built-in functions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from aiosqlc.postgres.reading import DENIED, HARMLESS

from tests.servers.postgres import TestPostgres

# Values for arguments, by type; what is called is no use of them, only the call.
SAMPLES = {
    "bigint": "1", "boolean": "true", "bytea": "'a'", "date": "'2000-01-01'",
    "double precision": "1",
    "integer": "1", "interval": "'1 s'", "json": "'{}'", "jsonb": "'{}'", "name": "'pg_class'",
    "numeric": "1", "oid": "1259", "regclass": "'pg_class'", "regtype": "'int4'", "smallint": "1",
    "text": "'a'", "text[]": "'{a}'", "timestamp with time zone": "'2000-01-01'", "uuid":
    "'00000000-0000-0000-0000-000000000000'", '"char"': "'a'", "pg_lsn": "'0/0'",
    "regprocedure": "'now()'", "character varying": "'a'", "xid8": "'3'", "xid": "'3'",
}  # fmt: skip
_FUNCTIONS = """
SELECT proname, coalesce(array_agg(format_type(t, NULL) ORDER BY n) FILTER (WHERE t <> 0), '{}')
FROM pg_proc LEFT JOIN LATERAL unnest(proargtypes::oid[]) WITH ORDINALITY a(t, n) ON true
WHERE pronamespace = 'pg_catalog'::regnamespace AND prokind = 'f'
  AND prorettype NOT IN ('internal'::regtype, 'trigger'::regtype, 'event_trigger'::regtype)
  AND (provolatile <> 'v') = %s
GROUP BY pg_proc.oid, proname
"""
# What a standby says to those that it does not answer: read-only, or "during recovery".
_REFUSALS = {"25006", "55000"}


@contextmanager
def _standby(postgres_server: TestPostgres) -> Iterator[psycopg.Connection[Any]]:
    with (
        postgres_server.standby() as standby,
        psycopg.connect(standby.url("postgres"), autocommit=True) as connection,
    ):
        connection.execute("SET statement_timeout = '2s'")
        yield connection


def _refused(connection: psycopg.Connection[Any], call: str) -> bool:
    try:
        connection.execute(f"SELECT {call}".encode())
    except psycopg.Error as error:
        return error.sqlstate in _REFUSALS and (
            error.sqlstate == "25006" or "recovery" in str(error)
        )
    return False


@pytest.mark.long
def test_a_standby_refuses_no_built_in_that_is_believed_to_read_only(
    postgres_server: TestPostgres,
) -> None:
    refused: set[str] = set()
    denied: set[str] = set()
    called = 0
    with _standby(postgres_server) as connection:
        stable = connection.execute(_FUNCTIONS, (True,)).fetchall()
        volatile = connection.execute(_FUNCTIONS, (False,)).fetchall()
        for name, types in [*stable, *(f for f in volatile if f[0] in HARMLESS)]:
            if not all(kind in SAMPLES for kind in types):
                continue
            arguments = ", ".join(f"{SAMPLES[kind]}::{kind}" for kind in types)
            called += 1
            if _refused(connection, f'pg_catalog."{name}"({arguments})'):
                (denied if name in DENIED else refused).add(name)
    assert refused == set()
    assert {"txid_current", "pg_current_xact_id"} <= denied
    assert called > 1000
