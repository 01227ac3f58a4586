"""The words that the language server describes are exactly the words that the parser accepts."""

from __future__ import annotations

from aiosqlc.lsp import words
from aiosqlc.parse import annotations, macros


def test_every_word_of_the_parser_has_a_description() -> None:
    assert set(words.ANNOTATIONS) == set(annotations.KEYWORDS)
    assert set(words.COMMANDS) == set(annotations.COMMANDS)
    assert set(words.OPTIONS) == set(annotations.OPTIONS)
    assert set(words.MACROS) == set(macros.MACROS)
