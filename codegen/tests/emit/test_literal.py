"""Any text can be written as a literal and read back."""

from __future__ import annotations

import ast

import pytest
from aiosqlc.emit.literal import docstring, line_literal, text_literal
from hypothesis import given
from hypothesis import strategies as st

AWKWARD = st.text(alphabet="a'\"\\\n\t %{}\x00\x07é日\u2028\ud800\U0001f600", max_size=30)


@given(st.one_of(AWKWARD, st.text()))
def test_a_text_literal_means_its_text(text: str) -> None:
    ends = "\n" if "\n" in text else ""
    assert ast.literal_eval(text_literal(text)) == text + ends


@given(st.one_of(AWKWARD, st.text()))
def test_a_line_literal_means_its_text_and_stays_on_its_line(text: str) -> None:
    assert ast.literal_eval(line_literal(text)) == text
    assert "\n" not in line_literal(text)


@given(st.lists(AWKWARD.map(lambda line: line.replace("\n", "")), min_size=1, max_size=4))
def test_no_comment_breaks_out_of_its_docstring(lines: list[str]) -> None:
    module = ast.parse(f"def f():\n    {docstring(tuple(lines))}\n    return 1\n")
    assert len(module.body) == 1


LONG = " ".join(["word"] * 30)


@pytest.mark.parametrize(
    ("lines", "ends"),
    [
        ((LONG, "tail end."), "word tail end."),
        ((f"- {LONG}", "  goes on"), "  word word word word word word word word word goes on"),
        ((LONG, "tail", "", "Another."), "Another."),
        ((LONG, "- item"), "- item"),
        ((LONG, "| a | b |"), "| a | b |"),
        ((LONG, "    code"), "    code"),
        (("short", "lines", "stay"), "stay"),
    ],
)
def test_long_comment_is_laid_out_as_paragraphs(lines: tuple[str, ...], ends: str) -> None:
    laid_out = ast.literal_eval(docstring(lines)).rstrip("\n").split("\n")
    assert max(map(len, laid_out)) <= 108
    assert laid_out[-1].endswith(ends)
    assert " ".join(" ".join(laid_out).split()) == " ".join(" ".join(lines).split())
