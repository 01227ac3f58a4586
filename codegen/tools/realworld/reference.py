"""Compile an entry with sqlc, and read the document of its JSON generator."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.realworld.projects import Entry

_ROUNDS = 6  # each takes the queries out that sqlc refused in the one before
_SECONDS = 120
_PLACE = re.compile(r"^(?:.*?)([^\s:]+\.sql):(\d+):\d+: (.+)$", re.MULTILINE)
_NAME = re.compile(r"^\s*(?:--|#|/\*)\s*name:\s*\S+\s+:", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Reference:
    """The document that sqlc generates for each query, and sqlc's errors with file and line."""

    queries: Mapping[str, Mapping[str, Any]]
    refused: tuple[str, ...] = ()


def ask_sqlc(entry: Entry) -> Reference:
    """Compile an entry with sqlc in a temporary copy of its folder.

    A query that sqlc refuses stops the whole entry, so it is removed and the rest is compiled
    again. Afterwards the copy is restored.
    """
    folder = entry.config.parent
    out = folder / f".sqlc_{entry.name}"
    config = folder / f".sqlc_{entry.name}.json"
    gen = {"json": {"out": out.name, "filename": "request.json"}}
    package = {
        "engine": entry.engine,
        "schema": list(entry.schema),
        "queries": list(entry.queries),
        "gen": gen,
    }
    config.write_text(json.dumps({"version": "2", "sql": [package]}), "utf-8")
    refused: list[str] = []
    before: dict[Path, str] = {}
    try:
        for _ in range(_ROUNDS):
            said = _run(config)
            if said is None:
                document = json.loads((out / "request.json").read_text("utf-8"))
                queries = {query["name"]: query for query in document.get("queries", [])}
                return Reference(queries, tuple(refused))
            mistakes = list(_mistakes(said, folder))
            if not mistakes:
                return Reference({}, (*refused, said.strip()))
            for path, line, message in mistakes:
                text = path.read_text("utf-8", "replace")
                before.setdefault(path, text)
                path.write_text(_without_query(text, line), "utf-8")
                refused.append(f"{path.name}:{line}: {message}")
    finally:
        for path, text in before.items():
            path.write_text(text, "utf-8")
    return Reference({}, tuple(refused))


def _run(config: Path) -> str | None:
    """Run sqlc, and return its error messages, or None if there are none."""
    sqlc = Path(sys.executable).with_name("sqlc")
    command = [str(sqlc), "generate", "--no-remote", "-f", config.name]
    try:
        done = subprocess.run(
            command,
            cwd=config.parent,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"no response within {_SECONDS} s"
    return done.stderr or "failed" if done.returncode else None


def _mistakes(said: str, folder: Path) -> Iterator[tuple[Path, int, str]]:
    """Yield the file, line and message of each error, the last error of a file first."""
    found = {}
    for name, line, message in _PLACE.findall(said):
        path = next(iter(sorted(folder.glob(f"**/{Path(name).name}"))), None)
        exact = folder / name
        path = exact if exact.is_file() else path
        if path is not None:
            found[path, int(line)] = message
    for (path, line), message in sorted(found.items(), reverse=True):
        yield path, line, message


def _without_query(text: str, line: int) -> str:
    """Return a text in which the query at a line is replaced by blanks."""
    lines = text.split("\n")
    starts = [n for n, content in enumerate(lines) if _NAME.match(content)]
    first = max((n for n in starts if n < line), default=0)
    last = min((n for n in starts if n >= line), default=len(lines))
    return "\n".join("" if first <= n < last else content for n, content in enumerate(lines))
