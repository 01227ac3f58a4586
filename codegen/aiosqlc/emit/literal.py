"""Writes any text as a Python string literal that reads like the text."""

from __future__ import annotations

from textwrap import wrap

_DOC_WIDTH = 108  # of 120, with the indentation and the quotes


def text_literal(text: str) -> str:
    """Return a literal equal to `text`: one line as it is, several as a block.

    The block's value ends with a newline, which no server minds and readers like.
    """
    if "\n" not in text:
        return line_literal(text)
    return f'"""\\\n{_escape(text)}\n"""'


def block_literal(text: str) -> str:
    """Return a literal equal to a text that ends with a newline: a block where it has two lines."""
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
    """Return a docstring of these lines, without indentation."""
    body = [_escape(part) for line in _dedent(lines) for part in _wrapped(line)]
    if len(body) == 1:
        only = body[0]
        return f'"""{only}{" " if only.endswith(chr(34)) else ""}"""'
    return '"""' + "\n".join(body) + '\n"""'


def _wrapped(line: str) -> list[str]:
    """Break a line of a docstring that is too long, what follows as far in as it is."""
    if len(line) <= _DOC_WIDTH:
        return [line]
    margin = line[: len(line) - len(line.lstrip())]
    return wrap(
        line,
        _DOC_WIDTH,
        subsequent_indent=margin,
        break_long_words=False,
        break_on_hyphens=False,
    )


def indented(head: str, body: list[str]) -> str:
    """Return a statement with its block."""
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
