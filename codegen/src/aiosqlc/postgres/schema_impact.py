"""Find the objects that a failed schema statement would have changed.

A statement that only adds an object (a table, a column, an index) does not affect existing facts.
If a statement changes or drops objects, the compiler infers nothing about the objects that the
statement names, and nothing about the objects that depend on these.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from aiosqlc.parse.scanner import Kind, scan, unquote
from aiosqlc.servers.postgres.connection import Connection

_CREATE = (
    r"create\s+(?:(?:global|local|temp|temporary|unlogged|unique|recursive|foreign|materialized"
    r"|default|trusted|procedural)\s+)*"
)
_PROCEDURAL = re.compile(r"(?:do|select|call|perform|execute)\b", re.IGNORECASE)
_NOTHING = re.compile(
    rf"(?:comment|grant|revoke|insert|update|delete|merge|with|copy|set|reset|analyze|vacuum|security"
    rf"|begin|commit|end|start|lock|notify|discard|checkpoint|cluster|reindex|refresh|import"
    rf"|{_CREATE}(?:index|extension|role|user|group|database|tablespace|publication|subscription"
    rf"|server|statistics|event\s+trigger|access\s+method|text\s+search)"
    rf"|alter\s+(?:default\s+privileges|role|user|group|database|system|sequence|index|publication"
    rf"|subscription|event\s+trigger|tablespace|statistics|extension))\b",
    re.IGNORECASE,
)
_ADDS = re.compile(
    rf"{_CREATE}(?:table|view|type|domain|sequence|schema|collation)\s+(?:if\s+not\s+exists\s+)?"
    r'(?P<name>(?:[\w$]+|"(?:[^"]|"")+")(?:\.(?:[\w$]+|"(?:[^"]|"")+"))*)',
    re.IGNORECASE,
)
_OF_A_PARENT = re.compile(r"\b(?:inherits|partition\s+of)\b", re.IGNORECASE)
_TABLE_GROWS = re.compile(
    r'alter\s+table\s+(?:if\s+exists\s+)?(?:only\s+)?[\w$."]+\s*\*?\s*(?P<actions>.*)',
    re.IGNORECASE | re.DOTALL,
)
_GROWING = re.compile(r"\s*(?:add|owner|validate|cluster|replica)\b", re.IGNORECASE)
_TABLE = re.compile(
    rf"(?:alter\s+table\s+(?:if\s+exists\s+)?|{_CREATE}index\b.*?\bon\s+)(?:only\s+)?"
    r'(?P<name>[\w$."]+)',
    re.IGNORECASE | re.DOTALL,
)
_DYNAMIC = re.compile(r"\b(?:execute|perform)\b", re.IGNORECASE)
# Statements other than dropping a whole object, which makes no fact about other objects wrong.
_DANGEROUS = re.compile(
    r"\b(?:alter|trigger|rule|replace|policy|drop\s+(?!table|view|materialized|schema|sequence"
    r"|function|procedure|aggregate|type|extension))\b",
    re.IGNORECASE,
)
_SCHEMAS = re.compile(r"(?:alter|drop)\s+schema\b", re.IGNORECASE)
_OPERATES = re.compile(rf"{_CREATE}(?:operator|cast)\b", re.IGNORECASE)


def words_of(sql: str, *, inside_strings: bool = False) -> frozenset[str]:
    """Return every identifier of a text, in lower case unless quoted."""
    found: set[str] = set()
    for token in scan(sql):
        if token.kind is Kind.NAME:
            found.add(token.text.lower())
        elif token.kind is Kind.QUOTED:
            found.add(unquote(token))
        elif token.kind is Kind.STRING and inside_strings:
            found.update(word.lower() for word in re.findall(r"\w+", token.text))
    return frozenset(found)


def table_of(sql: str) -> frozenset[str]:
    """Return the table that an ALTER TABLE or CREATE INDEX changes."""
    found = _TABLE.match(sql.lstrip())
    return words_of(found["name"].rpartition(".")[2]) if found else frozenset()


def extended_by(sql: str) -> frozenset[str]:
    """Return the table that a statement creates or alters."""
    text = sql.lstrip()
    made = _ADDS.match(text)
    return words_of(made["name"].rpartition(".")[2]) if made else table_of(text)


def is_procedural(sql: str) -> bool:
    """Return whether a statement runs a function or block, whose effects are unknown."""
    return bool(_PROCEDURAL.match(sql.lstrip()))


def changed_by(connection: Connection, sql: str, names: frozenset[str]) -> frozenset[str] | None:
    """Return the names of the objects that a statement may change, or None if it may change any."""
    text = sql.lstrip()
    if _NOTHING.match(text) or _only_grows(text):
        return frozenset()
    if _OPERATES.match(text):
        return None  # operators are used without a name
    if is_procedural(text) and _DYNAMIC.search(text) and _DANGEROUS.search(text):
        return None
    made = _ADDS.match(text)
    if made and not _OF_A_PARENT.search(text):
        names = words_of(made["name"])  # an existing object with that name is another object
    return _depending(connection, names, with_schemas=bool(_SCHEMAS.match(text)))


def _only_grows(sql: str) -> bool:
    """Return whether an ALTER TABLE only adds columns or constraints."""
    found = _TABLE_GROWS.match(sql)
    return found is not None and all(_GROWING.match(part) for part in _parts(found["actions"]))


def _parts(text: str) -> list[str]:
    """Split the actions of an ALTER TABLE at the commas outside parentheses."""
    parts, depth, start = [], 0, 0
    for token in scan(text):
        depth += {"(": 1, ")": -1, "[": 1, "]": -1}.get(token.text, 0)
        if token.text == "," and not depth:
            parts.append(text[start : token.start])
            start = token.end
    return [*parts, text[start:]]


_DEPENDING = """
with recursive named(class, oid) as (
    select 'pg_class'::regclass::oid, coalesce(i.indrelid, c.oid)
    from pg_class c left join pg_index i on i.indexrelid = c.oid
    where c.oid >= 16384 and c.relname = any ($1::text[])
    union select 'pg_class'::regclass, conrelid from pg_constraint
    where conrelid >= 16384 and conname = any ($1::text[])
    union select 'pg_class'::regclass, tgrelid from pg_trigger where tgname = any ($1::text[])
    union select 'pg_class'::regclass, ev_class from pg_rewrite
    where ev_class >= 16384 and rulename = any ($1::text[])
    union select 'pg_type'::regclass, oid from pg_type
    where oid >= 16384 and typname = any ($1::text[])
    union select 'pg_proc'::regclass, oid from pg_proc
    where oid >= 16384 and proname = any ($1::text[])
    union select s.class, s.oid from pg_namespace n cross join lateral (
        select 'pg_class'::regclass::oid as class, oid from pg_class where relnamespace = n.oid
        union all select 'pg_type'::regclass, oid from pg_type where typnamespace = n.oid
        union all select 'pg_proc'::regclass, oid from pg_proc where pronamespace = n.oid
    ) s where $2 and n.nspname = any ($1::text[])
), reached(class, oid) as (
    select class, oid from named
    union
    select next.class, next.oid from reached r cross join lateral (
        select case d.classid when 'pg_rewrite'::regclass then 'pg_class'::regclass::oid
            else d.classid end as class,
            case d.classid
                when 'pg_rewrite'::regclass
                then (select ev_class from pg_rewrite w where w.oid = d.objid)
                else d.objid end as oid
        from pg_depend d
        where d.refclassid = r.class and d.refobjid = r.oid and d.objid >= 16384
            and d.classid in ('pg_class'::regclass, 'pg_type'::regclass, 'pg_proc'::regclass,
                'pg_rewrite'::regclass, 'pg_operator'::regclass, 'pg_cast'::regclass)
        union all
        select 'pg_class'::regclass, inhparent from pg_inherits
        where r.class = 'pg_class'::regclass and inhrelid = r.oid
        union all
        select 'pg_proc'::regclass, p.oid from pg_proc p
        where p.oid >= 16384 and p.prosqlbody is null
            and p.prosrc ~* ('\\m' || regexp_replace(coalesce(
                (select relname from pg_class where r.class = 'pg_class'::regclass and oid = r.oid),
                (select proname from pg_proc where r.class = 'pg_proc'::regclass and oid = r.oid)
            ), '\\W', '.', 'g') || '\\M')
    ) next
)
select coalesce(
    (select relname from pg_class c where r.class = 'pg_class'::regclass and c.oid = r.oid),
    (select typname from pg_type t where r.class = 'pg_type'::regclass and t.oid = r.oid),
    (select proname from pg_proc p where r.class = 'pg_proc'::regclass and p.oid = r.oid),
    '')
from reached r
"""


def _depending(
    connection: Connection, names: Iterable[str], *, with_schemas: bool
) -> frozenset[str] | None:
    """Return the names of the objects with the given names, and of all objects that depend on them.

    With `with_schemas`, the name of a schema stands for all objects in the schema. Return None if
    an operator or a cast depends on one of the objects, because queries use operators and casts
    without a name.
    """
    array = "{" + ",".join('"' + re.sub(r'(["\\])', r"\\\1", name) + '"' for name in names) + "}"
    found = frozenset(
        str(row[0]) for row in connection.rows(_DEPENDING, (array, "t" if with_schemas else "f"))
    )
    return None if "" in found else found
