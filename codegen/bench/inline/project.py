"""A project whose queries are literals in Python files, and changed literals."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from random import Random

from bench.codegen import growth
from bench.soundness.model import Query, Suite

SOURCES, PACKAGE = "app", "inline"
_COMMAND = re.compile(r"^\s*-- :\w+\n")
PARAMETER = re.compile(r"@(\w+)")
_IN_A_FILE = 10


def write_project(folder: Path, size: int) -> list[str]:
    """Write a project of `size` literals, ten in a file, and return the texts of the literals.

    Its schema and its queries are those of the growing project.
    """
    growth.write_project(folder, size)
    (folder / SOURCES).mkdir()
    texts: list[str] = []
    for path in sorted((folder / "queries").glob("*.sql")):
        for query in path.read_text().strip().split(";\n\n"):
            head, _, body = query.strip().rstrip(";").partition("\n")
            name, command = re.findall(r"name: (\w+) (:\w+)", head)[0]
            lines = [f"-- {command}", *body.split("\n")]
            text = "\n" + "".join(f"    {line}\n" for line in lines)
            module = folder / SOURCES / f"module_{len(texts) // _IN_A_FILE:03}.py"
            if not module.exists():
                module.write_text(f"from {PACKAGE} import sql\n")
            with module.open("a") as file:
                file.write(f'\n{name.upper()} = sql("""{text}""")\n')
            texts.append(text)
    shutil.rmtree(folder / "queries")
    (folder / "queries").mkdir()
    (folder / "queries" / "one.sql").write_text("-- name: One :one\nSELECT 1 AS one;\n")
    return texts


def suite_of(folder: Path, texts: Sequence[str], name: str) -> Suite:
    """Return literals as the queries `q0`, `q1` … over the schema of a project.

    The parameters are numbered in the order of their names' first places. The queries do not have
    the literals' own commands, which only aiosqlc reads.
    """
    schema = "".join(path.read_text() for path in sorted((folder / "migrations").glob("*.sql")))
    statements = tuple(part.strip() for part in schema.split(";\n") if part.strip())
    queries = (Query(f"q{number}", _numbered(text), name) for number, text in enumerate(texts))
    return Suite(name, statements, tuple(queries))


def _numbered(text: str) -> str:
    numbers: dict[str, int] = {}
    bare = _COMMAND.sub("", text)
    return PARAMETER.sub(lambda at: f"${numbers.setdefault(at[1], len(numbers) + 1)}", bare)


def changed(texts: Sequence[str], count: int, seed: int) -> dict[str, str]:
    """Return `count` different texts, each with the given text that is one character away."""
    r = Random(seed)
    known, found = set(texts), dict[str, str]()
    while len(found) < count:
        text = r.choice(texts)
        at = r.randrange(len(text))
        char = r.choice("abcxyz_ ;'")
        new = r.choice(
            (
                text[:at] + text[at + 1 :],
                text[:at] + char + text[at:],
                text[:at] + char + text[at + 1 :],
            )
        )
        if new not in known:
            found[new] = text
    return found
