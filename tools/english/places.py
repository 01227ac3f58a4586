"""Show a sentence with its surroundings: the paragraph, the function or the API operation."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import yaml

from tools.english.texts import Text


def place(text: Text, source: str) -> str:
    """Return the lines that a reader of the file sees around a sentence."""
    match Path(text.path).suffix:
        case ".md":
            return "\n".join(_page(source.splitlines(), text.line - 1))
        case ".yaml":
            return next(_keys(yaml.safe_load(source), text.text, ()), "")
        case _:
            return "\n".join(_code(source.splitlines(), text.line - 1))


def _page(lines: list[str], at: int) -> list[str]:
    """Return the heading, the header of a table, and the row or the paragraph."""
    heading = [line for line in lines[:at] if re.match(r"#+ ", line)][-1:]
    first = at
    while first > 0 and lines[first - 1].strip() and not lines[first - 1].startswith("#"):
        first -= 1
    if lines[at].startswith("|"):
        return [*heading, lines[first], *([lines[at]] if at != first else [])]
    last = at
    while last + 1 < len(lines) and lines[last + 1].strip():
        last += 1
    return [*heading, *lines[max(first, at - 4) : last + 1]]


def _code(lines: list[str], at: int) -> list[str]:
    """Return the lines around a message, or from the start of the function to its docstring."""
    first = at
    while first > max(0, at - 8) and not re.match(r"\s*(async def|def|class) ", lines[first]):
        first -= 1
    return lines[first : at + 6]


def _keys(node: object, sentence: str, path: tuple[str, ...]) -> Iterator[str]:
    """Yield each description that contains the sentence, after the keys that lead to it."""
    match node:
        case dict():
            for key, value in node.items():
                yield from _keys(value, sentence, (*path, str(key)))
        case list():
            for number, value in enumerate(node):
                name = value.get("name", number) if isinstance(value, dict) else number
                yield from _keys(value, sentence, (*path, str(name)))
        case str() if sentence in " ".join(node.split()):
            yield f"{' > '.join(path)}: {node}"
        case _:
            return
