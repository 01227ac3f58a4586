"""Write the proposed migrations: change the checked file, and add new files that sort after it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from aiosqlc.config.project import Project, QuerySet
from aiosqlc.production.migrations.check import Checked
from aiosqlc.production.migrations.formats import Format, text_of
from aiosqlc.production.migrations.pending import tool_of
from aiosqlc.production.migrations.safer import Piece
from aiosqlc.schema.forward import DOWN

_VERSION = re.compile(r"(?P<prefix>[Vv]?)(?P<number>\d+)(?P<rest>.*)")
_SUFFIX = ".up.sql"


class FixError(Exception):
    """Raised if the proposed migrations cannot be written; the text contains the reason."""


def fix(project: Project, entry: QuerySet, checked: Sequence[Checked]) -> list[Path]:
    """Write each migration that has a proposal, and return the written paths.

    Raises `FixError` before any file is written.
    """
    files: dict[Path, str] = {}
    for one in checked:
        if one.better:
            files |= _rewritten(project, tool_of(project, entry, one.seen.file), one)
    for path, text in files.items():
        (project.root / path).write_text(text)
    return list(files)


def _rewritten(project: Project, tool: Format, one: Checked) -> dict[Path, str]:
    file = one.seen.file
    pieces = list(_pieces(one))
    paths = [file.file.path, *_later(project.root, file.file.path, len(pieces) - 1)]
    texts = [text_of(tool, list(p.statements), in_block=p.in_block) for p in pieces]
    texts[0] = _heading(file.file.text) + texts[0]
    back = _way_back(file.file.text)
    if back:  # the first file contains the rollback of them all
        mark = next(line for line in texts[0].split("\n") if DOWN.match(line))
        texts[0] = texts[0].split(mark)[0] + back
    for number, text in enumerate(texts[1:], 1):
        texts[number] = f"-- Taken back with {file.file.path.name}.\n{text}"
    return dict(zip(paths, texts, strict=True))


def _pieces(one: Checked) -> Iterator[Piece]:
    """Yield the proposed migrations in order; each statement is unchanged or replaced."""
    waiting: list[str] = []
    block = one.seen.file.transactional
    for statement in one.seen.statements:
        proved = one.better.get(statement.span)
        if proved is None:
            waiting.append(statement.sql.strip())
            continue
        if waiting and not _only_settings(waiting):
            yield Piece(tuple(waiting), block)
        waiting = []
        yield from proved.pieces
    if waiting:
        yield Piece(tuple(waiting), block)


def _only_settings(statements: Sequence[str]) -> bool:
    """Return whether statements only change settings that last until the transaction ends."""
    return all(re.match(r"set\s+local\b", text, re.IGNORECASE) for text in statements)


def _heading(text: str) -> str:
    """Return the comments at the top of a file, except those that the migration tool reads."""
    kept = []
    for line in text.split("\n"):
        if not line.startswith("--"):
            break
        if not re.match(r"--\s*(?:migrate:|\+goose|transactional:)", line, re.IGNORECASE):
            kept.append(f"{line}\n")
    return "".join(kept)


def _way_back(text: str) -> str:
    lines = text.split("\n")
    first = next((n for n, line in enumerate(lines) if DOWN.match(line)), None)
    return "" if first is None else "\n".join(lines[first:])


def _later(root: Path, path: Path, number: int) -> Iterator[Path]:
    """Yield names for new migration files that sort after an existing file.

    Raise `FixError` if the numbers for the names are already in use.
    """
    name = path.name.removesuffix(_SUFFIX).removesuffix(".sql")
    suffix = _SUFFIX if path.name.endswith(_SUFFIX) else ".sql"
    version = _VERSION.fullmatch(name)
    if version is None:
        raise FixError(
            f"cannot create a migration after {path}, because the name of the migration has no "
            "number"
        )
    taken = {
        int(found["number"])
        for file in (root / path.parent).iterdir()
        if (found := _VERSION.match(file.name))
    }
    first, width = int(version["number"]), len(version["number"])
    for more in range(1, number + 1):
        if first + more in taken:
            raise FixError(
                f"cannot create a migration after {path}: {first + more:0{width}d} already exists; "
                "renumber the later migrations first"
            )
        rest = f"{version['rest']}_{more + 1}{suffix}"
        yield path.with_name(f"{version['prefix']}{first + more:0{width}d}{rest}")
