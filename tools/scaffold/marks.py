"""Remove the code outside a service that is marked as belonging to this service.

`# with chat` after the first line of a Python statement marks the whole statement and the comment
above it. After any other line, it marks this line. The lines `# with chat, from here` and `# with
chat, to here` mark themselves and all lines between them. In Markdown, a marker is in `<!-- … -->`,
and in Jinja it is in `{# … #}`.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator


def without(text: str, name: str, *, python: bool) -> str:
    """Return a text without the parts that are marked for the service `name`."""
    mark = rf"(?:#|<!--|\{{#) with {name}"
    if not re.search(mark, text):
        return text
    lines = text.splitlines(keepends=True)
    gone: set[int] = set()
    start = None
    # At the end of a line alone: a page may write of marks.
    at_end = re.compile(rf"{mark}(, from here|, to here|)(?: -->| #\}})?$")
    for number, line in enumerate(_comments(text, len(lines)) if python else lines):
        if not (found := at_end.search(line.rstrip())):
            continue
        if found[1] == ", from here":
            start = number
        elif found[1] == ", to here":
            if start is None:
                raise ValueError(f"{line.strip()} has no `from here`")
            gone.update(range(start, number + 1))
            start = None
        else:
            gone.add(number)
    if start is not None:
        raise ValueError(f"{lines[start].strip()} has no `to here`")
    if python:
        gone |= _statements(text, lines, gone)
    return "".join(line for number, line in enumerate(lines) if number not in gone)


def _comments(text: str, count: int) -> list[str]:
    """Return the comment of each line. Text inside a string is not a comment."""
    found = [""] * count
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            found[token.start[0] - 1] = token.string
    return found


def _statements(text: str, lines: list[str], marked: set[int]) -> set[int]:
    """Return the lines of statements that begin on a marked line, and of the comments above."""
    found: set[int] = set()
    for first, last in _spans(text):
        if first in marked:
            found.update(range(first, last + 1))
            while first and lines[first - 1].lstrip().startswith("#"):
                first -= 1
                found.add(first)
    return found


def _spans(text: str) -> Iterator[tuple[int, int]]:
    """Yield the first and the last line of every statement, counted from 0.

    For an `elif`, the last line is the last line of its body, without a later `elif` or `else`.
    """
    lines = text.splitlines()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.stmt):
            decorators = getattr(node, "decorator_list", [])
            first = min([node.lineno, *(each.lineno for each in decorators)])
            last: ast.stmt = node
            if isinstance(node, ast.If) and lines[node.lineno - 1].lstrip().startswith("elif"):
                last = node.body[-1]
            end = last.end_lineno or last.lineno
            yield first - 1, end - 1
