"""Find the calls in which a parameter is an argument, from the query's text.

The syntax tree is insufficient: sqlglot uses one class for several functions, and reorders
arguments.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

from msgspec import Struct, field

from aiosqlc.parse.scanner import Kind, Token, code_tokens
from aiosqlc.source import Dialect

# Keywords that end an argument like a comma: `SUBSTRING(s FROM ? FOR ?)`.
_BETWEEN = frozenset({"AS", "FOR", "FROM", "LIMIT", "ORDER", "SEPARATOR", "USING"})
_BEFORE = frozenset({"ALL", "BINARY", "BOTH", "DISTINCT", "LEADING", "TRAILING"})
_SIGNS = frozenset({"+", "-"})


class Call(Struct, frozen=True):
    """A call in which a parameter is an argument.

    `index` counts from 0; `count` is the number of arguments.
    """

    name: str
    index: int
    count: int


class _Open(Struct):
    """An open parenthesis. `parts` contains the tokens of the current argument."""

    name: str
    index: int = 0
    parts: list[str] = field(default_factory=list)
    alone: list[tuple[str, int]] = field(default_factory=list)

    def end(self) -> str:
        """End an argument; return the parameter that is the whole argument, or ''."""
        only = self.parts[0] if len(self.parts) == 1 else ""
        if only:
            self.alone.append((only, self.index))
        self.parts = []
        self.index += 1
        return only


@lru_cache(maxsize=16)
def calls(sql: str) -> Mapping[str, Call]:
    """Return, by parameter `:name`, the calls in which the parameter is a whole argument.

    A sign or parentheses around the parameter are ignored.
    """
    found: dict[str, Call] = {}
    opened = [_Open("")]
    tokens = code_tokens(sql, Dialect.MYSQL)
    for index, token in enumerate(tokens):
        if token.text == "(":
            opened.append(_Open(_name(tokens, index)))
        elif token.text == ")" and len(opened) > 1:
            _close(opened, found)
        elif _separates(token, opened[-1].name):
            opened[-1].end()
        else:
            _add(opened[-1], tokens, index)
    return found


def _separates(token: Token, function: str) -> bool:
    """Return whether a token ends an argument."""
    if token.kind is not Kind.NAME:
        return token.text == ","
    word = token.text.upper()
    return word in _BETWEEN or (word == "IN" and function == "POSITION")


def _close(opened: list[_Open], found: dict[str, Call]) -> None:
    closed = opened.pop()
    only = closed.end()
    if closed.name:
        for parameter, index in closed.alone:
            found[parameter] = Call(closed.name, index, closed.index)
        if opened[-1].parts:  # the function's name
            opened[-1].parts[-1] = ""
        return
    opened[-1].parts.append(only if closed.index == 1 else "")


def _add(inside: _Open, tokens: Sequence[Token], index: int) -> None:
    token = tokens[index]
    before = tokens[index - 1] if index else None
    if before is not None and before.text == ":" and before.end == token.start:
        inside.parts.append(token.text)
    elif token.text == ":" or (
        not inside.parts and (token.text in _SIGNS or token.text.upper() in _BEFORE)
    ):
        return
    else:
        inside.parts.append("")


def _name(tokens: Sequence[Token], index: int) -> str:
    """Return the upper-case name before a parenthesis, if it may be a built-in function."""
    if not index or tokens[index - 1].kind is not Kind.NAME:
        return ""
    of_a_schema = index > 1 and tokens[index - 2].text == "."
    return "" if of_a_schema else tokens[index - 1].text.upper()
