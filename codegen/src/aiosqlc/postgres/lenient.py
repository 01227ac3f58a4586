"""Replace schema statements that the server refuses and that affect no query.

Storage, compression, owners, bodies in other languages, and indexes that only affect speed do not
change types or proofs. If a proof could depend on an omitted part, the omission is reported.
"""

from __future__ import annotations

import hashlib
import itertools
import re
from collections.abc import Callable, Collection

from msgspec import Struct

from aiosqlc.analysis.advice.words import TYPES
from aiosqlc.diagnostics import Diagnostic
from aiosqlc.parse.scanner import Kind, scan
from aiosqlc.servers.postgres.connection import ServerError

_I = re.IGNORECASE
_IS = re.IGNORECASE | re.DOTALL


class Instead(Struct, frozen=True):
    """The statements that replace a refused statement, and the messages about the replacement.

    `partly` means that the statement still counts as failed, although later statements can rely on
    the replacement.
    """

    run: tuple[str, ...] = ()
    said: str = ""
    hint: str = ""
    partly: bool = False


NOTHING = Instead()
CONSTRAINT_SKIPPED = "a constraint is skipped, because the embedded server lacks its operator class"

# Statements that must not affect a temporary database, or that affect the whole server.
_WITHOUT_EFFECT = re.compile(
    r"(?:(?:create|alter|drop)\s+(?:database|tablespace|subscription|publication|event\s+trigger)"
    r"|(?:alter|drop)\s+(?:role|group|user(?!\s+mapping))|alter\s+system|security\s+label|load|listen|unlisten|notify|checkpoint"
    r"|create\s+(?:or\s+replace\s+)?(?:trusted\s+)?(?:procedural\s+)?language)\b"
    # a file already runs in one transaction or in none
    r"|(?:begin|commit|end|start\s+transaction)(?:\s+(?:work|transaction))?\s*$",
    _I,
)


def without_effect(sql: str) -> bool:
    """Return whether a statement is skipped to protect the server and the temporary database."""
    return bool(_WITHOUT_EFFECT.match(_head(sql)))


def _head(sql: str) -> str:
    """Return the first words of a statement; skip its comments."""
    tokens = (token.text for token in scan(sql) if token.kind is not Kind.COMMENT)
    return " ".join(itertools.islice(tokens, _HEAD))


_HEAD = 8
_CREATES = re.compile(
    r"create (?:or replace )?(?:(?:unlogged|materialized|recursive|foreign) )*"
    r"(?:table|view|type|domain|sequence|function|procedure|aggregate)\b",
    _I,
)


def creates(sql: str) -> bool:
    """Return whether a statement creates an object that belongs to a schema."""
    return _CREATES.match(_head(sql)) is not None


_NEW_ROLE = re.compile(r'create (?:role|user|group) ("(?:[^"]|"")+"|[\w$]+)', _I)


def new_role(sql: str) -> str:
    """Return the role that a statement creates, as written, or ''."""
    found = _NEW_ROLE.match(_head(sql))
    return found[1] if found and found[1].lower() != "mapping" else ""


_TEMPORARY = re.compile(
    r"(\s*create\s+)((?:global\s+|local\s+)?temp(?:orary)?)(\s+(?:table|view|sequence)\b)", _I
)
_ON_COMMIT_DROP = re.compile(r"on\s+commit\s+drop", _I)
_ON_COMMIT = re.compile(r"\bon\s+commit\s+(?:preserve|delete)\s+rows", _I)


def lasting(sql: str) -> str:
    """Return the statement with a permanent table instead of a temporary table.

    The positions of all other words stay the same. A table with ON COMMIT DROP stays temporary.
    """
    found = _TEMPORARY.match(sql)
    if found is None or _ON_COMMIT_DROP.search(sql):
        return sql
    sql = found[1] + " " * len(found[2]) + found[3] + sql[found.end() :]
    return _ON_COMMIT.sub(lambda clause: " " * len(clause[0]), sql)


def instead_of(sql: str, error: ServerError) -> Instead | None:
    """Return the replacement for a refused statement, or None if there is none."""
    sql = sql.lstrip()
    for state, message, remedy in _REMEDIES:
        if error.state == state and (found := re.search(message, error.message)):
            instead = remedy(sql, found)
            if instead is not None and instead.run != (sql,):
                return instead
    if _ROUTINE.match(sql):  # its body may be valid once all objects exist
        off, on = "set check_function_bodies = off", "set check_function_bodies = on"
        return Instead((off, sql, on))
    return None


# --- remedies -------------------------------------------------------------------------------------

_ROUTINE = re.compile(r"create\s+(?:or\s+replace\s+)?(?:function|procedure)\b", _I)
_SETS = re.compile(r"set\b|alter\s+(?:role|user|database)\b", _I)
_ALTERS_ONLY = re.compile(
    r"alter\s+(?:table|index|materialized\s+view|view)\s+(?:if\s+exists\s+)?(?:only\s+)?[\w$.\"]+"
    r"\s+(?:re)?set\s*(?:\(|tablespace|access\s+method|logged|unlogged)",
    _I,
)
_PLAIN_INDEX = re.compile(r"create\s+index\b", _I)
_TABLESPACE = re.compile(r'\s+(?:using\s+index\s+)?tablespace\s+(?:"[^"]+"|\w+)', _I)
_OPTIONS = re.compile(r"\bwith\s*\([^()]*\)", _IS)
_USING = r"\s+using\s+\"?{}\"?"
_KEYS = re.compile(r"\bexclude\b|\bwithout\s+overlaps\b", _I)
_LANGUAGE = r"\blanguage\s+['\"]?{}['\"]?"


def _other_compression(sql: str, _: re.Match[str]) -> Instead:
    return Instead((re.sub(r"\blz4\b", "pglz", sql, flags=_I),))


def _own_tablespace(sql: str, _: re.Match[str]) -> Instead:
    return NOTHING if _ALTERS_ONLY.match(sql) else Instead((_TABLESPACE.sub("", sql),))


def _own_parameters(sql: str, _: re.Match[str]) -> Instead | None:
    if _SETS.match(sql) or _ALTERS_ONLY.match(sql):
        return NOTHING
    return Instead((_OPTIONS.sub("", sql),))


def _own_storage(sql: str, found: re.Match[str]) -> Instead:
    if _PLAIN_INDEX.match(sql) or _ALTERS_ONLY.match(sql):
        return NOTHING
    return Instead((re.sub(_USING.format(re.escape(found[1])), "", sql, flags=_I),))


def _no_such_class(sql: str, _: re.Match[str]) -> Instead | None:
    """Skip an index or key constraint that needs an operator class that the server lacks.

    The index only speeds up queries, and the constraint only rejects rows.
    """
    if _PLAIN_INDEX.match(sql):
        return NOTHING
    left = _without_items(sql, _KEYS)
    if left is None:
        return None
    return Instead(
        (left,) if left else (),
        CONSTRAINT_SKIPPED,
        (
            "proofs do not use this constraint; set `database.uri` to a server with this "
            "operator class"
        ),
    )


_KEYLESS = re.compile(
    r"^there is no (?:unique constraint matching given keys|primary key)"
    r' for referenced table "(.+)"'
)


def without_reference(sql: str, error: ServerError, keyless: Collection[str]) -> Instead | None:
    """Skip the foreign keys with PERIOD that refer to a key that was skipped.

    `keyless` are the names of the tables with a skipped constraint.
    """
    found = _KEYLESS.search(error.message)
    if found is None or found[1] not in keyless:
        return None
    named = rf'(?:[\w$"]+\.)?"?{re.escape(found[1])}"?(?![\w$"])'
    refers = rf"\bforeign\s+key\b.*\bperiod\b.*\breferences\s+{named}"
    left = _without_items(sql.lstrip(), re.compile(refers, _IS))
    if left is None:
        return None
    return Instead(
        (left,) if left else (),
        f'a foreign key is skipped, because a constraint of the table "{found[1]}" is skipped',
        "proofs do not use this foreign key; set `database.uri` to a server with btree_gist",
    )


def _known_language(sql: str, found: re.Match[str]) -> Instead:
    language = _LANGUAGE.format(re.escape(found[1]))
    off, on = "set check_function_bodies = off", "set check_function_bodies = on"
    return Instead((off, re.sub(language, "language plpgsql", sql, flags=_I), on))


def _without_key(sql: str, found: re.Match[str]) -> Instead | None:
    """Remove the foreign keys that refer to a missing table. Then no proof can use these keys."""
    target = found[1].rpartition(".")[2]
    refers = rf"\breferences\s+(?:[\w$\"]+\.)?\"?{re.escape(target)}\"?(?![\w$\"])"
    if not re.search(refers, sql, _I):
        return None
    table_wide = re.compile(rf"\bforeign\s+key\b.*{refers}", _IS)
    left = _without_items(sql, table_wide)
    if left == "":
        return Instead(partly=True)
    clause = (
        rf"(?:constraint\s+[\w$\"]+\s+)?{refers}(?:\s*\([^()]*\))?"
        r"(?:\s+(?:match\s+\w+|on\s+(?:delete|update)\s+(?:cascade|restrict|no\s+action"
        r"|set\s+(?:null|default)(?:\s*\([^()]*\))?)|not\s+deferrable|deferrable|not\s+enforced"
        r"|enforced|initially\s+\w+|not\s+valid))*"
    )
    return Instead((re.sub(clause, "", left or sql, flags=_IS),), partly=True)


_TRIGGER = re.compile(r"create\s+(?:or\s+replace\s+)?(?:constraint\s+)?trigger\b", _I)


def _absent_function(sql: str, found: re.Match[str]) -> Instead | None:
    """Create a trigger whose function is missing, with a stub as its function.

    The stub is renamed afterwards, so that no other statement calls it.
    """
    if not _TRIGGER.match(sql):
        return None
    name, aside = found[1], f"absent_{hashlib.sha256(sql.encode()).hexdigest()[:16]}"
    make = f"create function {name}() returns trigger language plpgsql as 'begin return new; end'"
    return Instead((make, sql, f"alter function {name}() rename to {aside}"), partly=True)


def _column_is_there(sql: str, found: re.Match[str]) -> Instead | None:
    """Skip an ADD COLUMN if the column exists.

    sqlc ignores DO blocks. So a schema for sqlc repeats the columns that a DO block adds.
    """
    again = re.compile(rf"\badd\s+(?:column\s+)?\"?{re.escape(found[1])}\"?(?![\w$])", _I)
    left = _without_items(sql, again)
    if left is None:
        return None
    return Instead(
        (left,) if left else (),
        f'skipped, because an earlier statement created the column "{found[1]}"',
        (
            "if only sqlc needs this statement, ignore the warning; otherwise write `ADD COLUMN "
            "IF NOT EXISTS`"
        ),
    )


def _public_is_there(sql: str, _: re.Match[str]) -> Instead | None:
    return NOTHING if re.match(r"create\s+schema\b", sql, _I) else None


_SWITCHES = re.compile(
    r"alter\s+(?:foreign\s+)?table\s+(?:if\s+exists\s+)?(?:only\s+)?\S+\s+"
    r"(?:enable|disable)\s+(?:(?:replica|always)\s+)?(?:trigger|rule)\s+(?:\"[^\"]*\"|[\w$]+)\s*$",
    _I,
)


def _nothing_to_switch(sql: str, _: re.Match[str]) -> Instead | None:
    """Skip a statement that only enables or disables a missing trigger or rule."""
    said = "skipped, because the object to enable or disable does not exist"
    return Instead(said=said) if _SWITCHES.match(sql) else None


_SYSTEM = re.compile(
    r"create\s+(?:or\s+replace\s+)?(?:table|view|schema)\s+(?:if\s+not\s+exists\s+)?"
    r"\"?(?:information_schema|pg_catalog)\b",
    _I,
)


def _of_the_server(sql: str, _: re.Match[str]) -> Instead | None:
    """Skip a statement that creates a built-in object, because only other tools need it."""
    said = "skipped, because the server already has this object"
    return Instead(said=said) if _SYSTEM.match(sql) else None


_FOREIGN_TYPES = {
    **dict.fromkeys(("blob", "tinyblob", "mediumblob", "longblob"), "bytea"),
    **dict.fromkeys(("tinytext", "mediumtext", "longtext"), "text"),
    "datetime": "timestamp",
    "tinyint": "smallint",
    "mediumint": "integer",
}


def _of_another_engine(sql: str, found: re.Match[str]) -> Instead | None:
    name = found[1]
    ours = _FOREIGN_TYPES.get(name)
    if ours is None:
        return None
    return Instead(
        (f"create domain public.{name} as {ours}", sql),
        f"`{name}` is not a PostgreSQL type; {ours} is used instead",
        f"for PostgreSQL write `{TYPES.get(name, ours)}`; if SQLite also uses this schema, choose"
        f" another type with `CREATE DOMAIN {name} AS …;` in a file under `shims`; an INSERT may"
        " omit an INTEGER PRIMARY KEY, as in SQLite",
    )


# In schemas shared with SQLite, such a key gets a generated value if an INSERT omits it.
COUNTED_KEYS = """
do $$
declare
    key record;
begin
    for key in
        select c.conrelid::regclass as relation, a.attname from pg_constraint c
        join pg_attribute a on a.attrelid = c.conrelid and a.attnum = c.conkey[1]
        where c.contype = 'p' and cardinality(c.conkey) = 1 and not a.atthasdef
            and a.attidentity = '' and a.atttypid in ('int4'::regtype, 'int8'::regtype)
            and c.connamespace not in ('pg_catalog'::regnamespace)
    loop
        execute format('alter table %s alter column %I add generated by default as identity',
            key.relation, key.attname);
    end loop;
end $$
"""


def is_foreign_type(note: Diagnostic) -> bool:
    """Return whether a message reports that a PostgreSQL type replaces another engine's type."""
    return "is not a PostgreSQL type" in note.message


_Remedy = Callable[[str, re.Match[str]], Instead | None]
_REMEDIES: tuple[tuple[str, str, _Remedy], ...] = (
    ("0A000", r"compression method lz4", _other_compression),
    ("42704", r"^tablespace ", _own_tablespace),
    ("22023", r"unrecognized parameter", _own_parameters),
    ("22023", r"invalid value for parameter", _own_parameters),
    ("42704", r"unrecognized configuration parameter", _own_parameters),
    ("42704", r'^access method "([^"]+)"', _own_storage),
    ("42704", r"operator class", _no_such_class),
    ("42704", r'language "([^"]+)" does not exist', _known_language),
    ("42704", r'type "([^"]+)" does not exist', _of_another_engine),
    ("42P01", r'relation "([^"]+)" does not exist', _without_key),
    ("42883", r"^function ([\w$.\"]+)\(\) does not exist", _absent_function),
    ("42701", r'^column "([^"]+)" of relation "[^"]+" already exists', _column_is_there),
    ("42704", r"^(?:trigger|rule) .* does not exist", _nothing_to_switch),
    ("42501", r"is a system trigger", _nothing_to_switch),
    ("42P06", r'schema "public" already exists', _public_is_there),
    ("42P06", r'schema "information_schema" already exists', _of_the_server),
    ("42939", r'schema name "pg_catalog"', _of_the_server),
    ("42P07", r"already exists", _of_the_server),
    ("42501", r"permission denied", _of_the_server),
)


def _without_items(sql: str, unwanted: re.Pattern[str]) -> str | None:
    """Remove the items of CREATE TABLE, or the actions of ALTER TABLE, that `unwanted` matches.

    Return None if none match.
    An ALTER TABLE without any remaining action becomes ''.
    """
    creates = re.match(r"create\b.*?\btable\b", sql, _IS)
    alters = re.match(r'alter\s+table\s+(?:if\s+exists\s+)?(?:only\s+)?[\w$."]+\s*', sql, _I)
    if not creates and not alters:
        return None
    start = sql.find("(") + 1 if creates else (alters.end() if alters else 0)
    depth, begin, items, end = 0, start, [], len(sql)
    for token in scan(sql, start=start):
        if token.kind is Kind.COMMENT:
            continue
        if token.text in {"(", "["}:
            depth += 1
        elif token.text in {")", "]"}:
            depth -= 1
            if depth < 0:
                end = token.start
                break
        elif token.text == "," and not depth:
            items.append(sql[begin : token.start])
            begin = token.end
    items.append(sql[begin:end])
    kept = [item for item in items if not unwanted.search(item)]
    if len(kept) == len(items):
        return None
    if not kept and not creates:
        return ""
    return sql[:start] + ",".join(kept) + sql[end:]
