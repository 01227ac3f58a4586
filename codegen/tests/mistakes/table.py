"""Users' mistakes, and the expected diagnostics.

Each TOML file of this folder is a table over one schema. In a text, the sign « precedes the text
that the caret must mark. `says` are texts that the message, its labels, hint and notes must
contain, most importantly the remedy. `never` are texts that they must not contain, because a wrong
remedy is worse than none. Each mistake has exactly one finding.

A mistake is a single query (`sql`), a whole query file (`file`), a migration beside the schema
(`migration`), or a configuration (`config`).
"""

from __future__ import annotations

import functools
import tomllib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from aiosqlc.config.load import load_project
from aiosqlc.diagnostics import Diagnostic
from aiosqlc.pipeline.compile import compile_project

FOLDER = Path(__file__).parent
TABLES = sorted(path.stem for path in FOLDER.glob("*.toml"))
_CONFIG = """\
version: "2"
sql:
  - {{engine: {engine}, schema: schema, queries: queries, gen: {{python: {{out: out}}}}}}
"""


@dataclass(frozen=True)
class Mistake:
    """A mistake, its file, and the texts that its diagnostic must and must not contain.

    `marked` is the required position of the caret, or None if the text has no mark.
    """

    table: str
    name: str
    path: str
    text: str
    code: str
    marked: int | None
    says: tuple[str, ...]
    never: tuple[str, ...]

    def faults(self, found: Sequence[Diagnostic]) -> list[str]:
        """Return the errors in the findings about this mistake, or nothing if they are right."""
        if len(found) != 1:
            return [f"{len(found)} findings instead of one"]
        (item,) = found
        faults = [] if item.code == self.code else [f"{item.code} instead of {self.code}"]
        said = wording(item)
        faults += [f"says nothing of {text!r}" for text in self.says if text not in said]
        faults += [f"says {text!r}" for text in self.never if text in said]
        if self.marked is not None and not item.labels:
            faults.append("marks nothing")
        elif self.marked is not None:
            span = item.labels[0].span
            if span.start != self.marked:
                marked = item.labels[0].file.text[span.start : span.end]
                faults.append(f"marks {marked!r} at {span.start}, not {self.marked}")
        return faults


def wording(item: Diagnostic) -> str:
    """Return the whole text of a finding."""
    return "\n".join([item.message, *(label.text for label in item.labels), item.hint, *item.notes])


@functools.cache
def _read(table: str) -> dict[str, Any]:
    return tomllib.loads((FOLDER / f"{table}.toml").read_text("utf-8"))


def mistakes_of(table: str) -> Iterator[Mistake]:
    """Yield the mistakes of a table, each with its place in the project."""
    for number, row in enumerate(_read(table)["mistakes"]):
        (kind,) = {"sql", "file", "migration", "config"} & row.keys()
        name = f"m{number:03}"
        text = row[kind]
        if kind == "sql":
            text = f"-- name: {name} :{row.get('command', 'many')}\n{text};\n"
        path = {"migration": f"schema/1{number:03}.sql", "config": f"{name}/sqlc.yaml"}.get(
            kind, f"queries/{name}.sql"
        )
        start = text.find("«")
        yield Mistake(
            table,
            f"{table} {row[kind]}",
            path,
            text.replace("«", "", 1),
            row["code"],
            start if start >= 0 else None,
            tuple(row.get("says", ())),
            tuple(row.get("never", ())),
        )


@functools.cache
def findings(table: str) -> dict[str, list[Diagnostic]]:
    """Compile a table's project once; return its findings by file."""
    found: defaultdict[str, list[Diagnostic]] = defaultdict(list)
    with TemporaryDirectory() as name:
        root = Path(name)
        own = [item for item in mistakes_of(table) if item.path.endswith(".yaml")]
        common = {
            "sqlc.yaml": _CONFIG.format(engine=_read(table)["engine"]),
            "queries/sound.sql": "-- name: Sound :one\nSELECT 1 AS one;\n",
        }
        common |= {f"schema/{file}": text for file, text in _read(table)["schema"].items()}
        _write(root, common | {i.path: i.text for i in mistakes_of(table) if i not in own})
        for item in _compiled(root):
            path = item.labels[0].file.path.as_posix() if item.labels else ""
            found[path].append(item)
        for mistake in own:
            folder = (root / mistake.path).parent
            _write(folder, common | {"sqlc.yaml": mistake.text})
            found[mistake.path] += _compiled(folder)
    return dict(found)


def _write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, "utf-8")


def _compiled(root: Path) -> list[Diagnostic]:
    project, problems = load_project(root / "sqlc.yaml", environ={})
    compiled = compile_project(project) if project and not problems else None
    return [*problems, *(compiled.diagnostics if compiled else ())]


def all_mistakes() -> list[Mistake]:
    """Return the mistakes of every table."""
    return [mistake for table in TABLES for mistake in mistakes_of(table)]


def faults_of(mistake: Mistake) -> list[str]:
    """Return the errors in the compiler's diagnostics of a mistake."""
    return mistake.faults(findings(mistake.table).get(mistake.path, []))
