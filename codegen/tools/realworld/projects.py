"""Find the sqlc configurations of a project, and copy the files that compilers read."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from aiosqlc.config.reader import as_yaml

_SKIPPED = frozenset({"node_modules", "vendor", ".git"})
_SUFFIXES = frozenset({".yaml", ".yml", ".json"})
_LARGEST = 5_000_000  # bytes of a file that is copied
ENGINES = ("postgresql", "mysql")


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of an sqlc configuration: a schema and the queries on it.

    `number` is its index among all entries, including those of other engines.
    """

    config: Path
    number: int
    engine: str
    schema: tuple[str, ...]
    queries: tuple[str, ...]

    @property
    def name(self) -> str:
        """Return the unique name of the entry's temporary files."""
        return f"{self.config.name.replace('.', '_')}_{self.number}"


def copy_project(folder: Path, to: Path) -> None:
    """Copy the SQL files and the configurations of a project. The copy contains no other files."""
    for root, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in _SKIPPED)
        for name in files:
            path = Path(root, name)
            wanted = name.endswith(".sql") or _may_be_config(path)
            if wanted and path.is_file() and path.stat().st_size <= _LARGEST:
                target = to / path.relative_to(folder)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, target)


def find_entries(folder: Path) -> list[Entry]:
    """Return the entries of every configuration below a folder, without duplicates."""
    found: dict[object, Entry] = {}
    for path in sorted(folder.rglob("*")):
        if _may_be_config(path) and path.is_file():
            for entry in _entries(path):
                key = (path.parent, entry.engine, entry.schema, entry.queries)
                found.setdefault(key, entry)
    return [entry for entry in found.values() if entry.engine in ENGINES and entry.queries]


def read_document(path: Path) -> Mapping[str, Any]:
    """Return a configuration as plain values, or an empty mapping if it is invalid."""
    try:
        document = yaml.safe_load(as_yaml(path.read_text("utf-8")))
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return {}
    return document if isinstance(document, dict) else {}


def _may_be_config(path: Path) -> bool:
    return path.suffix in _SUFFIXES and path.name.startswith("sqlc")


def _entries(path: Path) -> Iterator[Entry]:
    document = read_document(path)
    if not {"sql", "packages"} & set(document):
        return
    packages = document.get("sql") or document.get("packages") or []
    for number, package in enumerate(packages):
        if isinstance(package, dict):
            engine = str(package.get("engine") or "postgresql")
            schema, queries = _texts(package.get("schema")), _texts(package.get("queries"))
            yield Entry(path, number, engine, schema, queries)


def _texts(value: object) -> tuple[str, ...]:
    if isinstance(value, list):
        return tuple(str(item) for item in value)
    return (str(value),) if value else ()
