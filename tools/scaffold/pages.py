"""Update Markdown pages after a removal: links to removed files become text."""

from __future__ import annotations

import re
from collections.abc import Collection
from fnmatch import fnmatch
from pathlib import Path
from typing import Final

_LINK: Final = re.compile(r"\[([^\]]*)\]\((?!https?:|#)([^)#\s]+)(#[^)\s]*)?\)")
_FILE: Final = re.compile(r"`([\w.*-]+/[\w./*-]*)(:\w+)?`")
# A file of tests, and those of its tests that are named behind it.
_PROOF: Final = re.compile(r"`((?:\w+/)*test_\w+\.py)`((?:[,;]? (?:and )?`test_\w+`)*)")
_FOLDERS: Final = ("docs", "services", "nginx", "observability", "deploy")


def unlink(root: Path, gone: Collection[Path]) -> None:
    """Delete list items and table rows that link only to removed files; unlink other such links."""
    places = {path for file in gone for path in (file, *file.parents) if not path.exists()}
    pages = [*root.glob("*.md"), *(page for f in _FOLDERS for page in root.glob(f"{f}/**/*.md"))]
    for page in pages:
        before = page.read_text(encoding="utf-8")
        after = "".join(
            _line(root, page, line, places) for line in before.splitlines(keepends=True)
        )
        if after != before:
            page.write_text(after, encoding="utf-8")


def _line(root: Path, page: Path, line: str, gone: Collection[Path]) -> str:
    def missing(file: str) -> bool:
        return (page.parent / file).resolve() in gone

    def lost(file: str) -> bool:
        """Return whether a path below the root or below `tests/` matches only removed files."""
        named = [place / file.rstrip("/.") for place in (root, root / "tests")]
        return any(fnmatch(str(path), str(one)) for path in gone for one in named) and not any(
            list(root.glob(str(one.relative_to(root)))) for one in named
        )

    links = [file for _, file, _ in _LINK.findall(line)]
    if links and line.lstrip().startswith(("- ", "| ")) and all(map(missing, links)):
        return ""
    if line.startswith("|"):  # a row may be of any length
        line = _PROOF.sub(
            lambda found: f"{found[1]} (removed)" if lost(found[1]) else found[0], line
        )
    line = _LINK.sub(lambda found: found[1] if missing(found[2]) else found[0], line)
    return _FILE.sub(lambda found: found[1] if lost(found[1]) else found[0], line)
