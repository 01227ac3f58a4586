"""Read a Python file's SQL literals as one query file, with positions in the Python file."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct

from aiosqlc.diagnostics import Diagnostic, Label
from aiosqlc.inline.find import FUNCTION, as_python_reads, half_character, literals, parsed
from aiosqlc.inline.gather import Gathered, gathered
from aiosqlc.inline.unfinished import literals_by_spelling
from aiosqlc.source import Dialect, SourceFile, Span
from aiosqlc.store.memo import memo


class PythonText(Struct, frozen=True):
    """A Python file as the editor has it, and the queries of its literals.

    `problems` are the errors for calls whose argument is not a literal that can be compiled.
    """

    file: SourceFile
    queries: Gathered
    problems: tuple[Diagnostic, ...] = ()


def python_text(path: Path, text: str, package: str, dialect: Dialect) -> PythonText:
    """Return the SQL literals of a Python file that imports `sql` from a package.

    If the text is not valid Python, the literals are found with a regular expression.
    """
    file = SourceFile(path, as_python_reads(text.removeprefix("\ufeff")))
    return _read(file, package, dialect)


@memo
def _read(file: SourceFile, package: str, dialect: Dialect) -> PythonText:
    if FUNCTION in file.text and isinstance(parsed(file), Diagnostic):
        found, problems = literals_by_spelling(file, package), list[Diagnostic]()
        wrong, at = half_character("file", file.text)
        if wrong:  # Python reports no place in such a text
            problems.append(Diagnostic("E009", wrong, (Label(file, Span(at, at + 1)),)))
    else:
        found, problems = literals(file, package)
    joined = gathered(found, SourceFile(file.path, ""), dialect)
    return PythonText(file, joined, (*problems, *joined.problems))
