"""Find and translate syntax that only MySQL accepts, if MariaDB is used in place of MySQL."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

import pymysql

from aiosqlc.diagnostics import Diagnostic, Label, Severity
from aiosqlc.ir import ParsedQuery, SchemaFile
from aiosqlc.mysql.elsewhere import IN_DOCUMENTS
from aiosqlc.mysql.errors import code_of, message_of
from aiosqlc.parse.scanner import Kind, Token, code_tokens, unquote
from aiosqlc.source import Dialect, Span

# Errors about syntax, a collation, a missing function (with or without parentheses) or a type.
_UNKNOWN = frozenset({1064, 1273, 1305, 1630, 4161})
_SYNTAX = 1064
_INDEX = re.compile(
    r"(?i)\s*(?:create\s+(?:unique\s+)?index|alter\s+table\s+\S+\s+add\s+(?:unique\s+)?(?:index|key))"
    r"\b[^,()]*\(.*\("
)
_FUNCTIONS = frozenset(
    {
        "ANY_VALUE", "BIN_TO_UUID", "DISTANCE", "FROM_VECTOR", "GROUPING", "IS_UUID",
        "JSON_SCHEMA_VALID", "JSON_STORAGE_SIZE", "REGEXP_LIKE", "STRING_TO_VECTOR", "TO_VECTOR",
        "UUID_TO_BIN", "VECTOR_DIM", "VECTOR_DISTANCE", "VECTOR_TO_STRING",
    }
)  # fmt: skip
# MySQL 8's collations, with shorter MariaDB names that distinguish the same texts.
_COLLATIONS = {
    "UTF8MB4_0900_AI_CI": "uca1400_ai_ci",
    "UTF8MB4_0900_AS_CI": "uca1400_as_ci",
    "UTF8MB4_0900_AS_CS": "uca1400_as_cs",
    "UTF8MB4_0900_BIN": "uca1400_ai_cs",
}
_CHANGES = frozenset({"DELETE", "UPDATE"})
_AFTER_TARGET = frozenset(
    {".", ",", ";", "WHERE", "ORDER", "LIMIT", "USING", "RETURNING", "PARTITION"}
)

_LAG_ARGUMENTS = 2
_BEFORE_COLUMN = frozenset({",", "(", "ADD", "COLUMN", "MODIFY"})
_NO_COLUMN = frozenset({"ADD", "COLUMN", "DROP", "EXISTS", "ON", "REFERENCES", "TABLE"})


def only_in_mysql(sql: str) -> str:
    """Return the first MySQL-only construct of a statement, or an empty string."""
    tokens = code_tokens(sql, Dialect.MYSQL)
    words = [token.text.upper() for token in tokens]
    return _first_of(tokens, words) or _as_a_whole(words)


def _first_of(tokens: Sequence[Token], words: Sequence[str]) -> str:
    following = [*words[1:], ""]
    for token, word, after in zip(tokens, words, following, strict=True):
        if token.kind is Kind.NAME and word in _FUNCTIONS and after == "(":
            return f"{word}()"
        if token.kind is Kind.NAME and word in {"LATERAL", "VECTOR"} and after in {"(", ")", ","}:
            return word
        if (word, after) in {("MEMBER", "OF"), ("FOR", "SHARE"), ("UPDATE", "OF")}:
            return f"{word} {after}"
        if "_0900_" in word and token.kind in {Kind.NAME, Kind.QUOTED}:
            return token.text
        if word in {"->", "->>"} or (word == "-" and after == ">"):
            return "->"
        if (word, after) == ("VALUES", "ROW"):
            return "VALUES ROW(…)"
    return ""


def _as_a_whole(words: Sequence[str]) -> str:
    """Return a MySQL-only construct that several words together identify, or an empty string."""
    if words[:1] == ["WITH"] and (verb := _verb(words)) in _CHANGES:
        return f"WITH … {verb}"
    for index, word in enumerate(words):
        is_call = word in {"LAG", "LEAD"} and words[index + 1 : index + 2] == ["("]
        if is_call and _arguments(words[index + 2 :]) > _LAG_ARGUMENTS:
            return f"{word}(…, …, …)"
        if words[index : index + 3] == ["AS", "JSON", ")"] and "CAST" in words[:index]:
            return "CAST(… AS JSON)"
    after = words[3:4]
    if words[:2] == ["DELETE", "FROM"] and after and after[0] not in _AFTER_TARGET:
        return "DELETE FROM t alias"
    for index, word in enumerate(words[:-2]):
        if word == ")" and words[index + 1] == "AS" and "DUPLICATE" in words[index:]:
            return "VALUES (…) AS alias"
    return ""


def _arguments(words: Sequence[str]) -> int:
    """Return the number of arguments of a call; `words` start after the parenthesis."""
    depth, count = 1, 1
    for word in words:
        depth += {"(": 1, ")": -1}.get(word, 0)
        if not depth:
            break
        count += depth == 1 and word == ","
    return count


def _verb(words: Sequence[str]) -> str:
    """Return the verb of a statement after a WITH clause: the first verb outside parentheses."""
    depth = 0
    for word in words:
        depth += {"(": 1, ")": -1}.get(word, 0)
        if not depth and word in _CHANGES | {"SELECT", "INSERT", "REPLACE"}:
            return word
    return ""


def excused(error: pymysql.MySQLError, sql: str) -> str:
    """Return the MySQL-only syntax for which MariaDB refused a statement, or ''."""
    return only_in_mysql(sql) if code_of(error) in _UNKNOWN else ""


def notice(query: ParsedQuery, construct: str, *, strict: bool) -> Diagnostic:
    """Report that the types of a query come only from its SQL text.

    The report is an error unless `server: mysql` is set.
    """
    return Diagnostic(
        code="E213",
        message=f"{query.name} was analysed without a server: MariaDB has no `{construct}`",
        labels=(Label(query.file, query.name_span, "types may be wider than necessary"),),
        hint=(f"{IN_DOCUMENTS}; or " if construct == "->" else "")
        + "set `database.uri` to a MySQL server"
        + ("; or accept it: `server: mysql`" if strict else ""),
        severity=Severity.ERROR if strict else Severity.WARNING,
    )


def refused(query: ParsedQuery, error: pymysql.MySQLError, database: str) -> Diagnostic:
    """Report that MariaDB, used in place of MySQL, refuses a query that MySQL may accept."""
    said = f"MariaDB, used instead of MySQL, reports: {message_of(error, database)}"
    label = Label(query.file, query.name_span, "types may be wider than necessary")
    return _warning("E213", f"{query.name} was analysed without a server: {said}", label)


def unloaded(file: SchemaFile, span: Span, message: str) -> Diagnostic:
    """Report that MariaDB, used in place of MySQL, refuses a statement of the schema."""
    label = Label(
        file.file, span, "types in queries that use this object are inferred without a server"
    )
    return _warning("E213", f"MariaDB, used instead of MySQL, reports: {message}", label)


def is_index_of_mysql(sql: str, error: pymysql.MySQLError) -> bool:
    """Return whether a statement only builds an index on expressions, which MariaDB cannot have."""
    return code_of(error) == _SYNTAX and _INDEX.match(sql) is not None


def unbuilt(file: SchemaFile, span: Span, message: str) -> Diagnostic:
    """Report that an index was skipped, because MariaDB cannot build it."""
    label = Label(file.file, span, "the types of queries do not depend on this index")
    said = f"skipped, because MariaDB is used instead of MySQL: {message}"
    return _warning("E217", said, label)


def unkeyed(file: SchemaFile, span: Span, message: str) -> Diagnostic:
    """Report that a table was created without its foreign keys, because the server refused them."""
    label = Label(file.file, span, "the types of queries do not depend on foreign keys")
    said = f"created without its foreign keys, which the server rejects: {message}"
    hint = "declare the other table first, with columns of the same type and collation"
    return _warning("E217", said, label, hint)


def _warning(
    code: str,
    message: str,
    label: Label,
    hint: str = "install a MySQL server, or set `database.uri` to a MySQL server",
) -> Diagnostic:
    return Diagnostic(code, message, (label,), hint, Severity.WARNING)


def as_mariadb_has_it(sql: str) -> str:
    """Translate MySQL-only parts of a schema to MariaDB.

    A VECTOR becomes a column of bytes, as clients receive it. Collations get their MariaDB names.
    """
    out = sql
    tokens = code_tokens(sql, Dialect.MYSQL)
    for token in tokens:
        if name := _COLLATIONS.get(token.text.upper().strip("`'\"")):
            out = out[: token.start] + name.ljust(token.end - token.start) + out[token.end :]
    out = _without_inner_checks(without_null(out)[0])
    for before, token in pairwise(tokens):
        named = before.kind in {Kind.NAME, Kind.QUOTED} and before.text.upper() not in _NO_COLUMN
        if token.text.upper() == "VECTOR" and named:
            end = _closing(tokens, token) if sql[token.end : token.end + 1] == "(" else token.end
            out = out[: token.start] + "blob".ljust(end - token.start) + out[end:]
    return _without_arrows(out)


def without_null(sql: str) -> tuple[str, tuple[str, ...]]:
    """Remove NULL and NOT NULL from generated columns, where MariaDB refuses them; keep offsets.

    Returns the names, in lower case, of the columns that were NOT NULL.
    """
    tokens = code_tokens(sql, Dialect.MYSQL)
    words = [token.text.upper() for token in tokens]
    certain = []
    name, depth, computed = "", 0, -1
    for index, word in enumerate(words):
        depth += {"(": 1, ")": -1}.get(word, 0)
        begins = computed < 0 and tokens[index].kind in {Kind.NAME, Kind.QUOTED}
        if begins and index and words[index - 1] in _BEFORE_COLUMN:
            name = unquote(tokens[index]).lower()
        if word == "," and depth <= computed:
            computed = -1
        elif word == "AS" and words[index + 1 : index + 2] == ["("]:
            computed = depth
        elif word == "NULL" and depth == computed:
            negated = words[index - 1] == "NOT"
            start = tokens[index - negated].start
            sql = sql[:start] + " " * (tokens[index].end - start) + sql[tokens[index].end :]
            certain += [name] if negated else []
    return sql, tuple(certain)


_COMPUTED = re.compile(r"GENERATED ALWAYS AS clause of `([^`]+)`")
_NOT_COMPUTED = 1901


def without_expression(sql: str, error: pymysql.MySQLError) -> str:
    """Replace a generated column's expression by NULL, if only MySQL accepts the expression.

    MariaDB refuses an expression with CHAR, because an SQL mode changes how CHAR is padded. The
    column's type does not depend on the expression.
    """
    found = _COMPUTED.search(str(error.args[-1])) if code_of(error) == _NOT_COMPUTED else None
    if found is None or found[1].lower() in without_null(sql)[1]:
        return sql
    tokens = code_tokens(sql, Dialect.MYSQL)
    named = False
    for index, token in enumerate(tokens[:-1]):
        if index and tokens[index - 1].text.upper() in _BEFORE_COLUMN:
            named = named or unquote(token).lower() == found[1].lower()
        if named and token.text.upper() == "AS" and tokens[index + 1].text == "(":
            depth = 0
            for last in tokens[index + 1 :]:
                depth += {"(": 1, ")": -1}.get(last.text, 0)
                if not depth:
                    return sql[: tokens[index + 1].start] + "(NULL)" + sql[last.end :]
    return sql


def _without_inner_checks(sql: str) -> str:
    """Remove a column's CHECK if attributes follow it. MariaDB accepts a CHECK only at the end."""
    tokens = code_tokens(sql, Dialect.MYSQL)
    texts = [token.text.upper() for token in tokens]
    for index, text in enumerate(texts):
        if text != "CHECK" or texts[index - 1 : index] in ([","], ["ADD"]):
            continue
        end, depth = index + 1, 0
        while end < len(texts):
            depth += {"(": 1, ")": -1}.get(texts[end], 0)
            end += 1
            if not depth:
                break
        if texts[end : end + 1] not in ([], [","], [")"], [";"]):
            start, stop = tokens[index].start, tokens[end - 1].end
            sql = sql[:start] + " " * (stop - start) + sql[stop:]
    return sql


_ARROW = re.compile(
    r"((?:`[^`]+`|[\w$]+)(?:\.(?:`[^`]+`|[\w$]+))*)\s*->(>?)\s*('(?:[^'\\]|''|\\.)*')"
)


def _without_arrows(sql: str) -> str:
    """Replace `column->>'path'` by the equivalent functions."""
    return _ARROW.sub(
        lambda found: (
            f"JSON_UNQUOTE(JSON_EXTRACT({found[1]}, {found[3]}))"
            if found[2]
            else f"JSON_EXTRACT({found[1]}, {found[3]})"
        ),
        sql,
    )


def _closing(tokens: Sequence[Token], token: Token) -> int:
    return next((t.end for t in tokens if t.start > token.end and t.text == ")"), token.end)
