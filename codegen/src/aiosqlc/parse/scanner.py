"""Split SQL into tokens with the lexical rules of each server.

The content of strings is not parsed as SQL.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from functools import cache, lru_cache
from typing import Final, NamedTuple

from aiosqlc.source import Dialect, Span


class Kind(StrEnum):
    """The kind of a token. `PARAM` is `$1` or `?`; `NAME` is a bare name or keyword.

    `OPENING` and `CLOSING` are the marks of MySQL's executable comments, `/*!50000` and `*/`. The
    text between the marks is part of the statement.
    """

    COMMENT = "comment"
    STRING = "string"
    QUOTED = "quoted"
    NAME = "name"
    NUMBER = "number"
    PARAM = "param"
    OPERATOR = "operator"
    PUNCTUATION = "punctuation"
    OPENING = "opening"
    CLOSING = "closing"
    UNTERMINATED = "unterminated"


class Token(NamedTuple):
    """A token of the text. Whitespace is not a token."""

    kind: Kind
    text: str
    start: int
    end: int

    @property
    def span(self) -> Span:
        """Return the token's span in the scanned text."""
        return Span(self.start, self.end)


# Beyond ASCII, every character is a letter. A negated class compiles faster.
_LETTER = r"[^\x00-@\[-^`{-\x7f]"
_WORD = rf"{_LETTER}[^\x00-\#%-/:-@\[-^`{{-\x7f]*"
_NUMBER = r"(?:\d[\d_]*(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?"

# Blanks are matched possessively, and the end of the text matches, so that matching is linear.
_POSTGRES = rf"""
    \s*+(?:
      (?P<comment>--[^\n\r]*)
    | (?P<block>/\*)
    | (?P<string>[eE]'(?:[^'\\]|\\.|'')*'|(?:[nNbBxX]|[uU]&)?'(?:[^']|'')*')
    | (?P<dollar>\$(?P<tag>(?:{_LETTER}[^\x00-/:-@\[-^`{{-\x7f]*)?)\$)
    | (?P<quoted>(?:[uU]&)?"(?:[^"]|"")*")
    | (?P<unterminated>[eE]?'|")
    | (?P<param>\$\d+)
    | (?P<name>{_WORD})
    | (?P<number>{_NUMBER})
    | (?P<operator>::|:=|(?:(?!--|/\*)[-+*/<>=~!@\#%^&|`?])+)
    | (?P<punctuation>[^\s])
    | \Z
    )
    """

_MYSQL = rf"""
    \s*+(?:
      (?P<opening>/\*M?!(?:\d{{5,6}})?)
    | (?P<comment>--(?=\s|$)[^\n]*|\#[^\n]*|/\*(?:[^*]|\*(?!/))*\*/)
    | (?P<block>/\*)
    | (?P<string>(?:[nNbBxX]|_[A-Za-z0-9]+\s*)?'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.|"")*")
    | (?P<quoted>`(?:[^`]|``)*`)
    | (?P<param>\?)
    | (?P<name>@@?{_WORD}|{_WORD})
    | (?P<number>{_NUMBER})
    | (?P<operator>:=|->>?|<=>|<<|>>|<=|>=|<>|!=|\|\||&&|[-+*/<>=~!@%^&|])
    | (?P<unterminated>['"`])
    | (?P<punctuation>[^\s])
    | \Z
    )
    """


class Lexis(NamedTuple):
    """The lexical rules of an engine.

    `nests` means that comments can be nested. `names_by_at` means that `@name` is a parameter.
    `has_arrays` means that a list is sent as one parameter. `delimits` means that `DELIMITER` can
    change the end of statements in files. `has_infinity` means that a literal such as `infinity`
    can be a date that Python cannot represent. `notifies` means that the engine has notification
    channels. `quotes` are the quotation marks of a name. `looser` are the operators that bind more
    loosely than AND. `folds_quoted` means that quoted names are compared in lower case too.
    `named_by_text` means that a column without an alias is named by the text of its expression,
    and that a string can be an alias.
    """

    grammar: str
    nests: bool
    names_by_at: bool
    has_arrays: bool
    delimits: bool
    has_infinity: bool
    notifies: bool
    quotes: str
    looser: frozenset[str]
    folds_quoted: bool
    named_by_text: bool


LEXES: Final[Mapping[Dialect, Lexis]] = {
    Dialect.POSTGRESQL: Lexis(
        _POSTGRES,
        nests=True,
        names_by_at=True,
        has_arrays=True,
        delimits=False,
        has_infinity=True,
        notifies=True,
        quotes='""',
        looser=frozenset({"OR"}),
        folds_quoted=False,
        named_by_text=False,
    ),
    Dialect.MYSQL: Lexis(
        _MYSQL,
        nests=False,
        names_by_at=False,
        has_arrays=False,
        delimits=True,
        has_infinity=False,
        notifies=False,
        quotes="``",
        looser=frozenset({"OR", "XOR", "||", ":="}),
        folds_quoted=True,
        named_by_text=True,
    ),
}
_BLOCK_EDGE = re.compile(r"/\*|\*/")


@cache
def _grammar(dialect: Dialect) -> tuple[re.Pattern[str], dict[int, Kind | None]]:
    """Return an engine's compiled grammar, and the token kind of each group in the grammar.

    None is the kind of groups that match only the start of a token.
    """
    pattern = re.compile(LEXES[dialect].grammar, re.VERBOSE | re.DOTALL)
    return pattern, {number: _WHOLE.get(name) for name, number in pattern.groupindex.items()}


def scan(text: str, dialect: Dialect = Dialect.POSTGRESQL, start: int = 0) -> Iterator[Token]:
    """Yield the tokens of `text` from offset `start`.

    Every text can be split into tokens; invalid parts become tokens too.
    """
    pattern, kinds = _grammar(dialect)
    opened = False
    closing = -1  # the offset of the next `*/` that was found
    while start < len(text):
        for found in pattern.finditer(text, start):
            group = found.lastindex
            if group is None:  # only blanks remain
                return
            first, stop = found.span(group)
            kind = kinds[group]
            if kind is None:
                if found.lastgroup == "opening" and closing < stop:
                    closing = text.find("*/", stop)
                stop, kind = _token_end(text, found, first, dialect, closing)
                opened = opened or kind is Kind.OPENING
            elif opened and kind is Kind.OPERATOR and text.startswith("*/", first):
                opened, kind, stop = False, Kind.CLOSING, first + 2
            yield _token(Token, (kind, text[first:stop], first, stop))
            if stop != found.end():
                start = stop
                break


def _token_end(
    text: str, found: re.Match[str], first: int, dialect: Dialect, closing: int
) -> tuple[int, Kind]:
    """Return the end and kind of the token that starts with a match of the grammar."""
    if found.lastgroup == "block":
        return _block_end(text, first, dialect)
    if found.lastgroup == "dollar":
        return _dollar_end(text, found)
    if found.lastgroup == "opening" and closing >= 0:
        return found.end(), Kind.OPENING
    return len(text), Kind.UNTERMINATED


@lru_cache(maxsize=256)
def code_tokens(text: str, dialect: Dialect = Dialect.POSTGRESQL) -> tuple[Token, ...]:
    """Return the tokens of `text` without comments, cached for repeated use."""
    return tuple([token for token in scan(text, dialect) if token.kind is not Kind.COMMENT])


def first_word(sql: str) -> str:
    """Return the first token of a MySQL statement in upper case, or '' for an empty text."""
    tokens = code_tokens(sql, Dialect.MYSQL)
    return tokens[0].text.upper() if tokens else ""


_token = tuple.__new__  # twice as fast as the NamedTuple's own __new__
MARKS = frozenset({Kind.OPENING, Kind.CLOSING})
_WHOLE = {kind.value: kind for kind in Kind if kind not in {*MARKS, Kind.UNTERMINATED}}


def _block_end(text: str, start: int, dialect: Dialect) -> tuple[int, Kind]:
    """Return the end of a block comment, and the kind COMMENT or UNTERMINATED."""
    depth = 0
    for edge in _BLOCK_EDGE.finditer(text, start):
        if edge.group() == "*/":
            depth -= 1
        elif LEXES[dialect].nests or not depth:
            depth += 1
        if not depth:
            return edge.end(), Kind.COMMENT
    return len(text), Kind.UNTERMINATED


def _dollar_end(text: str, opening: re.Match[str]) -> tuple[int, Kind]:
    closing = text.find(f"${opening['tag']}$", opening.end())
    if closing < 0:
        return len(text), Kind.UNTERMINATED
    return closing + len(opening["tag"]) + 2, Kind.STRING


def unquote(token: Token) -> str:
    """Return the identifier in a NAME or QUOTED token, or the content of a plain string."""
    text = token.text
    if token.kind is Kind.NAME:
        return text
    quote = text[0]
    return text[1:-1].replace(quote * 2, quote)


def split_statements(text: str, dialect: Dialect = Dialect.POSTGRESQL) -> tuple[Span, ...]:
    """Return the spans of a file's statements, without semicolons and surrounding comments.

    The bodies of SQL-standard functions (`BEGIN ATOMIC … END`) and of MySQL routines are not split.
    """
    spans: list[Span] = []
    first: Token | None = None
    last: Token | None = None
    opened = False
    nesting = _Nesting()
    for token in scan(text, dialect):
        if token.kind is Kind.COMMENT:
            continue
        if token.kind in MARKS:
            opened = token.kind is Kind.OPENING
        if token.text == ";" and not nesting.depth and not opened:
            if first and last:
                spans.append(Span(first.start, last.end))
            first = last = None
            nesting = _Nesting()
            continue
        nesting.see(token)
        first, last = first or token, token
    if first and last:
        spans.append(Span(first.start, last.end))
    return tuple(spans)


_ROUTINES = frozenset({"FUNCTION", "PROCEDURE", "TRIGGER", "EVENT", "RULE"})
_INNER_ENDS = frozenset({"IF", "LOOP", "WHILE", "REPEAT"})
_BEFORE_STATEMENTS = frozenset({";", ":", "BEGIN", "THEN", "ELSE", "DO", "LOOP", "REPEAT"})


class _Nesting:
    """Tracks the depth of nesting in a routine's body, or in the parentheses of CREATE RULE."""

    def __init__(self) -> None:
        self.depth = 0
        self._head: list[str] = []
        self._ended = False
        self._before = ""
        self._fors = 0

    def see(self, token: Token) -> None:
        before, self._before = self._before, token.text.upper()
        if token.text in {"(", ")"}:
            self._parenthesis(token.text)
            return
        if token.kind is not Kind.NAME:
            return
        word = token.text.upper()
        if len(self._head) < 8:
            self._head.append(word)
        if self._head[0] != "CREATE" or _ROUTINES.isdisjoint(self._head):
            return
        after_end, self._ended = self._ended, word == "END" and self.depth > 0
        if word == "FOR" and before in _BEFORE_STATEMENTS:  # a loop over rows, but not `FOR UPDATE`
            self._fors += 1
        ends_for = word == "FOR" and self._fors > 0
        if after_end and (word in _INNER_ENDS or ends_for):
            self._fors -= ends_for
            self.depth += 1  # a level that `END IF` and similar do not close
        elif self._ended:
            self.depth -= 1
        elif word == "BEGIN" or (word == "CASE" and self.depth and not after_end):
            self.depth += 1

    def _parenthesis(self, text: str) -> None:
        # Only rules contain statements in parentheses. Elsewhere, an unmatched one must not hide
        # the rest.
        if "RULE" in self._head[:4]:
            self.depth += 1 if text == "(" else -1
