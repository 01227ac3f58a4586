"""Parse a query to a syntax tree with sqlglot. The server decides whether the query is valid."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import takewhile
from typing import ClassVar

from msgspec import Struct
from sqlglot import TokenType, exp
from sqlglot.dialects.mysql import MySQL
from sqlglot.errors import ParseError, SqlglotError
from sqlglot.parsers.mysql import MySQLParser

from aiosqlc.mysql.executable import MYSQL, as_read
from aiosqlc.parse.placeholders import Filled, Place, fill
from aiosqlc.parse.scanner import Kind, Token, code_tokens, first_word, unquote
from aiosqlc.source import Dialect, Span

# sqlglot warns about statements it cannot parse and returns a Command, which is checked here.
logging.getLogger("sqlglot").setLevel(logging.ERROR)
_NAME = re.compile(r"^p(\d+)_(\d+)$")
_WORDS_ELSEWHERE = frozenset(
    {"ANTI", "ASOF", "GLOB", "ILIKE", "NOTNULL", "OVERLAPS", "PARTITIONED_BY", "SEMI", "UNCACHE"}
)
_NOT_RESERVED = {TokenType.CHARACTER_SET, TokenType.ROLLBACK}
_JSON = ("JSON_OBJECT", "JSON_OBJECTAGG")
# sqlglot raises these for calls without required arguments: `DATE_ADD(x)`.
_UNREADABLE = (SqlglotError, RecursionError, AttributeError)


def _named(name: str) -> Callable[[list[exp.Expr]], exp.Expr]:
    return lambda arguments: exp.Anonymous(this=name, expressions=arguments)


class _Dialect(MySQL):
    """MySQL's dialect, with JSON functions that accept any expression.

    `DELETE … ORDER BY … LIMIT … RETURNING` is syntax of MariaDB. A name in backticks is a function
    of the schema, even if it equals a keyword. Words of other engines are names.
    """

    class Tokenizer(MySQL.Tokenizer):
        KEYWORDS: ClassVar = {
            word: token
            for word, token in MySQL.Tokenizer.KEYWORDS.items()
            if word not in _WORDS_ELSEWHERE
        }

    class Parser(MySQLParser):
        ID_VAR_TOKENS: ClassVar = MySQLParser.ID_VAR_TOKENS | _NOT_RESERVED
        FUNCTION_PARSERS: ClassVar = {
            name: parser
            for name, parser in MySQLParser.FUNCTION_PARSERS.items()
            if name not in _JSON
        }
        FUNCTIONS: ClassVar = {**MySQLParser.FUNCTIONS, **{name: _named(name) for name in _JSON}}

        def _parse_function_call(
            self,
            functions: dict[str, Callable[..., exp.Expr]] | None = None,
            anonymous: bool = False,
            optional_parens: bool = True,
            any_token: bool = False,
        ) -> exp.Expr | None:
            quoted = bool(self._curr) and self._curr.token_type is TokenType.IDENTIFIER
            return super()._parse_function_call(
                functions,
                anonymous=anonymous or quoted,
                optional_parens=optional_parens and not quoted,
                any_token=any_token,
            )

        def _parse_delete(self) -> exp.Delete:
            node = super()._parse_delete()
            if node.args.get("returning") is None:
                node.set("returning", self._parse_returning())
            return node


class Tree(Struct, frozen=True):
    """A parsed statement.

    `filled` maps the offsets of identifiers to offsets in the query's text.
    """

    root: exp.Expr
    filled: Filled

    def place(self, node: exp.Expr) -> Place | None:
        """Return the parameter of a placeholder node, with its position in the text."""
        match = _NAME.match(str(node.this)) if isinstance(node, exp.Placeholder) else None
        return self.filled.places[int(match[2])] if match else None


@lru_cache(maxsize=16)  # each stage parses the current query
def parse(sql: str) -> Tree | None:
    """Parse a statement with `$n` parameters, or return None if sqlglot cannot."""
    filled = _filled(sql)
    try:
        root = _Dialect().parse(filled.sql)[0]
    except _UNREADABLE:
        return None
    if root is None or isinstance(root, exp.Command) or any(map(_is_half, root.find_all(exp.Join))):
        return None
    if isinstance(root, exp.Insert):
        root.set("overwrite", first_word(as_read(sql, MYSQL)) == "REPLACE")
    if isinstance(root, exp.Update | exp.Delete):
        words = _modifiers(code_tokens(as_read(sql, MYSQL), Dialect.MYSQL))
        root.set("ignore", any(word.text.upper() == "IGNORE" for word in words))
    return Tree(_selected(root) if isinstance(root, exp.Values) else root, filled)


def _is_half(join: exp.Join) -> bool:
    """Return whether an outer join lacks its condition, or a NATURAL join is followed by ON.

    In both cases, sqlglot has attached an ON to the wrong join: in `a LEFT JOIN b NATURAL JOIN c ON
    x`, the ON belongs to LEFT JOIN.
    """
    conditional = bool(join.args.get("on") or join.args.get("using"))
    natural = str(join.args.get("method") or "").upper() == "NATURAL"
    return conditional if natural else bool(join.args.get("side")) and not conditional


def _selected(values: exp.Values) -> exp.Expr:
    """Return a SELECT in place of `VALUES ROW(…), …`, with the columns column_0, column_1, …."""
    rows = [row.expressions[0] for row in values.expressions]
    if any(row.name.upper() != "ROW" for row in rows):
        return values
    named = [exp.alias_(value, f"column_{i}") for i, value in enumerate(rows[0].expressions)]
    first: exp.Select | exp.SetOperation = exp.Select(expressions=named)
    for row in rows[1:]:
        other = exp.Select(expressions=row.expressions)
        first = exp.Union(this=first, expression=other, distinct=False)
    for part in ("order", "limit", "offset"):
        first.set(part, values.args.get(part))
    return first


def _filled(sql: str) -> Filled:
    return fill(_plain(sql), lambda index, place: f":p{place.number}_{index}")


def unread(sql: str) -> Span | None:
    """Return the span where parsing failed, or None if the statement is nested too deeply."""
    filled = _filled(sql)
    start = len(filled.sql) - len(filled.sql.lstrip())
    found = re.compile(r"\w*").match(filled.sql, start)
    span = Span(start, found.end() if found else start)
    try:
        root = _Dialect().parse(filled.sql)[0]
        if root is not None and any(map(_is_half, root.find_all(exp.Join))):
            found = re.compile(r"\bNATURAL\b", re.IGNORECASE).search(filled.sql)
            span = Span(*found.span()) if found else span
        elif not isinstance(root, exp.Command):
            return None
    except RecursionError:
        return None
    except ParseError as error:
        for place in error.errors[:1]:
            lines = filled.sql.splitlines(keepends=True)[: (place["line"] or 1) - 1]
            end = sum(map(len, lines)) + (place["col"] or 0)
            span = Span(max(end - len(place["highlight"] or ""), 0), end)
    except _UNREADABLE:
        pass
    return Span(filled.to_original(span.start), filled.to_original(span.end))


def mentions(sql: str, word: str) -> bool:
    """Return whether a name occurs in a text, outside of strings and comments."""
    name = word.upper()
    if name.replace("`", "``") not in sql.upper():  # a full tokenization is much slower
        return False
    return any(
        token.kind in {Kind.NAME, Kind.QUOTED} and unquote(token).upper() == name
        for token in code_tokens(sql, Dialect.MYSQL)
    )


def _plain(sql: str) -> str:
    """Replace syntax by blanks if sqlglot cannot parse it and inference does not need it."""
    sql = as_read(sql, MYSQL)
    tokens = code_tokens(sql, Dialect.MYSQL)
    words = [token.text.upper() for token in tokens]
    if words[:1] == ["REPLACE"]:
        return _over(sql, tokens[0], "INSERT")
    if words[:1] == ["CALL"]:
        return _over(sql, tokens[0], "DO", blank=True)
    for token in _modifiers(tokens):
        sql = _over(sql, token, "")
    if words[:1] in (["CREATE"], ["ALTER"]):
        return _plain_definition(sql, tokens, words)
    if words[:1] == ["DELETE"] and "FROM" in words:
        for index in range(words.index("FROM") - 1):
            if words[index : index + 2] == [".", "*"]:
                sql = _over(_over(sql, tokens[index], ""), tokens[index + 1], "")
    return sql


def _modifiers(tokens: Sequence[Token]) -> Sequence[Token]:
    """Return the modifiers of UPDATE or DELETE before the table, such as IGNORE."""
    known = _MODIFIERS.get(tokens[0].text.upper(), frozenset()) if tokens else frozenset()
    return tuple(takewhile(lambda token: token.text.upper() in known, tokens[1:]))


_MODIFIERS = {
    "UPDATE": frozenset({"IGNORE", "LOW_PRIORITY"}),
    "DELETE": frozenset({"IGNORE", "LOW_PRIORITY", "QUICK"}),
}
_SHAPES = frozenset(
    {
        "GEOMCOLLECTION", "GEOMETRYCOLLECTION", "LINESTRING", "MULTILINESTRING", "MULTIPOINT",
        "MULTIPOLYGON", "POINT", "POLYGON",
    }
)  # fmt: skip
_NO_NAMES = frozenset({"ADD", "COLUMN", "DROP", "EXISTS", "KEY", "ON", "TABLE", "TO"})


def _plain_definition(sql: str, tokens: Sequence[Token], words: Sequence[str]) -> str:
    of_a_float = False
    for index, token in enumerate(tokens):
        if words[index] in {"FLOAT", "REAL"}:
            of_a_float = True
        elif of_a_float and words[index] in {"UNSIGNED", "ZEROFILL"}:
            sql = _over(sql, token, "")
        elif token.kind is Kind.NAME:
            of_a_float = False
        named = index > 0 and tokens[index - 1].kind in {Kind.NAME, Kind.QUOTED}
        if words[index] in _SHAPES and named and words[index - 1] not in _NO_NAMES:
            sql = _over(sql, token, "blob")  # a client receives bytes for both types
        is_srid = words[index] == "SRID" and tokens[index + 1 : index + 2]
        if is_srid and tokens[index + 1].kind is Kind.NUMBER:
            sql = _over(_over(sql, token, ""), tokens[index + 1], "")
        if words[index : index + 2] == ["NOT", "ENFORCED"]:
            sql = _over(_over(sql, token, ""), tokens[index + 1], "")
    return sql


def _over(sql: str, token: Token, text: str, *, blank: bool = False) -> str:
    """Replace a token by `text`, or by blanks if `blank` is set; no offset changes."""
    shown = "" if blank else text
    return sql[: token.start] + shown.ljust(token.end - token.start) + sql[token.end :]
