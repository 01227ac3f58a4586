"""Find the calls `sql("…")` in Python files."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from msgspec import Struct

from aiosqlc.diagnostics import Diagnostic, Label
from aiosqlc.inline.scopes import calls_of
from aiosqlc.inline.written import place, written
from aiosqlc.source import SourceFile, SourceMap, Span

FUNCTION = "sql"
Placed = ast.expr | ast.stmt | ast.keyword | ast.alias | ast.arg | ast.excepthandler | ast.pattern


class Literal(Struct, frozen=True):
    """The SQL text of one call, with its position in the Python file.

    `span` is the position of the whole literal. `places` maps each character of the text to its
    position in the file. `owner` is the variable to which the call's result is assigned, or the
    function around the call.
    """

    file: SourceFile
    text: str
    span: Span
    places: SourceMap
    owner: str

    def place(self, span: Span) -> Span:
        """Return the span of the Python code for a span of the SQL text."""
        return place(self.places, span)


def as_python_reads(text: str) -> str:
    """Return a file's text with line feeds in place of all line ends, as Python reads it."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def literals(file: SourceFile, package: str) -> tuple[list[Literal], list[Diagnostic]]:
    """Return the SQL literals that a file passes to a package's function `sql`, and errors.

    `package` is the last part of the package's name.
    """
    tree = parsed(file)
    if isinstance(tree, Diagnostic):
        return [], [tree]
    names = set(_imported(tree, package))
    found: list[Literal] = []
    problems: list[Diagnostic] = []
    for call, owner in calls_of(tree, names) if names else ():
        node = call.args[0] if len(call.args) == 1 and not call.keywords else None
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            if wrong := unusable(node.value):
                problems.append(Diagnostic("E009", wrong, (Label(file, span_of(file, node)),)))
            else:
                found.append(_literal(file, node, node.value, owner))
        else:
            problems.append(
                Diagnostic(
                    "E009",
                    f"`{FUNCTION}` needs exactly one string literal",
                    (Label(file, span_of(file, node or call)),),
                    "write the SQL as one literal, without f-strings and variables; a value of the "
                    "program becomes a parameter such as `@name`",
                )
            )
    return found, problems


def parsed(file: SourceFile) -> ast.Module | Diagnostic:
    """Return the syntax tree of a Python file, or the diagnostic for an invalid file."""
    try:
        return ast.parse(file.text)
    except (RecursionError, MemoryError):
        message = "the file has an expression that is nested too deeply to be read"
        return Diagnostic("E009", message, (Label(file, Span(0, 1)),))
    except (SyntaxError, ValueError) as error:
        last, _ = file.line_col(len(file.text))
        at = file.line_start(min(getattr(error, "lineno", None) or 1, last))
        message = f"the file is not valid Python: {getattr(error, 'msg', None) or error}"
        return Diagnostic("E009", message, (Label(file, Span(at, at + 1)),))


def _imported(tree: ast.Module, package: str) -> Iterator[str]:
    """Yield the names under which a file imports the function `sql` from the package."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and is_package(node.module or "", package):
            for alias in node.names:
                if alias.name == FUNCTION:
                    yield alias.asname or alias.name


def is_package(module: str, package: str) -> bool:
    """Return whether the dotted name `module` names the package or its module `sql`."""
    parts = module.split(".")
    return parts[-1] == package or parts[-2:] == [package, FUNCTION]


def unusable(text: str) -> str:
    """Return the reason why the SQL of a literal cannot be compiled, or ''."""
    if not text.strip():
        return f'the literal is empty: write a statement, as in `{FUNCTION}("SELECT 1 AS one")`'
    return half_character("literal", text)[0]


def half_character(what: str, text: str) -> tuple[str, int]:
    """Return an error message and the offset of a text's first surrogate, or ('', 0).

    `what` is a word for the text in the message.
    """
    try:
        text.encode()
    except UnicodeEncodeError as error:
        return (
            f"the {what} has half of a character: \\u{ord(text[error.start]):04x} is a surrogate,"
            " which is not text; write the whole character"
        ), error.start
    return "", 0


def _literal(file: SourceFile, node: ast.Constant, value: str, owner: str) -> Literal:
    span = span_of(file, node)
    found = written(file.text, span.start)
    if found is None or (found.length, found.end) != (len(value), span.end):
        whole = SourceMap(((0, span.start, False), (len(value), span.end, True)))
        return Literal(file, value, span, whole, owner)
    return Literal(file, value, span, found.places, owner)


def span_of(file: SourceFile, node: Placed) -> Span:
    """Return the span of a syntax node in characters, because Python's columns count bytes."""
    return Span(
        _offset(file, node.lineno, node.col_offset),
        _offset(file, node.end_lineno or node.lineno, node.end_col_offset or node.col_offset),
    )


def _offset(file: SourceFile, line: int, column: int) -> int:
    start = file.line_start(line)
    text = file.text[start : start + column]
    return start + len(text.encode()[:column].decode(errors="ignore"))
