"""Write a text as a readable Python string literal: with few escapes and its own line breaks."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from textwrap import wrap

_DOC_WIDTH = 108  # of 120 columns, less indentation and quotes


def text_literal(text: str) -> str:
    """Return a literal equal to `text`: triple-quoted if it has several lines.

    A triple-quoted text gets a newline at its end, which servers ignore.
    """
    if "\n" not in text:
        return line_literal(text)
    return f'"""\\\n{_escape(text)}\n"""'


def block_literal(text: str) -> str:
    """Return a literal for a text that ends with a newline: triple-quoted for several lines."""
    if text.count("\n") == 1:
        return line_literal(text)
    return f'"""\\\n{_escape(text)}"""'


def line_literal(text: str) -> str:
    """Return a one-line literal, in the quotes that need less escaping."""
    escaped = _escape(text).replace("\n", "\\n").replace('\\"\\"\\"', '"""')
    if '"' in escaped and "'" not in escaped:
        return f"'{escaped}'"
    return '"' + escaped.replace('"', '\\"') + '"'


def docstring(lines: tuple[str, ...]) -> str:
    """Return the source of a docstring that contains these lines, not indented."""
    body = [_escape(part) for block in _paragraphs(_dedent(lines)) for part in _wrapped(block)]
    if len(body) == 1:
        only = body[0]
        return f'"""{only}{" " if only.endswith(chr(34)) else ""}"""'
    return '"""' + "\n".join(body) + '\n"""'


_ITEM = re.compile(r"(?:[-*+•]|\d+[.)])\s+")
_APART = re.compile(r"[|>#`]")  # tables, quotations, headings and code


def _paragraphs(lines: Sequence[str]) -> Iterator[list[str]]:
    """Yield groups of lines: a paragraph, or a list item with its continuation."""
    found: list[str] = []
    for line in lines:
        text = line.lstrip()
        margin = len(line) - len(text)
        goes_on = (
            found
            and text
            and found[0].strip()
            and not _ITEM.match(text)
            and not _APART.match(text)
            and not _APART.match(found[0].lstrip())
            and margin in {_hanging(found[0]), len(found[-1]) - len(found[-1].lstrip())}
        )
        if found and not goes_on:
            yield found
            found = []
        found.append(line)
    if found:
        yield found


def _hanging(line: str) -> int:
    """Return the indentation of the lines that continue a line or a list item."""
    text = line.lstrip()
    item = _ITEM.match(text)
    return len(line) - len(text) + (item.end() if item else 0)


def _wrapped(block: Sequence[str]) -> Sequence[str]:
    """Re-wrap a paragraph if one of its lines is too long."""
    if all(len(line) <= _DOC_WIDTH for line in block):
        return block
    first = block[0]
    return wrap(
        " ".join(line.strip() for line in block),
        _DOC_WIDTH,
        initial_indent=first[: len(first) - len(first.lstrip())],
        subsequent_indent=" " * _hanging(first),
        break_long_words=False,
        break_on_hyphens=False,
    )


def indented(head: str, body: list[str]) -> str:
    """Return a compound statement: its first line, and its body indented."""
    lines = [f"    {line}" if line else "" for part in body for line in part.split("\n")]
    return "\n".join([head, *lines])


def _dedent(lines: tuple[str, ...]) -> list[str]:
    margins = [len(line) - len(line.lstrip()) for line in lines if line.strip()]
    margin = min(margins, default=0)
    return [line[margin:].rstrip() for line in lines]


def _escape(text: str) -> str:
    text = text.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    if text.replace("\n", "").replace("\t", "").isprintable():
        return text
    return "".join(char if char in "\n\t" or char.isprintable() else _code(char) for char in text)


def _code(char: str) -> str:
    number = ord(char)
    if number < 0x100:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"
