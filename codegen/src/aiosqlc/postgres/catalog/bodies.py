"""Analyse SQL functions and procedures with a string body, for which no parse tree is stored.

A copy of the routine is created with the same statements in `BEGIN ATOMIC … END`, for which the
server stores a parse tree. Then the transaction is rolled back. The queries that a simple PL/pgSQL
body returns are analysed in the same way. A body for which this is impossible stays unknown.
"""

from __future__ import annotations

import msgspec

from aiosqlc.postgres.catalog.facts import FIRST_USER_OID, Facts
from aiosqlc.postgres.catalog.lookup import MOVERS, Hidden, calls_of, moving_functions
from aiosqlc.postgres.catalog.procedural import returns_of
from aiosqlc.postgres.catalog.rows import Function, Returned
from aiosqlc.servers.postgres.connection import Connection

_NO_VALUE = frozenset({2278, 2279, 3838})  # the types void, trigger and event_trigger
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
# In PL/pgSQL, the value of a function with OUT or INOUT parameters is not that of a RETURN.
_COLUMNS = """
select coalesce(a.name, '') from pg_proc p, unnest(p.proargnames, p.proargmodes) a(name, mode)
where p.oid = $1::oid and a.mode = 't'
union all
select null from pg_proc p where p.oid = $1::oid and p.proargmodes && '{o,b}'
"""
_BODY = "select prosqlbody::text from pg_proc where pronamespace = 'aiosqlc_bodies'::regnamespace"

_HIDDEN = """
select distinct refobjid, classid = 'pg_trigger'::regclass from pg_depend
where refclassid = 'pg_proc'::regclass and classid <> 'pg_proc'::regclass and refobjid >= 16384
"""
_MOVERS = "select oid from pg_proc where proname = any ($1::text[])"
_DEFAULTS = """
select oid, proargdefaults::text from pg_proc where proargdefaults is not null and oid >= 16384
"""
_SETTINGS = "select 'pg_settings'::regclass::oid"
# The functions whose names are looked up in another search_path than that of the session.
_ELSEWHERE = "select oid from pg_proc where oid >= 16384 and proconfig::text ~* 'search_path'"
# The parse trees of views, rules, defaults, constraints, triggers and policies that call a mover.
_SETS = """
select 1 from (
    select ev_action::text || ev_qual::text from pg_rewrite where oid >= 16384
    union all select adbin::text from pg_attrdef
    union all select conbin::text from pg_constraint where conbin is not null
    union all select tgqual::text from pg_trigger where tgqual is not null
    union all select concat(polqual::text, polwithcheck::text) from pg_policy
) stored(tree) where tree ~ $1 limit 1
"""


def look_into_bodies(connection: Connection, facts: Facts) -> None:
    """Add, to `facts`, the parse trees of functions and procedures whose bodies are strings.

    The database must belong to the compiler.
    """
    closed = [f for f in facts.functions.values() if is_closed(f)][:_MOST]
    if not closed:
        return
    connection.run("begin")
    connection.run("create schema aiosqlc_bodies")
    connection.run("savepoint before_body")
    for function in closed:
        found = connection.rows(_SIGNATURE, (str(function.oid),))
        if not found:
            continue
        arguments, result = found[0]
        seen = function
        if function.language == "sql":
            body = _tree(connection, arguments, result or "", function.source)
            seen = msgspec.structs.replace(function, body=body)
        elif returned := _returned(connection, arguments, function):
            seen = msgspec.structs.replace(function, returned=returned)
        facts.functions[function.oid] = seen
    connection.run("rollback")
    # A name in a string body may mean another table after one of these functions has run.
    moving = moving_functions(facts.functions.values(), _hidden(connection))
    for function in closed:
        if function.oid in moving.functions:
            facts.functions[function.oid] = function
    facts.moving = moving
    # In a function with another search_path, the names in the bodies that it calls differ.
    for (oid,) in connection.rows(_ELSEWHERE):
        outer = facts.functions.get(int(str(oid)))
        if outer is not None and any(one >= FIRST_USER_OID for one in calls_of(outer.body)):
            facts.functions[outer.oid] = msgspec.structs.replace(outer, body="")


def _hidden(connection: Connection) -> Hidden:
    """Return the functions that a statement runs without a call in its text, such as triggers."""
    users = [(int(str(oid)), trigger == "t") for oid, trigger in connection.rows(_HIDDEN)]
    names = "{" + ",".join(sorted(MOVERS)) + "}"
    movers = frozenset(int(str(oid)) for (oid,) in connection.rows(_MOVERS, (names,)))
    called = f":funcid ({'|'.join(map(str, sorted(movers)))}) "
    ((settings,),) = connection.rows(_SETTINGS)
    return Hidden(
        frozenset(oid for oid, trigger in users if trigger),
        frozenset(oid for oid, trigger in users if not trigger),
        bool(connection.rows(_SETS, (called,))),
        movers,
        {int(str(oid)): str(tree) for oid, tree in connection.rows(_DEFAULTS)},
        int(str(settings)),
    )


def is_closed(function: Function) -> bool:
    """Return whether a routine has a body that is stored only as text and that may be analysed."""
    users = function.oid >= FIRST_USER_OID and not function.body
    if function.language == "plpgsql":
        return users and function.kind == "f" and function.result not in _NO_VALUE
    return users and function.kind in "fp" and function.language == "sql"


def _tree(connection: Connection, arguments: str | None, result: str, body: str) -> str:
    """Return the parse tree of a body's statements, or '' if the server does not accept them."""
    refused = connection.run(
        f"rollback to before_body; create function aiosqlc_bodies.body({arguments})"
        f" returns {result} language sql begin atomic {body}\n; end"
    )
    if refused:
        connection.run("rollback to before_body")
        return ""
    return connection.rows(_BODY)[0][0] or ""


def _returned(
    connection: Connection, arguments: str | None, function: Function
) -> tuple[Returned, ...]:
    columns = [name for (name,) in connection.rows(_COLUMNS, (str(function.oid),))]
    outputs = {name for name in columns if name is not None}
    if len(outputs) < len(columns):
        return ()
    found = []
    for query in returns_of(function.source, function.name, function.arguments, outputs):
        trees = [_tree(connection, arguments, "setof record", text) for text in query.texts]
        if not all(trees):
            return ()
        found.append(Returned(tuple(trees), query.single))
    return tuple(found)
