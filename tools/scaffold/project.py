"""Name a project that is based on this repository, in every place that callers or operators see."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from devstack.settings import service_names
from tools.scaffold import steps
from tools.scaffold.tree import all_or_nothing, changed, files
from tools.scaffold.wanted import ScaffoldError

# In labels, images, streams of logs and buckets: none of them takes more than these.
_NAME: Final = re.compile(r"[a-z][a-z0-9]{1,19}")
_HOLDER: Final = re.compile(r"[^\s].{0,98}[^\s]")
_SUFFIX: Final = "-platform"
# Everywhere in these; `order/marketplace` is a feature, not the project.
_PLACES: Final = (
    ".devcontainer", ".github", "clients", "deploy", "observability", "tests/observability",
    "tests/ops", "docker-compose.yml", "docs/clients.md", "docs/ecs.md", "docs/first-cloud.md",
    "lib/metrics.py", "pyproject.toml", "tools/clients.py", "tools/settings_table.py",
    "services/user/service/passkeys.py", "services/user/service/second_factors.py",
)  # fmt: skip
_TITLE: Final = "README.md"
_NOTICE: Final = """\
{title} platform
Copyright {year} {holder}

Based on the {old} platform, which is licensed under the Apache License, Version 2.0 (LICENSE).
The files that differ from it are those that `git diff upstream/main --name-only` lists.
"""


def start(root: Path, name: str, holder: str, *, write: bool) -> list[str]:
    """Rename the project; return a line for each file. Without `write`, nothing is changed.

    Raises:
        ScaffoldError: if the name or the holder is not valid, or if a command fails.
    """
    old = current(root)
    _check(root, old, name, holder)
    found = list(_renamed(root, old, name))
    if not write:
        return [
            f"  {path.relative_to(root)}: {_occurrences(count)}, and the file is renamed"
            if _moved(path, old, name) != path
            else f"  {path.relative_to(root)}: {_occurrences(count)}"
            for path, _, count in found
        ]
    with all_or_nothing(root) as before:
        for path, text, _ in found:
            path.rename(_moved(path, old, name)).write_text(text, encoding="utf-8")
        said = _NOTICE.format(
            title=name.title(), year=datetime.now(UTC).year, old=old.title(),
            holder=holder or f"the authors of the {name.title()} platform",
        )  # fmt: skip
        (root / "NOTICE").write_text(said, encoding="utf-8")
        steps.tidy(root, [path for path, _, _ in found])
        steps.run(root, "tools.rendered", "write")
        return changed(root, before)


def current(root: Path) -> str:
    """Return the current name of the project."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return str(project["name"]).removesuffix(_SUFFIX)


def _check(root: Path, old: str, name: str, holder: str) -> None:
    if not _NAME.fullmatch(name):
        raise ScaffoldError(f"{name!r} is not a valid project name: use 2 to 20 of a-z and 0-9")
    if name == old:
        raise ScaffoldError(f"{name} is already the name of the project")
    if name in service_names(root):
        raise ScaffoldError(f"{name} is the name of a service: choose another name")
    if holder and not _HOLDER.fullmatch(holder):
        raise ScaffoldError("holder= must be one line of 2 to 100 characters")
    used = re.compile(rf"(?<![a-z]){name}(?![a-z])", re.IGNORECASE)
    for path in _named(root):
        if used.search(path.read_text(encoding="utf-8")):
            place = path.relative_to(root)
            raise ScaffoldError(f"{name} is already used as a word in {place}: choose another name")


def _occurrences(count: int) -> str:
    return "1 occurrence" if count == 1 else f"{count} occurrences"


def _renamed(root: Path, old: str, name: str) -> Iterator[tuple[Path, str, int]]:
    """Yield the files with the old name in text or path, and the number of occurrences."""
    word = rf"(?<!order[/.]){old}"
    for path in _named(root):
        before = path.read_text(encoding="utf-8")
        after, count = re.subn(word, name, before)
        after, more = re.subn(word.replace(old, old.title()), name.title(), after)
        count += more
        if count or _moved(path, old, name) != path:
            yield path, after, count
    page = root / _TITLE
    after, count = re.subn(
        rf"\A# {old.title()} platform$", f"# {name.title()} platform",
        page.read_text(encoding="utf-8"), flags=re.MULTILINE,
    )  # fmt: skip
    yield page, after, count


def _moved(path: Path, old: str, name: str) -> Path:
    return path.with_name(path.name.replace(old, name)) if path.stem == old else path


def _named(root: Path) -> Iterator[Path]:
    """Yield the text files that may contain the name."""
    for path in files(root):
        place = path.relative_to(root)
        if not any(place.is_relative_to(one) for one in _PLACES):
            continue
        try:
            path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        yield path
