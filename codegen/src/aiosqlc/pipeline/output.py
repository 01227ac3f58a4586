"""Write generated files to disk, either all or none, or show the differences."""

from __future__ import annotations

import contextlib
import difflib
import os
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from aiosqlc.diagnostics import Diagnostic
from aiosqlc.emit.package import MARK
from aiosqlc.ir import Rendered
from aiosqlc.messages.files import reason
from aiosqlc.store.disk import read_bytes, written


@dataclass(frozen=True, slots=True)
class Changes:
    """The changes to make: files to write, and generated files to delete."""

    write: tuple[Rendered, ...]
    remove: tuple[Path, ...]

    def __bool__(self) -> bool:
        """Return whether there are changes to write."""
        return bool(self.write or self.remove)


def compare(files: Sequence[Rendered], folders: Iterable[Path]) -> Changes:
    """Compare generated files with those in `folders`, which contain only generated packages."""
    wanted = {file.path for file in files}
    stale = [
        path
        for folder in sorted(set(folders))
        for path in sorted(folder.glob("*.py"))
        if path not in wanted and _is_ours(path)
    ]
    changed = tuple(file for file in files if not _is_there(file))
    return Changes(changed, tuple(stale))


def write(changes: Changes) -> list[Diagnostic]:
    """Write and remove the files.

    If a handwritten file would be overwritten, write nothing and return an error.
    """
    foreign = [file.path for file in changes.write if _is_foreign(file.path)]
    if foreign:
        return [_refusal(path) for path in foreign]
    staged: list[tuple[Path, Path]] = []
    path = Path()
    try:
        for file in changes.write:
            path = file.path
            file.path.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(prefix=f".{file.path.name}.", dir=file.path.parent)
            staged.append((Path(name), file.path))
            _stage(file, handle, Path(name))
        for (temporary, path), file in zip(staged, changes.write, strict=True):
            temporary.replace(path)
            written(path, file.text.encode())
        for path in changes.remove:
            path.unlink(missing_ok=True)
    except OSError as error:
        return [Diagnostic("E502", f"cannot write {path}: {reason(error)}")]
    finally:  # after any exception or signal, no temporary file remains
        for temporary, _ in staged:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
    return []


def _stage(file: Rendered, handle: int, temporary: Path) -> None:
    """Write a file under a temporary name in the target's folder, so that a rename installs it."""
    with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as stream:
        stream.write(file.text)
    mode = file.path.stat().st_mode & 0o777 if file.path.exists() else 0o644
    temporary.chmod(mode)


def _read(path: Path) -> str | None:
    try:
        return read_bytes(path).decode().replace("\r\n", "\n")
    except (OSError, UnicodeDecodeError):
        return None


def _is_there(file: Rendered) -> bool:
    try:
        data = read_bytes(file.path)
    except OSError:
        return False
    return data == file.text.encode() or (b"\r" in data and _read(file.path) == file.text)


def _is_ours(path: Path) -> bool:
    text = _read(path) or ""
    first = text.partition("\n")[0]
    return first.startswith(MARK) and "aiosqlc generate" in first


def _is_foreign(path: Path) -> bool:
    """Return whether a file is handwritten. A JSON document is never treated as handwritten."""
    if path.suffix != ".py" or not path.exists():
        return path.is_dir()
    text = _read(path)
    return text is None or bool(text.strip() and not _is_ours(path))


def _refusal(path: Path) -> Diagnostic:
    return Diagnostic(
        "E501",
        f"{path} was not written by this tool",
        hint="move it away, or choose another `out` folder for generated code",
    )


def diff(changes: Changes) -> str:
    """Return a unified diff from the files on disk to the generated ones."""
    parts = [diff_texts(file.path, _read(file.path) or "", file.text) for file in changes.write]
    parts += [diff_texts(path, _read(path) or "", "") for path in changes.remove]
    return "".join(parts)


def diff_texts(path: Path, before: str, after: str, made: str = "generated") -> str:
    """Return a unified diff between two texts of a file; `made` describes the second text."""
    shown = os.path.relpath(path)
    lines = difflib.unified_diff(
        before.splitlines(keepends=True),
        after.splitlines(keepends=True),
        shown,
        f"{shown} ({made})",
    )
    return "".join(line if line.endswith("\n") else f"{line}\n" for line in lines)
