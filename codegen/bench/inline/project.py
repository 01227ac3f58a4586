"""A project whose queries are literals in Python files, and changed literals."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from random import Random

from bench.codegen import growth

SOURCES, PACKAGE = "app", "inline"
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


def changed(texts: Sequence[str], count: int, seed: int) -> list[str]:
    """Return `count` different texts, each one character away from one of the given texts."""
    r = Random(seed)
    known, found = set(texts), dict[str, None]()
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
            found[new] = None
    return list(found)
