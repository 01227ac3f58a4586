"""Find the notifications that functions and triggers of the schema send on declared channels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from aiosqlc.ir import Sent, TypedQuery
from aiosqlc.postgres.catalog.facts import FIRST_USER_OID, Facts
from aiosqlc.postgres.catalog.rows import Function, Trigger
from aiosqlc.postgres.catalog.sending import Setting, names_channel, queries_sent
from aiosqlc.postgres.catalog.types import Types
from aiosqlc.postgres.catalog.words import NotUnderstoodError
from aiosqlc.postgres.describe import describe
from aiosqlc.postgres.infer.notified import sent_in
from aiosqlc.postgres.infer.user_functions import body_queries
from aiosqlc.servers.postgres.connection import Connection, ServerError

_ROW, _BEFORE, _INSTEAD = 1, 2, 64
_EVENTS = {"INSERT": 4, "UPDATE": 16, "DELETE": 8}
_TRIGGER = 2279  # the type of the result of trigger functions
_COMPLEX = "its PL/pgSQL has statements that the compiler does not follow, such as loops or EXECUTE"
_EARLY = "a BEFORE or INSTEAD OF trigger sees rows before their constraints are checked"
# The columns of these rows have no other meaning. Another name may be a variable of PL/pgSQL.
_MISSING = ("column new.", "column old.")
_TYPES = """
select coalesce(a.name, ''), format_type(a.type, null)
from pg_proc p, unnest(p.proargtypes::oid[], p.proargnames) with ordinality a(type, name, n)
where p.oid = $1::oid and a.type is not null order by a.n
"""


@dataclass(frozen=True, slots=True)
class _Text:
    """A query that sends a notification; if `sql` is empty, `why` says why it is unknown."""

    source: str
    sql: str
    body: str
    why: str = ""


def with_senders(
    connection: Connection, facts: Facts, types: Types, queries: Sequence[TypedQuery]
) -> list[TypedQuery]:
    """Return the queries; each declared channel gets what functions of the schema send on it."""
    channels = [query.parsed.channel for query in queries if query.parsed.channel]
    if not channels:
        return list(queries)
    found = [*_of_sql(facts, types), *_of_bodies(connection, facts, types, channels)]
    return [
        replace(query, sends=tuple([sent for sent in found if sent.channel == channel]))
        if (channel := query.parsed.channel)
        else query
        for query in queries
    ]


def _of_sql(facts: Facts, types: Types) -> Iterator[Sent]:
    """Yield what SQL functions send, from the parse trees of their bodies."""
    for function in facts.functions.values():
        if function.oid < FIRST_USER_OID or not function.body:
            continue
        numbers = range(1, function.inputs + 1)
        try:
            sends = sent_in(facts, types, body_queries(facts, function.body), numbers)
        except (LookupError, RecursionError):
            continue
        yield from (replace(sent, source=f"the function `{function.name}`") for sent in sends)


def _of_bodies(
    connection: Connection, facts: Facts, types: Types, channels: Sequence[str]
) -> Iterator[Sent]:
    texts = list(dict.fromkeys(_texts(connection, facts)))
    asked = [text for text in texts if text.sql]
    answers = dict(zip(asked, describe(connection, [text.sql for text in asked]), strict=True))
    for text in texts:
        answer = answers.get(text)
        named = [channel for channel in channels if names_channel(text.body, channel)]
        if answer is None:
            yield from (Sent(channel, text.source, why=text.why) for channel in named)
            continue
        if isinstance(answer, ServerError):
            fails = answer.message.startswith(_MISSING)
            why = f"the server refuses the call: {answer.message}"
            yield from (Sent(channel, text.source, why=why, fails=fails) for channel in named)
            continue
        numbers = range(1, len(answer.param_oids) + 1)
        try:
            sends = sent_in(facts, types, facts.reader.read(answer.tree), numbers)
        except (LookupError, RecursionError):
            yield from (Sent(channel, text.source, why=_COMPLEX) for channel in named)
            continue
        yield from (replace(sent, source=text.source) for sent in sends)


def _texts(connection: Connection, facts: Facts) -> Iterator[_Text]:
    for function in facts.functions.values():
        sends = function.language == "plpgsql" and "notify" in function.source.lower()
        if function.oid < FIRST_USER_OID or not sends:
            continue
        source = f"the function `{function.name}`"
        if function.result != _TRIGGER:
            rows = connection.rows(_TYPES, (str(function.oid),))
            named = {
                str(name): f"(${number}::{kind})" for number, (name, kind) in enumerate(rows, 1)
            }
            yield from _sent(function, source, Setting(named, numbered=len(rows)))
            continue
        for triggers in facts.triggers.values():
            for trigger in triggers:
                if trigger.function == function.oid:
                    yield from _of_trigger(facts, function, trigger)


def _of_trigger(facts: Facts, function: Function, trigger: Trigger) -> Iterator[_Text]:
    table = facts.relations[trigger.relation]
    source = f"the trigger function `{function.name}` of `{table.name}`"
    if trigger.type & (_BEFORE | _INSTEAD):
        yield _Text(source, "", function.source, _EARLY)
        return
    name = f"{_quoted(table.schema)}.{_quoted(table.name)}"
    for event, bit in _EVENTS.items():
        if not trigger.type & bit:
            continue
        values = {
            "tg_op": f"'{event}'::text",
            "tg_table_name": f"{_literal(table.name)}::text",
            "tg_table_schema": f"{_literal(table.schema)}::text",
        }
        rows = _rows(name, event if trigger.type & _ROW else "")
        yield from _sent(function, source, Setting(values, rows, event))


def _rows(table: str, event: str) -> str:
    """Return the FROM clause of the rows NEW and OLD. A row that an event lacks is NULL."""
    new, old = f"{table} AS new", f"{table} AS old"
    if event == "UPDATE":
        return f"{new} CROSS JOIN {old}"
    if event == "INSERT":
        return f"{new} LEFT JOIN {old} ON false"
    if event == "DELETE":
        return f"{old} LEFT JOIN {new} ON false"
    return f"(SELECT 1) AS statement LEFT JOIN {new} ON false LEFT JOIN {old} ON false"


def _sent(function: Function, source: str, setting: Setting) -> Iterator[_Text]:
    try:
        queries = queries_sent(function.source, setting)
    except NotUnderstoodError:
        yield _Text(source, "", function.source, _COMPLEX)
        return
    yield from (_Text(source, sql, function.source) for sql in queries)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
