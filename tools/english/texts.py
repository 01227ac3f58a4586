"""Read the sentences and the names of a source tree: Markdown pages, Python files, OpenAPI."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

import yaml


class Kind(StrEnum):
    """The kind of a text. Each kind has the same weight in a random sample."""

    DOCS = "docs"
    SUMMARY = "summary"
    MESSAGE = "message"
    DOCSTRING = "docstring"
    COMMENT = "comment"
    NAME = "name"


@dataclass(frozen=True, slots=True)
class Text:
    """A text with its file and line. `path` is relative to the root of the tree."""

    kind: Kind
    path: str
    line: int
    text: str


_FENCE: Final = re.compile(r"^\s*(```|~~~)")
_CODE_SPAN: Final = re.compile(r"`[^`]*`")
_LINK: Final = re.compile(r"\[([^\]]*)\]\([^)]*\)")
_SENTENCE: Final = re.compile(r"(?<=[.!?])\s+(?=[A-Z`*\[])")
_WORD: Final = re.compile(r"[A-Za-z']+")
_CAMEL: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+|[A-Z]+")
# SQL, routes, regular expressions, text of several lines; PromQL, diagrams, Python.
_NOT_PROSE: Final = re.compile(
    r"\b(SELECT|INSERT|UPDATE|DELETE|CREATE|ALTER|FROM|WHERE|DROP)\b|/api/|\\[a-z(]|\(\?|.\n."
    r"|\bSET (LOCAL|SESSION|TRANSACTION|\w+ =)|\bGRANT \w+ ON\b"
    r"|\b(sum|min|max|count) by \(|\b(rate|topk|label_replace)\(|--[->]|-\.->"
    r"|^(async )?def \w+\(|^from [\w.]+ import |^return .*\("
    r'|^"""|^(if|for|while|return|raise|async def) .*:$|:= |: Final|(None|\)) else( |$)'
    r"|^\W?.* for \w+ in [\w.{}…]+\]?:?$|^[\w.{}…]+\(.*\)$|^\||^case when"
    r"|^[^a-z]+$|\[\^|\(\.[+*]\)|^-[A-Zc] "
    # SQL in lower case
    r"|^select .*( from |\(.*\)$|::)|^set (local )?(\w|…)+ = |^set constraints |^reset \w+;"
    r"|^(drop database|create (function|domain|type|extension)) |^alter (function|database|role) "
    r"|^explain \(|^(comment on|lock table|rollback to|insert into|delete from) "
)


def without_code(text: str) -> str:
    """Replace code spans by one character, and links by their text."""
    return _LINK.sub(r"\1", _CODE_SPAN.sub("…", text))


def sentences(text: str) -> list[str]:
    """Split a paragraph into sentences."""
    return [part.strip() for part in _SENTENCE.split(" ".join(text.split())) if part.strip()]


def words(text: str) -> int:
    """Count the words of a text."""
    return len(_WORD.findall(text))


def parts(name: str) -> list[str]:
    """Split an identifier into lower-case words: `JobTold` and `job_told` into job, told."""
    return [part.lower() for piece in name.split("_") for part in _CAMEL.findall(piece)]


def markdown(path: str, source: str) -> Iterator[Text]:
    """Yield the paragraphs, list items, headings and table cells of a page."""
    fenced = False
    block: list[str] = []
    start = 0

    def flush() -> Iterator[Text]:
        if block:
            yield Text(Kind.DOCS, path, start, " ".join(block))
            block.clear()

    for number, line in enumerate(source.splitlines(), 1):
        bare = line.strip()
        if _FENCE.match(line):
            fenced = not fenced
            yield from flush()
        elif fenced:
            continue
        elif not bare or bare.startswith(("#", "|")) or re.match(r"([-*+]|\d+\.) ", bare):
            yield from flush()
            if bare.startswith("|"):
                for cell in bare.strip("|").split(" | "):
                    if re.search(r"[A-Za-z]", cell):
                        yield Text(Kind.DOCS, path, number, cell.strip())
            elif bare.startswith("#"):
                yield Text(Kind.DOCS, path, number, bare.lstrip("# "))
            elif bare:
                start = number
                block.append(re.sub(r"^([-*+]|\d+\.) ", "", bare))
        else:
            start = start if block else number
            block.append(bare)
    yield from flush()


def openapi(path: str, source: str) -> Iterator[Text]:
    """Yield the summaries and descriptions of an OpenAPI document."""

    def walk(node: object) -> Iterator[str]:
        if isinstance(node, dict):
            for key, value in node.items():
                if key in {"summary", "description"} and isinstance(value, str):
                    yield value
                else:
                    yield from walk(value)
        elif isinstance(node, list):
            for value in node:
                yield from walk(value)

    for text in dict.fromkeys(walk(yaml.safe_load(source))):
        yield Text(Kind.SUMMARY, path, 0, text)


def python(path: str, source: str) -> Iterator[Text]:
    """Yield the docstrings, comments, message literals and names of a Python file."""
    tree = ast.parse(source)
    skipped: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0] if node.body else None
            if (
                isinstance(first, ast.Expr)
                and isinstance(first.value, ast.Constant)
                and isinstance(first.value.value, str)
            ):
                skipped.add(id(first.value))
                yield Text(Kind.DOCSTRING, path, first.lineno, first.value.value)
        if (
            isinstance(node, ast.Expr)
            and isinstance(node.value, ast.Constant)
            and isinstance(node.value.value, str)
            and id(node.value) not in skipped
        ):
            skipped.add(id(node.value))  # the description below a field
            yield Text(Kind.DOCSTRING, path, node.lineno, node.value.value)
        if isinstance(node, ast.Attribute) and node.attr == "split":
            skipped.add(id(node.value))  # a list of names
        if isinstance(node, ast.JoinedStr):
            skipped.update(id(part) for part in node.values)
            pieces = [
                part.value if isinstance(part, ast.Constant) else "{…}" for part in node.values
            ]
            yield from _message(path, node.lineno, "".join(str(piece) for piece in pieces))
        elif (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in skipped
        ):
            yield from _message(path, node.lineno, node.value)
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT and not token.string.startswith(("#!", "# type:")):
            yield Text(Kind.COMMENT, path, token.start[0], token.string.lstrip("# "))
        elif token.type == tokenize.NAME:
            yield Text(Kind.NAME, path, token.start[0], token.string)


def _message(path: str, line: int, text: str) -> Iterator[Text]:
    """Yield a literal that reads like English: four words or more, and no SQL or pattern."""
    prose = without_code(text)
    if prose.count(" ") >= 3 and words(prose) >= 4 and not _NOT_PROSE.search(prose):
        yield Text(Kind.MESSAGE, path, line, text)


def read(path: str, source: str) -> Iterator[Text]:
    """Yield the texts of a file. The suffix of its path decides how the file is read.

    Other files have no texts.
    """
    match Path(path).suffix:
        case ".md":
            yield from markdown(path, source)
        case ".yaml" if path.startswith("api/"):
            yield from openapi(path, source)
        case ".py":
            yield from python(path, source)
        case _:
            if Path(path).name == "Makefile":
                for number, line in enumerate(source.splitlines(), 1):
                    if "#" in line:
                        yield Text(Kind.COMMENT, path, number, line.split("#", 1)[1].strip("# "))
