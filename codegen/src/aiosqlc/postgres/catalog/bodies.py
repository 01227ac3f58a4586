"""Analyse SQL functions and procedures with a string body, for which no parse tree is stored.

If such a routine is created again as `BEGIN ATOMIC … END`, the server stores a tree for the same
statements. This happens in a transaction that is rolled back. A body for which it is impossible
stays unknown.
"""

from __future__ import annotations

import msgspec

from aiosqlc.postgres.catalog.facts import FIRST_USER_OID, Facts
from aiosqlc.postgres.catalog.rows import Function
from aiosqlc.servers.postgres.connection import Connection

_MOST = 500  # functions looked into
# Without OUT parameters: in BEGIN ATOMIC, the server counts them among the names of parameters, and
# takes a name after one of them for another parameter.
_SIGNATURE = """
select (select coalesce(string_agg(concat_ws(' ', quote_ident(nullif(a.name, '')),
                                             format_type(a.type, null)), ', ' order by a.n), '')
        from unnest(coalesce(p.proallargtypes, p.proargtypes::oid[]), p.proargnames, p.proargmodes)
             with ordinality a(type, name, mode, n)
        where coalesce(a.mode, 'i') in ('i', 'b', 'v')),
       coalesce(pg_get_function_result(p.oid), 'record')
from pg_proc p where p.oid = $1::oid and p.proconfig is null
"""
_BODY = "select prosqlbody::text from pg_proc where pronamespace = 'aiosqlc_bodies'::regnamespace"


def look_into_bodies(connection: Connection, facts: Facts) -> None:
    """Add, to `facts`, the parse trees of SQL functions and procedures whose bodies are strings.

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
    """Return whether a function or procedure is written in SQL and stored only as text."""
    users = function.oid >= FIRST_USER_OID and function.kind in "fp"
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
