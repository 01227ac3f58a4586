"""Find the notifications that functions and triggers of a schema send on declared channels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace

from aiosqlc.ir import Sent, TypedQuery
from aiosqlc.postgres.catalog.facts import FIRST_USER_OID, Facts
from aiosqlc.postgres.catalog.rows import Function, Trigger
from aiosqlc.postgres.catalog.sending import (
    Setting,
    computes_channel,
    names_channel,
    names_new,
    queries_sent,
)
from aiosqlc.postgres.catalog.types import Types
from aiosqlc.postgres.catalog.words import NotUnderstoodError
from aiosqlc.postgres.describe import Described, describe
from aiosqlc.postgres.infer.notified import sent_in
from aiosqlc.postgres.infer.user_functions import body_queries
from aiosqlc.servers.postgres.connection import Connection, ServerError

_ROW, _BEFORE, _INSTEAD = 1, 2, 64
_EVENTS = {"INSERT": 4, "UPDATE": 16, "DELETE": 8, "TRUNCATE": 32}
_TRIGGER = 2279  # the type of the result of trigger functions
_COMPLEX = "the body has statements that the compiler does not follow, such as loops or EXECUTE"
_EARLY = "a BEFORE or INSTEAD OF trigger sees rows before their constraints are checked"
_VIRTUAL = "in NEW and OLD, virtual generated columns are NULL"
_CONFIGURED = "the function has a SET clause, which may change the meaning of its statements"
_NOT_READ = "the compiler does not support the body of the function"
_SEARCH = "select set_config('search_path', $1, false)"
_NOT_FOUND = "the body contains the channel's name, but the channel of pg_notify is not a constant"
# The columns of these rows have no other meaning. Another name may be a variable of PL/pgSQL.
_MISSING = ("column new.", "column old.")
_TYPES = """
select coalesce(a.name, ''), format_type(a.type, null)
from pg_proc p, unnest(
    coalesce(p.proallargtypes, p.proargtypes::oid[]), p.proargnames, p.proargmodes
) with ordinality a(type, name, mode, n)
where p.oid = $1::oid and a.type is not null and coalesce(a.mode, 'i') in ('i', 'b', 'v')
order by a.n
"""


class _Text(Struct, frozen=True):
    """A query by which a function sends a notification.

    If the query is unknown, `sql` is empty and `why` is the reason. `path` is the search_path that
    the function sets, or None.
    """

    source: str
    sql: str
    body: str
    why: str = ""
    path: str | None = None


def with_senders(
    connection: Connection, facts: Facts, types: Types, queries: Sequence[TypedQuery]
) -> list[TypedQuery]:
    """Add, to each query that declares a channel, the notifications that functions send on it."""
    channels = [query.parsed.channel for query in queries if query.parsed.channel]
    if not channels:
        return list(queries)
    found = [
        *_of_sql(facts, types, channels),
        *_of_bodies(connection, facts, types, channels),
    ]
    return [
        replace(query, sends=tuple([sent for sent in found if sent.channel == channel]))
        if (channel := query.parsed.channel)
        else query
        for query in queries
    ]


def _of_sql(facts: Facts, types: Types, channels: Sequence[str]) -> Iterator[Sent]:
    """Yield the notifications that SQL functions send, from the parse trees of their bodies."""
    for function in facts.functions.values():
        if function.oid < FIRST_USER_OID or function.language != "sql":
            continue
        source, numbers = f"the function `{function.name}`", range(1, function.inputs + 1)
        sends: tuple[Sent, ...] = ()
        known = function.body != ""
        try:
            sends = sent_in(facts, types, body_queries(facts, function.body), numbers)
        except (LookupError, RecursionError):
            known = False
        yield from (replace(sent, source=source) for sent in sends)
        if "notify" in function.source.lower() and not known:
            named = [channel for channel in channels if names_channel(function.source, channel)]
            yield from (Sent(channel, source, why=_NOT_READ) for channel in named)


def _of_bodies(
    connection: Connection, facts: Facts, types: Types, channels: Sequence[str]
) -> Iterator[Sent]:
    texts = list(dict.fromkeys(_texts(connection, facts)))
    answers = _answers(connection, texts)
    sent: dict[tuple[str, str], set[str]] = {}
    for text in texts:
        found = list(_of_text(facts, types, text, answers.get(text), channels))
        sent.setdefault((text.source, text.body), set()).update(item.channel for item in found)
        yield from found
    for (source, body), known in sent.items():
        if computes_channel(body):
            others = [name for name in channels if name not in known and names_channel(body, name)]
            yield from (Sent(name, source, why=_NOT_FOUND) for name in others)


def _answers(
    connection: Connection, texts: Sequence[_Text]
) -> dict[_Text, Described | ServerError]:
    """Return the server's description of each query, under the search_path of its function."""
    found: dict[_Text, Described | ServerError] = {}
    ((searched,),) = connection.rows("SHOW search_path")
    for path in dict.fromkeys(text.path for text in texts):
        asked = [text for text in texts if text.sql and text.path == path]
        connection.rows(_SEARCH, (str(searched if path is None else path),))
        try:
            sql = [text.sql for text in asked]
            found |= zip(asked, describe(connection, sql), strict=True)
        finally:
            connection.rows(_SEARCH, (str(searched),))
    return found


def _of_text(
    facts: Facts,
    types: Types,
    text: _Text,
    answer: Described | ServerError | None,
    channels: Sequence[str],
) -> Iterator[Sent]:
    named = [channel for channel in channels if names_channel(text.body, channel)]
    if answer is None:
        yield from (Sent(channel, text.source, why=text.why) for channel in named)
    elif isinstance(answer, ServerError):
        fails = answer.message.startswith(_MISSING)
        why = f"the server refuses the call: {answer.message}"
        yield from (Sent(channel, text.source, why=why, fails=fails) for channel in named)
    else:
        numbers = range(1, len(answer.param_oids) + 1)
        try:
            sends = sent_in(facts, types, facts.reader.read(answer.tree), numbers)
        except (LookupError, RecursionError):
            yield from (Sent(channel, text.source, why=_COMPLEX) for channel in named)
        else:
            yield from (replace(sent, source=text.source) for sent in sends)


def _texts(connection: Connection, facts: Facts) -> Iterator[_Text]:
    for function in facts.functions.values():
        sends = function.language == "plpgsql" and "notify" in function.source.lower()
        if function.oid < FIRST_USER_OID or not sends:
            continue
        source = f"the function `{function.name}`"
        if function.result != _TRIGGER:
            rows = connection.rows(_TYPES, (str(function.oid),))
            values = {
                key: f"(${number}::{kind})"
                for number, (name, kind) in enumerate(rows, 1)
                for key in (str(name), f"${number}")
            }
            yield from _sent(function, source, Setting(values, numbered=len(rows)))
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
    virtual = [column.name for column in facts.columns[trigger.relation] if column.virtual]
    if virtual and names_new(function.source, virtual):
        yield _Text(source, "", function.source, _VIRTUAL)
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
        hidden = frozenset(trigger.transitions)
        yield from _sent(function, source, Setting(values, rows, event, hidden=hidden))


def _rows(table: str, event: str) -> str:
    """Return a FROM clause with the rows NEW and OLD; a row that the event lacks is NULL."""
    new, old = f"{table} AS new", f"{table} AS old"
    if event == "UPDATE":
        return f"{new} CROSS JOIN {old}"
    if event == "INSERT":
        return f"{new} LEFT JOIN {old} ON false"
    if event == "DELETE":
        return f"{old} LEFT JOIN {new} ON false"
    return f"(SELECT 1) AS statement LEFT JOIN {new} ON false LEFT JOIN {old} ON false"


def _sent(function: Function, source: str, setting: Setting) -> Iterator[_Text]:
    if function.configured:
        yield _Text(source, "", function.source, _CONFIGURED)
        return
    try:
        queries = queries_sent(function.source, setting)
    except NotUnderstoodError as error:
        yield _Text(source, "", function.source, str(error) or _COMPLEX)
        return
    for sql in queries:
        yield _Text(source, sql, function.source, path=function.path)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
