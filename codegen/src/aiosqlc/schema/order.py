"""Sort schema files in the order of their migration tool, without rollbacks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from aiosqlc.source import SourceFile
from aiosqlc.store.memo import memo

_BACKWARD = (".down.sql", ".rollback.sql", ".undo.sql", ".revert.sql")


def forward_files(paths: Sequence[Path]) -> list[Path]:
    """Return the files that migrate forward, in the order in which the tool applies them.

    As migration tools do, numbered files in a folder are sorted by number: `2_x` before `10_y`.
    Otherwise, folders and files keep the order of the configuration.
    """
    if any(_BY_FLYWAY.match(path.name) for path in paths):
        paths = [path for path in paths if not _CALLBACK.match(path.name)]
    return [
        path
        for folder, files in _folders(tuple(paths))
        for path in _planned(folder, files) or _sorted_by_version(files)
    ]


@memo  # while watching, the set of files rarely changes
def _folders(paths: tuple[Path, ...]) -> tuple[tuple[Path, tuple[Path, ...]], ...]:
    """Return the forward migrations of each folder."""
    there = set(paths)
    folders: dict[Path, list[Path]] = {}
    for path in paths:
        if not _goes_back(path, there):
            folders.setdefault(path.parent, []).append(path)
    return tuple([(folder, tuple(files)) for folder, files in folders.items()])


def _goes_back(path: Path, there: set[Path]) -> bool:
    if path.name.endswith(_BACKWARD) or _UNDONE.match(path.name):
        return True
    forward = re.sub(r"(^|[_-])down\.sql$", r"\1up.sql", path.name)
    return forward != path.name and path.with_name(forward) in there


_CHECKPOINT = re.compile(r"^--\s*atlas:checkpoint\b", re.MULTILINE)


def since_checkpoint(files: list[SourceFile]) -> list[SourceFile]:
    """Drop migrations before an Atlas checkpoint, because the checkpoint contains them."""
    found = [
        number
        for number, file in enumerate(files)
        if "atlas:checkpoint" in file.text and _CHECKPOINT.search(file.text)
    ]
    if not found:
        return files
    last = found[-1]
    folder = files[last].path.parent
    return [file for file in files[:last] if file.path.parent != folder] + files[last:]


_VERSION = re.compile(r"^(?:[Vv](?P<dotted>\d+(?:[._]\d+)*)__|[Vv]?(?P<plain>\d+))")
_UNDONE = re.compile(r"^U\d[\d._]*__")  # Flyway's way back
# Flyway's repeatable migrations, which run after all versioned ones.
_REPEATED = re.compile(r"^R__")
_BY_FLYWAY = re.compile(r"^(?:[VU]\d[\d._]*|R)__")
# Files that Flyway runs around migrations: `afterMigrate.sql`, `beforeEachMigrate__grants.sql`.
_CALLBACK = re.compile(
    r"^(?:createSchema|(?:before|after)(?:Each)?(?:Baseline|Clean|Connect|CreateSchema|Deploy|Info"
    r"|Migrate|Repair|Repeatables|Undo|Validate|Versioned)"
    r"(?:Statement)?(?:Applied|Error|OperationFinish)?)(?:__.*)?\.sql$"
)


def is_numbered(path: Path) -> bool:
    """Return whether a file's name starts with a number that defines its order."""
    return bool(_VERSION.match(path.name) or _REPEATED.match(path.name))


def _planned(folder: Path, files: Sequence[Path]) -> Sequence[Path]:
    """Return the files of a sqitch `deploy` folder in the order of sqitch's plan file, if any."""
    listed = folder.parent / "sqitch.plan"
    if folder.name != "deploy" or not listed.is_file():
        return []
    lines = listed.read_text("utf-8", "replace").splitlines()
    names = [line.split()[0] for line in lines if line.strip() and line.strip()[0] not in "%#@"]
    place = {f"{name}.sql": number for number, name in enumerate(names)}
    return sorted(files, key=lambda path: place.get(path.name, -1))


@memo
def _sorted_by_version(paths: tuple[Path, ...]) -> tuple[Path, ...]:
    repeated = [path for path in paths if _REPEATED.match(path.name)]
    once = [path for path in paths if path not in repeated]
    matches = [_VERSION.match(path.name) for path in once]
    versions = [_numbers(match) for match in matches if match]
    if not versions or len(versions) < len(once):
        return paths
    return (*[path for _, path in sorted(zip(versions, once, strict=True))], *repeated)


def _numbers(version: re.Match[str]) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", version["dotted"] or version["plain"])]


_DEPENDS = re.compile(r"^--\s*depends:(?P<names>.*)$", re.MULTILINE)


def by_dependency(files: list[SourceFile]) -> list[SourceFile]:
    """Put each file after the files in its yoyo `-- depends:` line; in a cycle, keep the order."""
    by_name = {file.path.name.removesuffix(".sql"): file for file in files}
    ordered: dict[Path, SourceFile] = {}
    visiting: set[Path] = set()

    def visit(file: SourceFile) -> None:
        if file.path in ordered or file.path in visiting:
            return
        visiting.add(file.path)
        needs = _DEPENDS.search(file.text) if "depends:" in file.text else None
        for name in needs["names"].split() if needs else []:
            if name in by_name:
                visit(by_name[name])
        ordered[file.path] = file

    for file in files:
        visit(file)
    return list(ordered.values())
