"""Suggest a known name in place of an unknown name."""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec.structs import replace

from aiosqlc.analysis.advice.words import ELSEWHERE, TYPES
from aiosqlc.diagnostics import Diagnostic
from aiosqlc.messages.suggest import nearest, nearest_function
from aiosqlc.postgres.calls import call_advice
from aiosqlc.postgres.standin import extension_name, extension_with
from aiosqlc.servers.postgres.connection import Connection
from aiosqlc.source import Dialect

_KINDS = {"E310": "relation", "E312": "function", "E318": "type"}
_UNKNOWN = re.compile(r'(?:relation|type) "(?P<quoted>[^"]+)" does|function (?P<called>[^\s(]+)\(')
# Names visible without a schema come first, so that they win among equally similar names.
_NAMES = """\
SELECT kind, CASE WHEN visible THEN name ELSE nspname || '.' || name END AS name
FROM (
  SELECT 'relation' AS kind, relnamespace AS schema, relname::text AS name,
    pg_table_is_visible(oid) AS visible
  FROM pg_class WHERE relkind IN ('r', 'v', 'm', 'f', 'p')
  UNION ALL
  SELECT 'function', pronamespace, proname, pg_function_is_visible(oid)
  FROM pg_proc WHERE proname !~ '(in|out|recv|send)$'
    AND oid NOT IN (SELECT oprcode FROM pg_operator) AND oid NOT IN (SELECT castfunc FROM pg_cast)
  UNION ALL
  SELECT 'type', typnamespace, format_type(oid, NULL), true
  FROM pg_type WHERE typelem = 0 AND typisdefined AND pg_type_is_visible(oid)
  UNION ALL
  SELECT 'type', typnamespace, typname, true
  FROM pg_type WHERE typelem = 0 AND typisdefined AND pg_type_is_visible(oid) AND typtype = 'b'
) AS known JOIN pg_namespace ON pg_namespace.oid = schema
WHERE kind <> 'relation' OR nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
ORDER BY nspname IN ('pg_catalog', 'information_schema'), visible DESC
"""
_WRITTEN = re.compile(r'column "(?P<column>[^"]+)" of relation "(?P<table>[^"]+)" does not exist')
_LABEL = re.compile(r'invalid input value for enum (?:\w+\.)?"?(?P<type>[^:"]+)"?: "(?P<label>.*)"')
_LABELS = """\
SELECT enumlabel FROM pg_enum JOIN pg_type ON pg_type.oid = enumtypid
WHERE typname = $1 ORDER BY enumsortorder
"""
_MOST_LABELS = 10
_COLUMNS = """\
SELECT attname FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
WHERE relname = $1 AND attnum > 0 AND NOT attisdropped
ORDER BY pg_table_is_visible(attrelid) DESC, attnum
"""
_SIGNATURES = """\
SELECT proname || '(' || pg_get_function_identity_arguments(oid) || ')' FROM pg_proc
WHERE proname = $1 AND pg_function_is_visible(oid) ORDER BY pronargs, oid LIMIT 4
"""


def with_suggestions(connection: Connection, problems: Sequence[Diagnostic]) -> list[Diagnostic]:
    """Return the errors, with a hint for each unknown name that resembles a known name.

    The server's names are read only if a name is unknown.
    """
    problems = [
        _with_member(connection, _with_label(connection, _with_column(connection, item)))
        for item in problems
    ]
    if not any(item.code in _KINDS for item in problems):
        return problems
    known: dict[str, list[str]] = {}
    for kind, name in connection.rows(_NAMES):
        known.setdefault(kind or "", []).append(name or "")
    return [_suggested(connection, item, known) for item in problems]


def _with_column(connection: Connection, problem: Diagnostic) -> Diagnostic:
    """Suggest a column for an unknown column in a write; for reads, the server suggests one."""
    found = _WRITTEN.search(problem.message) if problem.code == "E311" else None
    if found is None or problem.hint:
        return problem
    columns = [name or "" for (name,) in connection.rows(_COLUMNS, (found["table"],))]
    like = nearest(found["column"], columns)
    return replace(problem, hint=f"did you mean `{like}`?") if like else problem


_ABSENT = re.compile(r'missing FROM-clause entry for table "(?P<name>[^"]+)"')
_DOCUMENT = """\
SELECT 1 FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
WHERE attname = $1 AND atttypid IN ('json'::regtype, 'jsonb'::regtype)
  AND relkind IN ('r', 'v', 'm', 'p') AND NOT attisdropped LIMIT 1
"""
_COMPOSITE = """\
SELECT 1 FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
  JOIN pg_type ON pg_type.oid = atttypid
WHERE attname = $1 AND typtype = 'c' AND relkind IN ('r', 'v', 'm', 'p') AND NOT attisdropped
LIMIT 1
"""
_MEMBER = re.compile(r"[\w\"]+\s*\.\s*(?P<key>\w+)")


def _with_member(connection: Connection, problem: Diagnostic) -> Diagnostic:
    """Suggest how to read a JSON key that is written like a column of a table."""
    found = _ABSENT.search(problem.message) if problem.code == "E310" else None
    if found is None:
        return problem
    label = problem.labels[0]
    if label.file.text.startswith("sqlc.embed(", label.span.start):
        return _with_object(connection, problem, found["name"])
    if not connection.rows(_DOCUMENT, (found["name"],)):
        return problem
    member = _MEMBER.match(label.file.text, label.span.start)
    key = member["key"] if member else "key"
    said = f"read the key of the JSON in `{found['name']}` with `{found['name']}->>'{key}'`"
    return replace(problem, hint=said)


def _with_object(connection: Connection, problem: Diagnostic, name: str) -> Diagnostic:
    """Explain that a column of a composite type becomes an object even without `sqlc.embed`."""
    if not connection.rows(_COMPOSITE, (name,)):
        return problem
    said = (
        f"`{name}` is a column of a composite type: it becomes an object even without `sqlc.embed`"
    )
    return replace(problem, hint=said)


def _with_label(connection: Connection, problem: Diagnostic) -> Diagnostic:
    """Add the labels of an enum to the error for a text that is not one of the labels."""
    found = _LABEL.search(problem.message)
    if found is None:
        return problem
    labels = [text or "" for (text,) in connection.rows(_LABELS, (found["type"],))]
    like = nearest(found["label"], labels)
    listed = ", ".join(f"`{label}`" for label in labels[:_MOST_LABELS])
    more = ", …" if len(labels) > _MOST_LABELS else ""
    hint = f"did you mean `{like}`?" if like else f"its labels are {listed}{more}"
    return replace(problem, hint=hint)


def _suggested(
    connection: Connection, problem: Diagnostic, known: dict[str, list[str]]
) -> Diagnostic:
    found = _UNKNOWN.search(problem.message)
    if problem.code not in _KINDS or found is None or (problem.code == "E310" and problem.hint):
        return problem
    word = found["quoted"] or found["called"]
    names = dict.fromkeys(known.get(_KINDS[problem.code], ()))
    label = problem.labels[0]
    if problem.code == "E310":
        names |= dict.fromkeys(_in_with(label.file.text, label.span.start))
    if extension := extension_with(word):
        create = f"`CREATE EXTENSION IF NOT EXISTS {extension_name(extension)};`"
        said = f"`{word}` belongs to {extension}, which the schema does not create: put {create}"
        return replace(problem, hint=f"{said} into a file that `schema` or `shims` names")
    if found["called"] and (
        said := call_advice(problem.message, label.file.text, label.span.start)
    ):
        return replace(problem, hint=said)
    elsewhere = (ELSEWHERE[Dialect.POSTGRESQL] if found["called"] else TYPES).get(word.lower())
    if elsewhere and elsewhere.startswith("an enum type"):
        return replace(problem, hint=f"create {elsewhere}")
    if elsewhere and (problem.code != "E310" or found["called"]):
        return replace(problem, hint=f"write `{elsewhere}`")
    others = [f"`{text}`" for (text,) in connection.rows(_SIGNATURES, (word,))]
    if found["called"] and others:
        return replace(
            problem,
            hint=f"cast the arguments to the types of an existing function: {', '.join(others)}",
        )
    if problem.code == "E310" and word == "dual":
        return replace(problem, hint="remove the FROM: PostgreSQL needs no table to compute")
    like = nearest_function(word, names) if found["called"] else nearest(word, names)
    if like is None:
        return replace(problem, hint="") if problem.code == "E312" else problem
    return replace(problem, hint=f"did you mean {as_written(like)}?")


_COMMON = re.compile(
    r"(?:\bwith(?:\s+recursive)?|,)\s+(\w+)\s*(?:\([^()]*\)\s*)?as\b", re.IGNORECASE
)


def _in_with(text: str, at: int) -> list[str]:
    """Return the names of WITH queries before a position of the query."""
    return _COMMON.findall(text, text.rfind(";", 0, at) + 1, at)


def as_written(name: str) -> str:
    """Return a name as a query must write it, in backticks for a message."""
    if " " in name or name.startswith('"'):  # `timestamp with time zone`, or a quoted name
        return f"`{name}`"
    parts = [part if _PLAIN.fullmatch(part) else f'"{part}"' for part in name.split(".")]
    return f"`{'.'.join(parts)}`"


_PLAIN = re.compile(r"[a-z_][a-z0-9_$]*|\*")
