"""Find the configurations of a workspace, and the configurations that use a given file."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from aiosqlc.config.load import DEFAULT_NAMES

_DEEPEST = 8
_MOST_FOLDERS = 20_000
_PASSED_OVER = frozenset({"node_modules", "__pycache__", "site-packages", "target"})


def configurations(roots: Iterable[Path]) -> Iterator[Path]:
    """Yield the configurations in the given folders, except hidden and third-party folders."""
    for folder, inside in _folders(roots):
        names = {item.name for item in inside}
        yield from (folder / name for name in DEFAULT_NAMES if name in names)


def files_below(roots: Iterable[Path], suffix: str) -> Iterator[Path]:
    """Yield the files with a suffix in the given folders, except hidden and third-party folders."""
    for folder, inside in _folders(roots):
        yield from (folder / item.name for item in inside if item.name.endswith(suffix))


def _folders(roots: Iterable[Path]) -> Iterator[tuple[Path, list[os.DirEntry[str]]]]:
    waiting = [(root, 0) for root in roots]
    seen = 0
    while waiting and seen < _MOST_FOLDERS:
        folder, depth = waiting.pop()
        seen += 1
        try:
            inside = sorted(os.scandir(folder), key=lambda item: item.name)
        except OSError:
            continue
        yield folder, inside
        if depth < _DEEPEST:
            waiting += [
                (Path(item.path), depth + 1)
                for item in inside
                if not item.name.startswith(".")
                and item.name not in _PASSED_OVER
                and item.is_dir(follow_symlinks=False)
            ]


def above(path: Path) -> Iterator[Path]:
    """Yield the configurations in the folders that contain a file, from the nearest outward."""
    for folder in path.parents:
        yield from (folder / name for name in DEFAULT_NAMES if (folder / name).is_file())
