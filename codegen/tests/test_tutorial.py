"""The manual's programs are correct: its files are written and its commands run."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from aiosqlc.cli import init

from tests.projects import ran, write_project

MANUAL = Path(__file__).parents[1] / "docs"
_BLOCK = re.compile(
    r"(?:(?:Put this into|Append this to) `(?P<file>[\w./]+)`:\n\n)?"
    r"```(?P<kind>\w+)\n(?P<text>.*?)```",
    re.DOTALL,
)
CONFIG = init._CONFIG.format(engine="postgresql", out="store", driver="")
INSTALL = "pip install 'aiosqlc[postgres]' asyncpg\n"


def follow(page: str, home: Path, folder: Path) -> list[str]:
    """Follow a page in `folder`; return the output of each block of commands.

    The packages are those of this environment.
    """
    found = []
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    # Not what this test's own process was told: a new user has nothing of it.
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    for block in _BLOCK.finditer((MANUAL / page).read_text()):
        text = block["text"]
        if block["file"]:
            (folder / block["file"]).parent.mkdir(parents=True, exist_ok=True)
            with (folder / block["file"]).open("a") as file:
                file.write(f"\n{text}")
            continue
        assert block["kind"] == "sh", f"what is to be done with this? {text}"
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", text.replace(INSTALL, "")],
            cwd=folder if folder.is_dir() else home,
            env={**kept, "PATH": path, "NO_COLOR": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, f"{text}\n{done.stdout}"
        found.append(done.stdout)
    return found


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Return the output of each block of the tutorial's commands."""
    home = tmp_path_factory.mktemp("home")
    return follow("tutorial.md", home, home / "shop")


def test_its_first_program_prints_the_author_it_has_added(printed: list[str]) -> None:
    assert printed[2].startswith("Author(id=1, name='Ada', bio=None, changed_at=")


def test_explain_gives_the_reasons(printed: list[str]) -> None:
    assert "GetAuthor" in printed[3]
    assert "bio" in printed[3]


def test_filters_updates_and_many_rows_work_as_written(printed: list[str]) -> None:
    assert "Author(id=1, name='Ada', bio='a mathematician', changed_at=" in printed[4]


def test_typed_json_is_read_and_written_as_its_class(printed: list[str]) -> None:
    assert printed[5].endswith(
        "light\nSetPrefsRow(id=1, prefs=Prefs(theme='dark', newsletter=False))\n"
    )


def test_the_first_commands_are_those_of_the_readme() -> None:
    readme = (MANUAL.parent / "README.md").read_text()
    commands = [
        match["text"]
        for match in _BLOCK.finditer((MANUAL / "tutorial.md").read_text())
        if match["kind"] == "sh"
    ]
    assert "".join(commands[:2]) in readme


_AUTHOR = """\
CREATE TABLE author (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL, bio text
);
INSERT INTO author (name) VALUES ('Ada');
"""
_CALLED = """\
import asyncio
import inspect
import os

import asyncpg


async def main() -> None:
    db = await asyncpg.connect(os.environ["DATABASE_URL"])
{call}
    print(author)
    print(inspect.get_annotations(queries.get_author)["return"])


asyncio.run(main())
"""


def called(folder: Path, written: dict[str, str]) -> list[str]:
    """Generate from the files, run the program among them, and return its output."""
    write_project(folder, written)
    for command in (["generate"], ["serve", "--", sys.executable, "main.py"]):
        done = ran(sys.executable, "-m", "aiosqlc", *command, cwd=folder, timeout=120)
        assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize(
    ("page", "row"),
    [
        ("from-aiosql.md", "GetAuthorRow(id=1, name='Ada')"),
        ("from-safeql.md", "GetAuthorRow(id=1, bio=None)"),
    ],
)
def test_the_queries_of_such_a_page_compile_and_its_call_returns_what_it_says(
    page: str, row: str, tmp_path: Path
) -> None:
    """Blocks marked `text` belong to another tool, which is not installed, and are not run."""
    blocks = _BLOCK.findall((MANUAL / page).read_text())
    text = {kind: "".join(t for _, k, t in blocks if k == kind) for _, kind, _ in blocks}
    assert set(text) == {"text", "sql", "python"}
    written = {
        "sqlc.yaml": CONFIG,
        "migrations/0001_start.sql": _AUTHOR,
        "queries/queries.sql": text["sql"],
        "main.py": _CALLED.format(call=textwrap.indent(text["python"], "    ")),
    }
    shown = called(tmp_path, written)
    assert shown[-2] == row
    assert "# GetAuthorRow | None" in text["python"]
    assert shown[-1].replace("store.queries.", "") == "GetAuthorRow | None"


_MOODS = """\
CREATE TYPE mood AS ENUM ('calm', 'wild');
CREATE TABLE author (id integer PRIMARY KEY, name text NOT NULL, bio text, mood mood NOT NULL,
    changes integer NOT NULL DEFAULT 0);
INSERT INTO author VALUES (1, 'Ada', 'a mathematician', 'calm');
"""
_PATCH = """\
-- name: ListByMood :many
SELECT mood, name FROM author WHERE mood = @mood;

-- name: PatchAuthor :exec
UPDATE author SET
    name = @name, -- :set
    bio = @bio, -- :set
    changes = changes + 1
WHERE id = @id;

-- name: GetBio :one
SELECT bio, changes FROM author WHERE id = @id;
"""
_PATCHED = """\
import asyncio, os
import asyncpg, msgspec, pydantic
from msgspec import UNSET, UnsetType
from store import queries


class Request(pydantic.BaseModel):
    name: str = ""
    bio: str | None = None


{declared}


async def main() -> None:
    db = await asyncpg.connect(os.environ["DATABASE_URL"])
    id, patch, pydantic_patch = 1, AuthorPatch(name="Bea"), Request(bio=None)
{calls}
    print(await queries.list_by_mood(db, mood="calm"), await queries.get_bio(db, id=1))


asyncio.run(main())
"""


def test_the_code_on_the_page_of_output_is_what_is_generated_and_its_calls_do_what_it_says(
    tmp_path: Path,
) -> None:
    blocks = _BLOCK.findall((MANUAL / "output.md").read_text())
    generated, calls = [text for _, kind, text in blocks if kind == "python"]
    declared, _, calls = calls.partition("\n\n\n")
    written = {
        "sqlc.yaml": CONFIG.replace("models: dataclass", "models: msgspec"),
        "migrations/0001_start.sql": _MOODS,
        "queries/queries.sql": _PATCH,
        "main.py": _PATCHED.format(declared=declared, calls=textwrap.indent(calls, "    ")),
    }
    shown = called(tmp_path, written)
    assert generated in (tmp_path / "store" / "queries.py").read_text()
    row = "ListByMoodRow(mood=<Mood.CALM: 'calm'>, name='Bea')"
    assert shown[-1] == f"[{row}] GetBioRow(bio=None, changes=2)"


def test_what_is_said_beside_sqlalchemy_is_so(tmp_path: Path) -> None:
    (tmp_path / "sqlc.yaml").write_text(CONFIG)
    [printed] = follow("from-sqlalchemy.md", tmp_path, tmp_path)
    # The list of written files, and no difference of the two programs' outputs.
    assert all(line.startswith("wrote ") for line in printed.splitlines())
    assert (
        tmp_path / "one.txt"
    ).read_text() == "1\nBea None None\nAda Engines 10.00\nAda Notes 5.00\n"
    rows = (tmp_path / "store" / "queries.py").read_text()
    assert "title: str | None" in rows
