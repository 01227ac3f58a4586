"""Find the SQL literals of a Python file with a syntax error, by regular expressions."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from aiosqlc.inline.find import FUNCTION, Literal, is_package, unusable
from aiosqlc.inline.written import written
from aiosqlc.source import SourceFile, Span

_IMPORT = re.compile(
    r"^[ \t]*from[ \t]+\.*(?P<module>[\w.]+)[ \t]+import[ \t]*(?P<names>\([^)]*\)|[^\n]*)",
    re.MULTILINE,
)
_NAME = re.compile(rf"\b{FUNCTION}\b(?:\s+as\s+(?P<alias>\w+))?")
_OWNER = re.compile(r"(?P<name>\w+)[ \t]*(?::[^=\n]*)?=[ \t]*(?:await[ \t]+)?$")


def imports_of(text: str) -> Iterator[tuple[str, str]]:
    """Yield each module from which a text imports the function `sql`, and the imported name."""
    for found in _IMPORT.finditer(text):
        if name := _NAME.search(found["names"]):
            yield found["module"], name["alias"] or FUNCTION


def literals_by_spelling(file: SourceFile, package: str) -> list[Literal]:
    """Return the literals in a file's calls of `sql`; the text need not be valid Python.

    An unclosed string is assumed to end at the next quotation mark. If it would then contain
    another call, it is left out.
    """
    names = {name for module, name in imports_of(file.text) if is_package(module, package)}
    if not names:
        return []
    call = re.compile(rf"(?<![\w.])(?:{'|'.join(map(re.escape, names))})\(\s*(?=[rRuU]?[\"'])")
    found: list[Literal] = []
    at = 0
    while opened := call.search(file.text, at):
        at = opened.end()
        read = written(file.text, at)
        code = file.text[at : read.end] if read else ""
        if read is None or call.search(code):
            continue
        value = _value(code)
        if value is None or len(value) != read.length or unusable(value):
            continue
        line = file.text[file.text.rfind("\n", 0, opened.start()) + 1 : opened.start()]
        owner = _OWNER.search(line)
        span = Span(at, read.end)
        found.append(Literal(file, value, span, read.places, owner["name"] if owner else ""))
        at = read.end
    return found


def _value(code: str) -> str | None:
    try:
        value = ast.literal_eval(f"({code})")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return value if isinstance(value, str) else None
