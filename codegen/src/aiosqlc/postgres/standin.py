"""Stubs for extensions that the embedded server lacks: SQL for their types and signatures."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from aiosqlc.postgres import scripts
from aiosqlc.servers.postgres.connection import Connection, ServerError

_NAME = r'"?(?P<name>[\w-]+)"?'
_MADE = re.compile(rf"create\s+extension\s+(?:if\s+not\s+exists\s+)?{_NAME}", re.IGNORECASE)
_MENTIONED = re.compile(rf"(?:comment\s+on|alter)\s+extension\s+{_NAME}", re.IGNORECASE)
_SCHEMA = re.compile(r'\sschema\s+(?P<schema>"(?:[^"]|"")+"|\w+)', re.IGNORECASE)


_DO = re.compile(r"do\b", re.IGNORECASE)
_IN_BLOCK = re.compile(
    rf"{_MADE.pattern}(?:\s+(?:with\b|cascade\b|schema\s+(?:\"[^\"]+\"|[\w$]+)"
    r"|version\s+(?:'[^']*'|\"[^\"]*\"|[\w.]+)))*",
    re.IGNORECASE,
)
# A statement without effect that is valid in blocks and after EXECUTE.
_NOTHING = "set local aiosqlc.extension to provided"


def made_in_block(sql: str) -> list[re.Match[str]]:
    """Return the matches of CREATE EXTENSION in a DO block, or nothing for other statements."""
    return list(_IN_BLOCK.finditer(sql)) if _DO.match(sql.lstrip()) else []


def without(sql: str, made: Iterable[re.Match[str]]) -> str:
    """Replace these CREATE EXTENSION statements of a block by a statement without effect."""
    for found in sorted(made, key=lambda place: place.start(), reverse=True):
        sql = sql[: found.start()] + _NOTHING + sql[found.end() :]
    return sql


def extension_of(sql: str) -> str:
    """Return the extension that a statement creates, alters or comments on, or ''."""
    found = _MADE.match(sql.lstrip()) or _MENTIONED.match(sql.lstrip())
    return found["name"] if found else ""


def is_available(connection: Connection, extension: str) -> bool:
    """Return whether the server has the real extension."""
    return bool(
        connection.rows("select 1 from pg_available_extensions where name = $1", (extension,))
    )


# Extensions with only operator classes or function bodies, which queries cannot name.
_NOTHING_TO_NAME = frozenset(
    {
        *("btree_gin", "pg_prewarm", "pg_buffercache", "auto_explain", "pgaudit", "pg_repack"),
        *("plpython3u", "plperl", "plperlu", "pltcl", "pltclu", "plv8", "plr", "pllua", "pljava"),
        *("citus_columnar", "pg_squeeze", "hypopg", "amcheck", "pg_visibility", "plpgsql_check"),
    }
)


NEEDS = {"earthdistance": "cube"}  # extensions that `CREATE EXTENSION … CASCADE` also creates


def stand_in_for(extension: str) -> str | None:
    """Return the SQL of an extension's stub, or None if there is no stub."""
    if extension in _NOTHING_TO_NAME:
        return ""
    return scripts.script_of(extension)


_DEFINED = re.compile(r"create\s+(?:function|type|domain)\s+(\w+)|\['(\w+)\(")
# Types whose names identify their extension.
_TYPES = {
    **{name: name for name in ("citext", "cube", "hstore", "ltree")},
    **dict.fromkeys(("geography", "geometry"), "postgis"),
    **dict.fromkeys(("halfvec", "sparsevec", "vector"), "vector"),
}


@cache
def _extensions_by_name() -> dict[str, str]:
    """Map names of functions and types that are typical of an extension to the extension.

    A name with an underscore, such as `st_x`, counts as typical. A name such as `index` does not.
    """
    found = dict(_TYPES)
    for extension in scripts.names():
        for match in _DEFINED.finditer(scripts.script_of(extension) or ""):
            name = match[1] or match[2]
            if "_" in name:
                found.setdefault(name, extension)
    return found


_MISSING = re.compile(
    r'^(?:function (?:\w+\.)?(\w+)\(|type "(?:\w+\.)?(\w+)(?:\[\])*" does not exist)'
)
_MISSING_SCHEMA = re.compile(r'^schema "(\w+)" does not exist')
_SCHEMAS = {"cron": "pg_cron"}  # schemas that an extension always creates
_QUALIFIED = re.compile(r'^(?:function |type ")(\w+)\.')


def extension_wanted(error: ServerError) -> str:
    """Return the extension that defines the missing object of an error, or ''."""
    if schema := _MISSING_SCHEMA.match(error.message):
        return _SCHEMAS.get(schema[1], "")
    found = _MISSING.match(error.message)
    return extension_with(found[1] or found[2]) if found else ""


def schema_wanted(error: ServerError) -> str:
    """Return the schema in which the server looked for the missing object, or `public`."""
    found = _QUALIFIED.match(error.message)
    return found[1] if found else "public"


def extension_with(name: str) -> str:
    """Return the extension that has a function or a type with this name, or ''."""
    return _extensions_by_name().get(name, "")


def extension_name(extension: str) -> str:
    """Return the name of an extension in SQL syntax."""
    return f'"{extension}"' if "-" in extension else extension


def make_stand_in(connection: Connection, sql: str, script: str) -> ServerError | None:
    """Run a stub's script in the schema of CREATE EXTENSION (`WITH SCHEMA x`)."""
    named = _SCHEMA.search(sql)
    if named is None:
        return connection.run(script)
    ((searched,),) = connection.rows("select quote_literal(current_setting('search_path'))")
    error = connection.run(f"set search_path = {named['schema']}") or connection.run(script)
    return error or connection.run(f"select set_config('search_path', {searched}, false)")
