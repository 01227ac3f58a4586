"""Read the tokens of a PL/pgSQL body, for which the server has no parse tree."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from aiosqlc.parse.scanner import Kind, Token, code_tokens, unquote

ASSIGNS: Final = frozenset({":=", "=", "[", "."})
"""The tokens after a name at the start of a statement that make the statement an assignment."""
_LONGEST_NAME = 63  # bytes; the server truncates longer names


class NotUnderstoodError(Exception):
    """Raised if a PL/pgSQL body is not supported; the text may name the unsupported syntax."""


class Words:
    """A reader of the tokens of a body; `at` is the index of the next token."""

    def __init__(self, body: str) -> None:
        self.body = body
        self.tokens = code_tokens(body)
        self.at = 0

    def word(self) -> str:
        """Return the next token in upper case."""
        if self.at >= len(self.tokens):
            raise NotUnderstoodError
        return self.tokens[self.at].text.upper()

    def next(self) -> Token:
        """Return the next token, and move behind it."""
        self.word()
        self.at += 1
        return self.tokens[self.at - 1]

    def optional(self, word: str) -> bool:
        """Move behind the next token if it is this word, and return whether it was."""
        found = self.at < len(self.tokens) and self.word() == word
        self.at += found
        return found

    def expect(self, word: str) -> None:
        """Move behind the next token, which must be this word."""
        if not self.optional(word):
            raise NotUnderstoodError

    def until(self, end: str) -> Sequence[Token]:
        """Return the tokens before the next `end` outside parentheses, and move behind it."""
        first, depth = self.at, 0
        while True:
            token = self.next()
            if token.kind is Kind.UNTERMINATED:
                raise NotUnderstoodError
            if depth == 0 and token.text.upper() == end:
                return self.tokens[first : self.at - 1]
            depth += (token.text in {"(", "["}) - (token.text in {")", "]"})
            if depth < 0 or token.text == ";":
                raise NotUnderstoodError

    @property
    def assigns(self) -> bool:
        """Return whether the next statement is an assignment."""
        after = self.tokens[self.at + 1].text if self.at + 1 < len(self.tokens) else ""
        return after in ASSIGNS or after.startswith("=")  # the server reads `=-` as two tokens


def folded(token: Token) -> str:
    """Return the name that the server looks up for a token.

    Raise `NotUnderstoodError` if the name is uncertain.
    """
    text = unquote(token)
    plain = token.kind is Kind.NAME or token.text.startswith('"')
    if not plain or len(text.encode()) > _LONGEST_NAME or not text.isascii():
        raise NotUnderstoodError
    return text.lower() if token.kind is Kind.NAME else text
