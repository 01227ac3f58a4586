"""Escape text from queries, messages and file names, so that Markdown does not interpret it."""

from __future__ import annotations

import re

_HTML = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "@": "&#64;", "[": "&#91;", "]": "&#93;"}
_MARKS = {"*": "\\*", "_": "\\_", "~": "\\~", "#": "&#35;", "\\": "\\\\", ":": ":"}
_ESCAPED = str.maketrans({**_HTML, **_MARKS})


def code(text: str) -> str:
    """Return a code span for a table or a paragraph."""
    shown = " ".join(text.split()).replace("|", "\\|")
    longest = max((len(run) for run in re.findall(r"`+", shown)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if shown.startswith("`") or shown.endswith("`") else ""
    return f"{fence}{pad}{shown}{pad}{fence}" if shown else ""


def prose(text: str) -> str:
    """Return a message as one line of Markdown.

    Code in backquotes stays code. Everything else becomes plain text.
    """
    parts = " ".join(text.split()).split("`")
    if len(parts) % 2 == 0:  # a backtick without its counterpart
        parts = ["'".join(parts)]
    return "".join(
        code(part) if number % 2 else part.translate(_ESCAPED).replace("|", "\\|")
        for number, part in enumerate(parts)
    )


def fenced(text: str, language: str = "text") -> str:
    """Return a block of code whose fence is longer than any fence in the text."""
    longest = max((len(run) for run in re.findall(r"`{3,}", text)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}{language}\n{text.rstrip()}\n{fence}\n"
