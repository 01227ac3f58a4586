"""Analyse SQL functions with a string body, for which the server stores no parse tree.

If such a function is created again as `BEGIN ATOMIC … END`, the server stores a tree for the same
statements. This happens in a transaction that is rolled back. A body for which it is impossible
stays unknown.
"""

from __future__ import annotations

import msgspec

from aiosqlc.postgres.catalog.facts import FIRST_USER_OID, Facts
from aiosqlc.postgres.catalog.rows import Function
from aiosqlc.servers.postgres.connection import Connection

_MOST = 500  # functions looked into
_SIGNATURE = """
select pg_get_function_identity_arguments(oid), pg_get_function_result(oid)
from pg_proc where oid = $1::oid and proconfig is null
"""
_BODY = "select prosqlbody::text from pg_proc where pronamespace = 'aiosqlc_bodies'::regnamespace"


def look_into_bodies(connection: Connection, facts: Facts) -> None:
    """Add, to `facts`, the parse trees of SQL functions whose bodies are strings.

    The database must belong to the compiler.
    """
    closed = [f for f in facts.functions.values() if is_closed(f)][:_MOST]
    if not closed:
        return
    connection.run("begin")
    connection.run("create schema aiosqlc_bodies")
    for function in closed:
        connection.run("savepoint before_body")
        body = _body(connection, function)
        if body:
            facts.functions[function.oid] = msgspec.structs.replace(function, body=body)
        connection.run("rollback to before_body")
    connection.run("rollback")


def is_closed(function: Function) -> bool:
    """Return whether a function is written in SQL and stored only as text."""
    users = function.oid >= FIRST_USER_OID and function.kind == "f"
    return users and function.language == "sql" and not function.body


def _body(connection: Connection, function: Function) -> str:
    found = connection.rows(_SIGNATURE, (str(function.oid),))
    if not found:
        return ""
    arguments, result = found[0]
    refused = connection.run(
        f"create function aiosqlc_bodies.body({arguments}) returns {result} language sql"
        f" begin atomic {function.source}\n; end"
    )
    return "" if refused else connection.rows(_BODY)[0][0] or ""
