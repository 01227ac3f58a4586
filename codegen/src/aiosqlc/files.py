"""Find the SQL files that a configuration names, by sqlc's rules, and read them."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from aiosqlc.diagnostics import Diagnostic, Label
from aiosqlc.messages.files import nul_byte, reason
from aiosqlc.source import SourceFile, Span
from aiosqlc.store.disk import read_bytes
from aiosqlc.store.memo import memo

UNREAD = frozenset({"E007", "E008"})
"""The error codes of unreadable files, whose content is unknown."""


def find_sql_files(
    root: Path, patterns: Iterable[str], config: SourceFile, span: Span
) -> tuple[list[Path], list[Diagnostic]]:
    """Expand files, folders and globs to `.sql` files, except hidden files.

    The files of a folder are sorted by name.
    """
    found: list[Path] = []
    problems: list[Diagnostic] = []
    for pattern in patterns:
        paths = _expand(root, pattern)
        label = (Label(config, _named_at(config, span, pattern), "named here"),)
        if not paths or not all(path.exists() for path in paths):
            hint = "paths are relative to the configuration file"
            message = f"no such file or folder: {pattern}"
            problems.append(Diagnostic("E007", message, label, hint))
            continue
        try:
            inside = [item for path in paths for item in _inside(path)]
        except OSError as error:
            message = f"cannot read {pattern}: {error.strerror}"
            problems.append(Diagnostic("E008", message, label))
            continue
        if not inside:
            hint = "the names of SQL files must end in `.sql`; subfolders are not searched"
            problems.append(Diagnostic("E007", f"no .sql file in {pattern}", label, hint))
        found += inside
    return list(dict.fromkeys(found)), problems


def _named_at(config: SourceFile, span: Span, pattern: str) -> Span:
    """Return the position of the path `pattern` in the configuration, searching from `span` on."""
    word = re.compile(rf"(?<![\w./*-]){re.escape(pattern)}(?![\w./*-])")
    found = word.search(config.text, span.start)
    return Span(found.start(), found.end()) if found else span


def _inside(path: Path) -> Sequence[Path]:
    """Return a file path itself, or the SQL files in a folder and in its migration folders."""
    if not path.is_dir():
        return [path] if _is_sql(path.name) and path.is_file() else []
    with os.scandir(path) as inside:  # reports the kind of each entry without another call
        names = sorted(item.name for item in inside if _is_sql(item.name) and item.is_file())
    if names:
        return _joined(path, tuple(names))
    nested = (sorted(path.glob(f"*/{name}")) for name in _NESTED)  # Prisma's, Diesel's
    return [item for item in next(filter(None, nested), ()) if item.is_file()]


@memo  # equal paths are then one object, which speeds up caches
def _joined(folder: Path, names: tuple[str, ...]) -> tuple[Path, ...]:
    return tuple([folder / name for name in names])


def _expand(root: Path, pattern: str) -> list[Path]:
    found = _matches(root, pattern)
    if pattern.startswith("/") and not any(path.exists() for path in found):
        # sqlc treats every path as relative to the folder.
        return _matches(root, pattern.lstrip("/"))
    return found


def _matches(root: Path, pattern: str) -> list[Path]:
    if any(char in pattern for char in "*?["):
        names = glob.glob(pattern, root_dir=root, recursive=True)  # noqa: PTH207  # supports absolute and `..` patterns
        return [root / name for name in sorted(names)]
    return [root / pattern]


_NESTED = ("migration.sql", "up.sql")


def _is_sql(name: str) -> bool:
    return name.endswith(".sql") and not name.startswith(".")


def read_files(
    root: Path, paths: Iterable[Path], *, whole: bool = True
) -> tuple[list[SourceFile], list[Diagnostic]]:
    """Read files as UTF-8. Paths are relative to `root`.

    With `whole`, a file that contains a NUL byte is omitted.
    """
    files: list[SourceFile] = []
    problems: list[Diagnostic] = []
    start = f"{root}{os.sep}"
    for path in paths:  # hundreds of paths per keystroke
        text = str(path)
        inside = text.startswith(start) and ".." not in text
        shown = text[len(start) :] if inside else os.path.relpath(path, root)
        try:
            file, broken = _source(shown, read_bytes(path))
        except (OSError, UnicodeDecodeError) as error:
            problems.append(Diagnostic("E008", f"cannot read {shown}: {reason(error)}"))
            continue
        if broken and whole:  # the server would silently ignore the text after the NUL
            problems.append(nul_byte(file, file.text.index("\0")))
            continue
        files.append(file)
    return files, problems


@memo  # while watching, most files are unchanged
def _source(shown: str, data: bytes) -> tuple[SourceFile, bool]:
    """Return a source file, and whether its data contain a NUL byte."""
    text = decoded(data)
    return SourceFile(Path(shown), text), "\0" in text


def decoded(data: bytes) -> str:
    """Return the text of a file: UTF-8 without a byte order mark, with line feeds as line ends.

    Raises `UnicodeDecodeError`.
    """
    return data.decode("utf-8-sig").replace("\r\n", "\n")
