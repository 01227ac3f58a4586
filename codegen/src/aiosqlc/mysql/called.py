"""Infer the columns of `CALL p(…)` from the only SELECT of the procedure, if it always runs.

A server describes a call only by running it. So the compiler parses the body and prepares its
SELECT, with NULL in place of each variable. The NULL is cast to the type of the variable.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from aiosqlc.ir import SqlType
from aiosqlc.mysql import types
from aiosqlc.mysql.relations import Routine
from aiosqlc.parse.scanner import Kind, Token, code_tokens, unquote
from aiosqlc.source import Dialect

# Statements that may return rows: the result of a nested call or of dynamic SQL is unknown.
_RETURN_ROWS = frozenset({
    "SELECT", "WITH", "VALUES", "TABLE", "(", "CALL", "EXECUTE", "SHOW", "DESCRIBE", "DESC",
    "EXPLAIN", "ANALYZE", "CHECK", "CHECKSUM", "OPTIMIZE", "REPAIR", "HELP",
})  # fmt: skip
_MAY_RETURN = frozenset({"INSERT", "DELETE", "REPLACE"})
_OPEN = frozenset({"IF", "WHILE", "LOOP", "REPEAT", "FOR"})
_STARTS = frozenset({";", ":", "THEN", "ELSE", "DO", "LOOP", "REPEAT"})
_NO_STATEMENTS = frozenset({*_STARTS, "ELSEIF", "UNTIL", "WHEN"})
_CASTS = {
    "integer": "SIGNED", "float": "DOUBLE", "double": "DOUBLE", "text": "CHAR", "bytes": "BINARY",
    "date": "DATE", "time": "TIME", "datetime": "DATETIME", "timestamp": "DATETIME",
}  # fmt: skip


def is_call(sql: str) -> bool:
    """Return whether a statement is `CALL …`."""
    return _word(_tokens(sql), 0) == "CALL"


def returned_by(sql: str, routines: Sequence[Routine]) -> str | None:
    """Return a SELECT with the columns that a `CALL` returns, or None if they are unknown."""
    tokens = _tokens(sql)
    if len(tokens) < 2 or _word(tokens, 0) != "CALL":
        return None
    qualified = len(tokens) > 3 and tokens[2].text == "."
    name = unquote(tokens[1]).lower()
    found = [r for r in routines if r.body and r.name.lower() == name]
    return _rows(found[0]) if len(found) == 1 and not qualified else None


def _rows(routine: Routine) -> str | None:
    tokens = _tokens(routine.body)
    variables = {name.lower(): kind for name, kind in routine.params}
    found: list[Sequence[Token]] = []
    for statement, is_always_run in _statements(tokens):
        first = statement[0].text.upper()
        if first == "DECLARE":
            if any(token.text.upper() in _RETURN_ROWS - {"("} for token in _of_handler(statement)):
                return None
            variables |= _declared(statement, routine.body)
        elif first in _MAY_RETURN and _has(statement, "RETURNING"):
            return None
        elif first in _RETURN_ROWS and not (first == "SELECT" and _has(statement, "INTO")):
            if first != "SELECT" or not is_always_run:
                return None
            found.append(statement)
    return _prepared(found[0], routine.body, variables) if len(found) == 1 else None


def _tokens(sql: str) -> Sequence[Token]:
    return code_tokens(sql, Dialect.MYSQL)


def _statements(tokens: Sequence[Token]) -> Iterator[tuple[Sequence[Token], bool]]:
    """Yield the statements of a procedure body, and whether each one runs unconditionally."""
    opened: list[str] = []
    at, starts = 0, True
    while at < len(tokens):
        word = tokens[at].text.upper()
        if word == "END":
            opened = opened[:-1]
            at += 2 if _word(tokens, at + 1) in {*_OPEN, "CASE"} else 1
            starts = False
        elif starts and word == "BEGIN":
            opened.append("BEGIN")
            at += 1
        elif starts and (word in _OPEN or word == "CASE"):
            opened.append(word)
            at, starts = at + 1, word in _STARTS
        elif starts and word not in _NO_STATEMENTS and _word(tokens, at + 1) != ":":
            end = _end(tokens, at)
            yield list(tokens[at:end]), set(opened) <= {"BEGIN"}
            if word == "DECLARE" and _word(tokens, end) == "BEGIN":  # the body of a handler
                opened.append("HANDLER")
                end += 1
            at = end
        else:
            if word == "CASE":
                opened.append(word)
            at, starts = at + 1, word in _STARTS


def _end(tokens: Sequence[Token], start: int) -> int:
    """Return the index of the semicolon that ends a statement, or of the BEGIN of a handler."""
    depth = 0
    is_declared = tokens[start].text.upper() == "DECLARE"
    for at in range(start, len(tokens)):
        text = tokens[at].text
        depth += {"(": 1, ")": -1}.get(text, 0)
        if not depth and (text == ";" or (is_declared and text.upper() == "BEGIN")):
            return at
    return len(tokens)


def _word(tokens: Sequence[Token], at: int) -> str:
    return tokens[at].text.upper() if at < len(tokens) else ""


def _has(statement: Sequence[Token], word: str) -> bool:
    """Return whether a word occurs outside of parentheses."""
    depth = 0
    for token in statement:
        depth += {"(": 1, ")": -1}.get(token.text, 0)
        if not depth and token.kind is Kind.NAME and token.text.upper() == word:
            return True
    return False


def _of_handler(statement: Sequence[Token]) -> Sequence[Token]:
    words = [token.text.upper() for token in statement]
    return statement[words.index("HANDLER") :] if "HANDLER" in words else ()


def _declared(statement: Sequence[Token], body: str) -> dict[str, SqlType]:
    """Return the declared variables of `DECLARE a, b int DEFAULT 0`; DECLARE CURSOR has none."""
    names: list[str] = []
    at = 1
    while at < len(statement):
        names.append(unquote(statement[at]).lower())
        at += 1
        if _word(statement, at) != ",":
            break
        at += 1
    if at >= len(statement) or _word(statement, at) in {"CURSOR", "HANDLER", "CONDITION"}:
        return {}
    default = next((t.start for t in statement[at:] if t.text.upper() == "DEFAULT"), None)
    kind = types.declared(body[statement[at].start : default or statement[-1].end].strip())
    return dict.fromkeys(names, kind)


def _prepared(
    statement: Sequence[Token], body: str, variables: Mapping[str, SqlType]
) -> str | None:
    """Replace variables in a SELECT by NULL, with the variable's name as an alias if necessary."""
    parts: list[str] = []
    at = statement[0].start
    for index, token in enumerate(statement):
        name = unquote(token).lower() if token.kind in {Kind.NAME, Kind.QUOTED} else ""
        before, after = _word(statement, index - 1) if index else "", _word(statement, index + 1)
        if name not in variables or before in {".", "AS", "@"} or after in {".", "("}:
            continue
        cast = "1" if _is_limit(statement, index) else _null(variables[name])
        if cast is None:
            return None
        alone = before in {"SELECT", "DISTINCT", ","} and after in {"", ",", "FROM"}
        top = alone and not _depth(statement[:index]) and not _has(statement[:index], "FROM")
        parts += [body[at : token.start], f"{cast} AS `{unquote(token)}`" if top else cast]
        at = token.end
    return "".join([*parts, body[at : statement[-1].end]])


def _is_limit(statement: Sequence[Token], index: int) -> bool:
    """Return whether a token is one of the row counts in `LIMIT a, b` or `LIMIT a OFFSET b`."""
    words = [_word(statement, at) for at in range(max(index - 3, 0), index)]
    return words[-1:] in (["LIMIT"], ["OFFSET"]) or (words[:1] == ["LIMIT"] and words[-1] == ",")


def _depth(tokens: Sequence[Token]) -> int:
    return sum({"(": 1, ")": -1}.get(token.text, 0) for token in tokens)


def _null(kind: SqlType) -> str | None:
    family = types.family(kind)
    if family == "decimal" and kind.precision is not None:
        return f"CAST(NULL AS DECIMAL({kind.precision}, {kind.scale or 0}))"
    cast = _CASTS.get(family)
    if cast == "SIGNED" and kind.unsigned:
        cast = "UNSIGNED"
    return f"CAST(NULL AS {cast})" if cast else None
