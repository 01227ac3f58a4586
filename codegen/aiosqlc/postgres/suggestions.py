"""Says what a name that the server does not know was probably meant to be."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from aiosqlc.diagnostics import Diagnostic
from aiosqlc.messages.suggest import nearest
from aiosqlc.postgres.standin import extension_name, extension_with
from aiosqlc.servers.postgres.connection import Connection

_KINDS = {"E310": "relation", "E312": "function", "E318": "type"}
_UNKNOWN = re.compile(r'(?:relation|type) "(?P<quoted>[^"]+)" does|function (?P<called>[^\s(]+)\(')
# What can be written without its schema comes first: of two that are as near, it is the one meant.
_NAMES = """\
SELECT kind, CASE WHEN visible THEN name ELSE nspname || '.' || name END AS name
FROM (
  SELECT 'relation' AS kind, relnamespace AS schema, relname::text AS name,
    pg_table_is_visible(oid) AS visible
  FROM pg_class WHERE relkind IN ('r', 'v', 'm', 'f', 'p')
  UNION ALL
  SELECT 'function', pronamespace, proname, pg_function_is_visible(oid)
  FROM pg_proc WHERE proname !~ '(in|out|recv|send)$'
  UNION ALL
  SELECT 'type', typnamespace, format_type(oid, NULL), true
  FROM pg_type WHERE typelem = 0 AND typisdefined AND pg_type_is_visible(oid)
) AS known JOIN pg_namespace ON pg_namespace.oid = schema
WHERE kind <> 'relation' OR nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
ORDER BY nspname IN ('pg_catalog', 'information_schema'), visible DESC
"""
_WRITTEN = re.compile(r'column "(?P<column>[^"]+)" of relation "(?P<table>[^"]+)" does not exist')
_COLUMNS = """\
SELECT attname FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
WHERE relname = $1 AND attnum > 0 AND NOT attisdropped
ORDER BY pg_table_is_visible(attrelid) DESC, attnum
"""
_SIGNATURES = """\
SELECT proname || '(' || pg_get_function_identity_arguments(oid) || ')' FROM pg_proc
WHERE proname = $1 AND pg_function_is_visible(oid) ORDER BY pronargs, oid LIMIT 4
"""


# What other databases call functions of PostgreSQL's.
_ELSEWHERE = {
    **dict.fromkeys(("getdate", "sysdate"), "now()"),
    **dict.fromkeys(("ifnull", "nvl", "isnull"), "coalesce(a, b)"),
    "curdate": "current_date",
    "len": "length(a)",
    "rand": "random()",
    "group_concat": "string_agg(a, ',')",
    "datetime": "timestamptz",
    "strftime": "to_char",
}


def with_suggestions(connection: Connection, problems: Sequence[Diagnostic]) -> list[Diagnostic]:
    """Return the problems; those about an unknown name with a hint at one like it, if there is any.

    The server is asked for its names only where one is unknown.
    """
    problems = [_with_column(connection, item) for item in problems]
    if not any(item.code in _KINDS for item in problems):
        return problems
    known: dict[str, list[str]] = {}
    for kind, name in connection.rows(_NAMES):
        known.setdefault(kind or "", []).append(name or "")
    return [_suggested(connection, item, known) for item in problems]


def _with_column(connection: Connection, problem: Diagnostic) -> Diagnostic:
    """Name the column that was meant where one is written: the server does it where one is read."""
    found = _WRITTEN.search(problem.message) if problem.code == "E311" else None
    if found is None:
        return problem
    columns = [name or "" for (name,) in connection.rows(_COLUMNS, (found["table"],))]
    like = nearest(found["column"], columns)
    return replace(problem, hint=f"did you mean `{like}`?") if like else problem


def _suggested(
    connection: Connection, problem: Diagnostic, known: dict[str, list[str]]
) -> Diagnostic:
    found = _UNKNOWN.search(problem.message)
    if problem.code not in _KINDS or found is None:
        return problem
    word = found["quoted"] or found["called"]
    names = dict.fromkeys(known.get(_KINDS[problem.code], ()))
    if extension := extension_with(word):
        create = f"`CREATE EXTENSION IF NOT EXISTS {extension_name(extension)};`"
        said = f"`{word}` is of {extension}, which the schema does not create: put {create}"
        return replace(problem, hint=f"{said} into a file that `schema` or `shims` names")
    if word in names:
        others = ", ".join(f"`{text}`" for (text,) in connection.rows(_SIGNATURES, (word,)))
        return replace(problem, hint=f"cast its arguments to what there is: {others}")
    like = (_ELSEWHERE.get(word) if found["called"] else None) or nearest(word, names)
    return replace(problem, hint=f"did you mean `{like}`?") if like else problem
