"""Find the position of an error in the SQL by the words that the server's message quotes."""

from __future__ import annotations

import re
from collections.abc import Callable

import pymysql

from aiosqlc.analysis.advice import (
    Place,
    group_advice,
    lookalike_advice,
    name_advice,
    place_in,
    qualified_advice,
    sources_of,
    syntax_advice,
)
from aiosqlc.analysis.advice.words import ELSEWHERE
from aiosqlc.diagnostics import Diagnostic, Label
from aiosqlc.messages.suggest import did_you_mean, nearest_function
from aiosqlc.mysql.elsewhere import mysql_advice
from aiosqlc.mysql.elsewhere_types import own_cast, own_type
from aiosqlc.mysql.functions import AGGREGATES, SCALAR
from aiosqlc.mysql.relations import Schema
from aiosqlc.mysql.syntax import mentions
from aiosqlc.parse.placeholders import for_server
from aiosqlc.parse.scanner import Kind, Token, code_tokens, scan, unquote
from aiosqlc.source import Dialect, SourceFile, Span

_NEAR = re.compile(r"near '(?P<text>.*)' at line (?P<line>\d+)$", re.DOTALL)
_NAMED = re.compile(
    r"(?:Unknown column|Column|Unknown table|Table|FUNCTION|PROCEDURE|Duplicate column name"
    r"|Key column|native function"
    r"|Unknown data type:"
    r"|Can't DROP (?:COLUMN|INDEX|FOREIGN KEY|CONSTRAINT)?|Unknown storage engine)"
    r" [`'\"]?(?P<name>[^'`\"\s]+)",
)
_NAMELESS = re.compile(r"\b(?:FROM|JOIN)\s*\(.*\)\s*$", re.DOTALL | re.IGNORECASE)
_CLAUSE = re.compile(r"^Unknown column .* in '(?P<clause>WHERE|ON|HAVING)'$", re.DOTALL)
_SHORTER = re.compile(
    r"check the manual that corresponds to your \w+ server version for the right syntax to use "
)
_CODES = {
    1064: "E300", 1149: "E300",
    1051: "E310", 1109: "E310", 1146: "E310",
    1054: "E311",
    1128: "E312", 1305: "E312", 1582: "E312", 1630: "E312",
    1052: "E315",
    1055: "E317", 1056: "E317", 1140: "E317",
}  # fmt: skip
_NO_COLUMN = frozenset({1054, 1072, 1091})  # in a query, in a key, or in a DROP
UNKNOWN_TYPE = 4161
_AGGREGATE = 1111  # an aggregate function in an invalid place
_HINTS = {
    1054: "is it spelled as in the schema, and is its table in FROM?",
    1146: "check that the schema files create the table",
    1305: "check that the server has this function, or that the schema files create the function",
    1052: "qualify the column: `table.column`",
    1222: "each SELECT of a UNION has as many columns as the first",
    1136: "the number of values must equal the number of columns",
}


def code_of(error: pymysql.MySQLError) -> int:
    """Return the server's number of an error, or 0."""
    return error.args[0] if error.args and isinstance(error.args[0], int) else 0


def message_of(error: pymysql.MySQLError, database: str) -> str:
    """Return the server's message without the name of the compiler's temporary database."""
    text = str(error.args[-1]) if error.args else str(error)
    return _SHORTER.sub("", text).replace(f"`{database}`.", "").replace(f"{database}.", "")


def span_in(sql: str, error: pymysql.MySQLError, database: str = "") -> Span:
    """Return the span of the words that a message quotes, or else of the statement's first word."""
    text = message_of(error, database)
    near = _NEAR.search(text)
    if near:
        return _near(sql, near["text"], int(near["line"]))
    named = _NAMED.search(text) or _IN_DEFAULT.search(text)
    if named is None:
        return _first_word(sql)
    qualifier, _, name = named["name"].rstrip(",;").rpartition(".")
    clause = _CLAUSE.search(text)
    return (
        _word(sql, name, qualifier, clause["clause"] if clause else "")
        or _word(sql, name)
        or _first_word(sql)
    )


def missing_in(error: pymysql.MySQLError, database: str) -> tuple[str, str]:
    """Return the missing table and the missing column of an error; one of the two is empty."""
    named = _NAMED.search(message_of(error, database))
    name = named["name"].rstrip(",;").rpartition(".")[2] if named else ""
    code = code_of(error)
    return name if _CODES.get(code) == "E310" else "", name if code in _NO_COLUMN else ""


_IN_DEFAULT = re.compile(r"Function or expression '`(?P<name>\w+)`\(")


def absent_function(error: pymysql.MySQLError) -> str:
    """Return the lower-case name of the function in a refused DEFAULT, or ''."""
    found = _IN_DEFAULT.search(str(error.args[-1])) if error.args else None
    return found["name"].lower() if found else ""


def query_error(
    file: SourceFile,
    sql: str,
    to_source: Callable[[int], int],
    error: pymysql.MySQLError,
    database: str,
    schema: Schema,
) -> Diagnostic:
    """Return the diagnostic for a refused statement.

    `to_source` maps offsets in `sql` to offsets in the file.

    An unknown name is reported with the most similar known name.
    """
    span = span_in(sql, error, database)
    start = to_source(span.start)
    whole = Span(to_source(0), _end(file, to_source(len(sql.rstrip()) - 1)))
    return Diagnostic(
        code=_CODES.get(code_of(error), "E301"),
        message=message_of(error, database),
        labels=(
            Label(file, Span(start, start + (span.end - span.start)), "refused by the server"),
        ),
        hint=_alias(file, whole, start, error)
        or _hint(sql, error, database, schema)
        or _advice(file, whole, start, error),
    )


_MACRO = re.compile(r"sqlc\.\w+\([^()]*\)")


def _end(file: SourceFile, last: int) -> int:
    """Return the offset of a query's end; a macro at the end belongs to the query."""
    macro = _MACRO.match(file.text, last)
    return macro.end() if macro else last + 1


def _hint(sql: str, error: pymysql.MySQLError, database: str, schema: Schema) -> str:
    code = code_of(error)
    near = _NEAR.search(message_of(error, database))
    if near and near["text"].startswith("*") and sql.lstrip()[:6].upper() != "DELETE":
        return "`*` must be the first item of a select list; after other columns write `table.*`"
    if near and not near["text"] and _NAMELESS.search(sql):
        return "a sub-select in FROM has a name: `(SELECT …) AS t`"
    named = _NAMED.search(message_of(error, database))
    word = named["name"].rpartition(".")[2] if named else ""
    if code == UNKNOWN_TYPE:
        cast = re.search(rf"\bAS\s+{re.escape(word)}\b", sql, re.IGNORECASE)
        return (own_cast(word) if cast else "") or own_type(word)
    if _CODES.get(code) == "E312" and (own := ELSEWHERE[Dialect.MYSQL].get(word.lower())):
        return f"write `{own}`"
    known = [name for name in _known(sql, code, schema) if name != word]  # another table's
    if _CODES.get(code) == "E312":
        like = nearest_function(word, known)
        return f"did you mean `{like}`?" if like else _HINTS.get(code, "")
    if _CODES.get(code) == "E310" and re.search(
        rf"\b{re.escape(word)}\s*(?:\([^()]*\)\s*)?AS\s*\(", sql, re.IGNORECASE
    ):
        return (
            "WITH defines this query after its use: move the definition before the use, or write "
            "`WITH RECURSIVE`"
        )
    return did_you_mean(word, known, otherwise=_HINTS.get(code, ""))


def _alias(file: SourceFile, query: Span, at: int, error: pymysql.MySQLError) -> str:
    """Return a hint for a misused SELECT alias, or for a name such as Oracle's `rownum`."""
    place = place_in(file, query, Span(at, at), Dialect.MYSQL)
    if said := lookalike_advice(place):
        return said
    code = _CODES.get(code_of(error))
    if code == "E315":
        return qualified_advice(place)
    if code != "E311":
        return ""
    return _absent(place) or name_advice(place)


def _absent(place: Place) -> str:
    """Detect `SELECT customer.id FROM customer c`: a table name that the alias replaces."""
    if place.word(-1) != "." or not place.is_name(-2):
        return ""
    sources, table = list(sources_of(place)), place.said(-2)
    if table.lower() in {name.lower() for name in sources}:
        return ""
    words = place.words
    for at, word in enumerate(words[:-1]):
        if word == table.upper() and words[at - 1] in {"FROM", "JOIN", ","} and at != place.at - 2:
            alias = place.tokens[at + 1 + (words[at + 1] == "AS")].text
            return f"the query uses the alias `{alias}`: write `{alias}.{place.said()}`"
    return did_you_mean(table, sources)


def _advice(file: SourceFile, query: Span, at: int, error: pymysql.MySQLError) -> str:
    """Return a hint for a syntax error or a misplaced aggregate, from the words around it."""
    if code_of(error) == _AGGREGATE:
        return group_advice("WHERE")
    if _CODES.get(code_of(error)) not in {"E300", "E312"}:
        return ""
    place = place_in(file, query, Span(at, at), Dialect.MYSQL)
    near = _NEAR.search(str(error.args[-1]))
    if near and not near["text"]:
        place = place.moved(len(place.tokens) - place.at)
    return syntax_advice(place, mysql_advice) if near else ""


def _known(sql: str, code: int, schema: Schema) -> list[str]:
    """Return the names that the user may have meant."""
    match _CODES.get(code):
        case "E310":
            return [relation.table.name for relation in schema.relations]
        case "E311":
            there = [r.table for r in schema.relations if mentions(sql, r.table.name)]
            return [column.name for table in there for column in table.columns]
        case "E312":
            own = [routine.name for routine in schema.routines]
            return [*(name.lower() for name in sorted(SCALAR | AGGREGATES)), *own]
    return []


def _near(sql: str, text: str, line: int) -> Span:
    """Find the text that a syntax error quotes: the rest of the statement, cut to 80 characters."""
    sent = for_server(sql)
    starts = [0, *(i + 1 for i, char in enumerate(sent.sql) if char == "\n")]
    at = starts[min(line, len(starts)) - 1]
    quoted = text.removesuffix("...")  # the server truncates long texts
    whole = sent.sql.rstrip()
    if whole.endswith(quoted):
        # At the end of the text, the server quotes nothing.
        found = len(whole) - max(len(quoted), 1)
    else:
        found = max(sent.sql.find(quoted, at), at)
    found = sent.to_original(found)
    word = re.compile(r"\w+|\S").match(sql, found)
    return Span(found, word.end() if word else min(found + 1, len(sql)))


def _word(sql: str, name: str, qualifier: str = "", clause: str = "") -> Span | None:
    """Find a name in a statement after the keyword of its clause; skip definitions of aliases.

    With a qualifier, a name matches only if the qualifier's last part precedes it.
    """
    tokens = code_tokens(sql, Dialect.MYSQL)
    above = qualifier.rpartition(".")[2]
    words = [token.text.upper() for token in tokens]
    first = words.index(clause) if clause in words else 0
    for position, token in enumerate(tokens[first:], first):
        if _is_name(token, name) and (not clause or words[position - 1] != "AS"):
            before = tokens[max(position - 2, 0) : position]
            dotted = len(before) == 2 and before[1].text == "." and _is_name(before[0], above)
            if dotted or not qualifier:
                return token.span
    return None


def _is_name(token: Token, name: str) -> bool:
    return token.kind in {Kind.NAME, Kind.QUOTED} and unquote(token).lower() == name.lower()


def _first_word(sql: str) -> Span:
    for token in scan(sql, Dialect.MYSQL):
        if token.kind is not Kind.COMMENT:
            return token.span
    return Span(0, len(sql))
