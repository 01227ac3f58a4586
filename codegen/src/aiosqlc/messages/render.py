"""Render diagnostics as text: a box with the line, and a caret under the cause."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterable
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from aiosqlc.diagnostics import Diagnostic, Label, Severity

_COLOURS = {
    "error": "\033[1;31m",
    "warning": "\033[1;33m",
    "hint": "\033[36m",
    "frame": "\033[34m",
    "bold": "\033[1m",
}
_RESET = "\033[0m"
# Longest displayed part of a line, in characters, because each word may have a message.
_WIDEST = 200
# Control characters, which a terminal would execute, are replaced by their symbols.
_VISIBLE = {code: 0x2400 + code for code in range(32) if chr(code) not in "\t\n"} | {127: 0x2421}


class Style(Struct, frozen=True):
    """The output style.

    Displayed paths are relative to the folder `root`.
    """

    root: Path = Path()
    colour: bool = False

    def paint(self, name: str, text: str) -> str:
        """Colour text if colours are enabled."""
        return f"{_COLOURS[name]}{text}{_RESET}" if self.colour else text

    def shown(self, path: Path) -> str:
        """Return a path that can be opened from the current folder."""
        return os.path.normpath(self.root / path)


def render(diagnostic: Diagnostic, style: Style | None = None) -> str:
    """Render one diagnostic, ending with a newline."""
    style = style or Style()
    diagnostic = _printable(diagnostic.located())
    name = diagnostic.severity.value
    head = style.paint(name, f"{name}[{diagnostic.code}]") + ": "
    lines = [head + style.paint("bold", diagnostic.message)]
    width = max(
        (len(str(label.file.line_col(label.span.start)[0])) for label in diagnostic.labels),
        default=1,
    )
    for position, label in enumerate(diagnostic.labels):
        lines += _frame(label, width, first=position == 0, style=style)
    margin = " " * width
    tail = [f"note: {note}" for note in diagnostic.notes]
    if diagnostic.hint:
        tail.append(f"{style.paint('hint', 'hint')}: {diagnostic.hint}")
    for position, text in enumerate(tail):
        edge = "└─" if position == len(tail) - 1 else "│"
        first, *rest = text.split("\n")
        lines.append(f"{margin} {style.paint('frame', edge)} {first}")
        lines += [f"{margin}    {line}" for line in rest]
    return "\n".join(lines) + "\n"


def _printable(diagnostic: Diagnostic) -> Diagnostic:
    """Return a diagnostic whose text is safe on a terminal and whose message is on one line."""
    return replace(
        diagnostic,
        message=" ".join(diagnostic.message.split()).translate(_VISIBLE),
        hint=diagnostic.hint.translate(_VISIBLE),
        notes=tuple(note.translate(_VISIBLE) for note in diagnostic.notes),
    )


def _frame(label: Label, width: int, *, first: bool, style: Style) -> list[str]:
    line, column = label.file.line_col(label.span.start)
    position = f"{style.shown(label.file.path)}:{line}:{column}"
    text, at = _window(label.file.line_text(line), column - 1)
    length = min(label.span.end - label.span.start, len(text) - at)
    corner = "┌─" if first else "├─"
    bar = style.paint("frame", "│")
    margin = " " * width
    shown = text.rstrip()
    before = text[:at]
    pad = "".join("\t" if char == "\t" else " " * _cells(char) for char in before)
    caret = "^" * max(sum(_cells(char) for char in text[at : at + length]), 1)
    note = f"{caret} {label.text}".rstrip()
    return [
        f"{margin} {style.paint('frame', corner)} {position}",
        f"{line:>{width}} {bar} {shown}".rstrip(),
        f"{margin} {bar} {pad}{style.paint('error', note)}",
    ]


def _window(text: str, at: int) -> tuple[str, int]:
    """Return the part of a line that is displayed, and the position of an offset in this part."""
    first = max(0, at - _WIDEST // 2) if len(text) > _WIDEST else 0
    left, right = "…" * (first > 0), "…" * (first + _WIDEST < len(text))
    shown = text[first : first + _WIDEST].translate(_VISIBLE)
    return f"{left}{shown}{right}", at - first + len(left)


def _cells(char: str) -> int:
    """Return how many terminal cells a character takes."""
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def render_all(diagnostics: Iterable[Diagnostic], style: Style | None = None) -> str:
    """Render diagnostics one after another, with a count at the end."""
    found = list(diagnostics)
    parts = [render(diagnostic, style) for diagnostic in found]
    return "\n".join([*parts, summary(found)]) if found else ""


def summary(diagnostics: Iterable[Diagnostic]) -> str:
    """Return a summary such as `2 errors, 1 warning`."""
    severities = [diagnostic.severity for diagnostic in diagnostics]
    counts = [(severities.count(severity), severity.value) for severity in Severity]
    said = [f"{count} {name}{'s' if count > 1 else ''}" for count, name in counts if count]
    return ", ".join(said) + "\n" if said else ""
