"""Hints for table definitions that MySQL, SQLite or SQL Server accepts."""

from __future__ import annotations

import re

from aiosqlc.analysis.advice import Place, lookalike_advice, syntax_advice
from aiosqlc.analysis.advice.words import TYPES
from aiosqlc.postgres.foreign import postgres_advice
from aiosqlc.servers.postgres.connection import ServerError

_ABSENT_TYPE = re.compile(r'type "(?P<name>[^"]+)" does not exist')
_MODIFIED = re.compile(r'type modifier is not allowed for type "(?P<name>[^"]+)"')
_IDENTITY = "write `bigint GENERATED ALWAYS AS IDENTITY`"
_WORDS = {
    "UNSIGNED": "remove UNSIGNED and use the next wider type, such as `bigint`",
    "ZEROFILL": "remove ZEROFILL: write `lpad(a::text, 5, '0')` for leading zeros",
    "ENGINE": "remove `ENGINE=…`, which is MySQL syntax",
    "IDENTITY": _IDENTITY,
    "MODIFY": "write `ALTER COLUMN {} TYPE …`, and `ALTER COLUMN {} SET NOT NULL`",
    "CHANGE": "write `RENAME COLUMN {} TO …`, and `ALTER COLUMN … TYPE …`",
}


def schema_advice(place: Place, error: ServerError) -> str:
    """Return the correct form of a refused schema statement, or an empty string if unknown."""
    if said := lookalike_advice(place):
        return said
    if error.hint:
        return ""
    if error.state == "42601" and error.message.startswith("syntax error"):
        return _syntax(place) or syntax_advice(place, postgres_advice)
    if "cannot use column reference in DEFAULT" in error.message and place.said()[:1] == '"':
        return f"if this is a text, put the text in single quotes: `'{place.said()[1:-1]}'`"
    if error.state == "42704" and (absent := _ABSENT_TYPE.search(error.message)):
        if place.word(-1) in {"KEY", "INDEX"}:
            return "create the index with a separate statement: `CREATE INDEX ON t (a)`"
        own = TYPES.get(absent["name"].lower(), "")
        if own.startswith("an enum type"):
            return f"create {own}"
        return f"write `{own}`" if own else ""
    if error.state == "42P07":
        return (
            "another statement of the schema already creates this object: drop the object first, "
            "or alter it"
        )
    if modified := _MODIFIED.search(error.message):
        name = modified["name"].lower()
        single = name == "tinyint" and place.word(2) == "1"
        own = "boolean" if single else TYPES.get(name, "")
        return f"write `{own}`" if own else ""
    return ""


def _syntax(place: Place) -> str:
    word, before = place.word(), place.word(-1)
    if place.verb not in {"CREATE", "ALTER"}:
        return ""
    if said := _WORDS.get(word):
        return said.replace("{}", place.said(2 if place.word(1) == "COLUMN" else 1))
    if word == "COMMENT":
        return "write the comment as a separate statement: `COMMENT ON COLUMN t.a IS '…';`"
    if word == "ON" and place.word(1) == "UPDATE" and place.words[1:2] == ["TABLE"]:
        return "set the column in a trigger: PostgreSQL has no ON UPDATE for columns"
    if word == "MAX" and before == "(":
        return "write `text`, which has no length limit"
    if word == "(" and before == "ADD":
        return f"write `ADD COLUMN {place.said(1)} …`, once for each column"
    if [place.word(-3), place.word(-2)] == ["ALTER", "COLUMN"] and place.is_name():
        return f"write `ALTER COLUMN {place.said(-1)} TYPE {place.said()}`"
    if word in {"KEY", "INDEX"} and before in {",", "UNIQUE"}:
        return "create the index with a separate statement: `CREATE INDEX ON t (a)`"
    return ""
