"""The editor's diagnostics equal the command's output."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest
from aiosqlc.cli.main import main

from tests.golden import CASES, CONFIG, copy_case
from tests.lsp.editor import Editor, editor
from tests.servers.programs import program

_FOUND = re.compile(
    r"^(?P<severity>error|warning)\[(?P<code>\w+)\]: (?P<message>.*)\n"
    r"(?:\s*┌─ (?P<path>[^\n]*):(?P<line>\d+):(?P<column>\d+)\n)?",
    re.MULTILINE,
)
Finding = tuple[str, str, str, str, int, int]


def as_printed(case: Path) -> set[Finding]:
    """Return the printed findings of a case."""
    return printed((case / "expected.txt").read_text() if (case / "expected.txt").exists() else "")


def printed(text: str) -> set[Finding]:
    """Return the findings in a text that the command printed."""
    return {
        (
            found["severity"],
            found["code"],
            found["message"],
            found["path"] or "sqlc.yaml",
            int(found["line"] or 1),
            int(found["column"] or 1),
        )
        for found in _FOUND.finditer(text)
    }


def as_underlined(desk: Editor, folder: Path) -> set[Finding]:
    """Return the server's diagnostics in the same form."""
    found = set()
    for path, said in desk.said.items():
        if not path.is_relative_to(folder):
            continue
        for item in said:
            assert item.severity
            message = item.message.split("\n")[0]
            start = item.range.start
            name = path.relative_to(folder).as_posix()
            column = len(
                line_of(path, start.line)
                .encode("utf-16-le")[: start.character * 2]
                .decode("utf-16-le")
            )
            found.add(
                (
                    item.severity.name.lower(),
                    str(item.code),
                    message,
                    name,
                    start.line + 1,
                    column + 1,
                )
            )
    return found


def line_of(path: Path, number: int) -> str:
    return path.read_text().split("\n")[number] if path.exists() else ""


WRONG_ON_MYSQL = """\
-- name: Variable :many
SELECT id FROM author WHERE id = @id;
-- name: Column :many
SELECT naem FROM author;
-- name: Table :many
SELECT id FROM auhtor;
-- name: Syntax :many
SELECT 'é😀', FROM author;
-- name: Many :one
SELECT id FROM author WHERE name = ?;
-- name: Nowhere :exec
INSERT INTO author (id) VALUES (?);
-- name: Oen :oen
SELECT 1;
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


async def test_each_case_is_said_of_as_by_the_command_line(folder: Path) -> None:
    cases = sorted(path for path in CASES.iterdir() if path.is_dir())
    for case in cases:
        (folder / case.name).mkdir()
        copy_case(case, folder / case.name)
    wrong = {}
    async with editor(folder) as desk:
        for case in cases:
            here = folder / case.name
            files = sorted(path for path in here.rglob("*.sql")) or [here / "sqlc.yaml"]
            await desk.open(files[0] if files else here / "sqlc.yaml")
            said = as_underlined(desk, here)
            if said != as_printed(case):
                wrong[case.name] = (
                    sorted(said - as_printed(case)),
                    sorted(as_printed(case) - said),
                )
            desk.close(files[0])
    assert not wrong, "\n".join(f"{name}: {found}" for name, found in wrong.items())


async def test_a_project_for_mysql_is_said_of_as_by_the_command_line(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    program("mariadbd", "mysqld")
    monkeypatch.chdir(folder)
    (folder / "sqlc.yaml").write_text(CONFIG.replace("postgresql", "mysql"))
    (folder / "schema.sql").write_text(
        "CREATE TABLE author (id int PRIMARY KEY, name text NOT NULL);\n"
        "CREATE TABLE broken (x nothing);\n"
    )
    (folder / "queries.sql").write_text(WRONG_ON_MYSQL)
    await asyncio.to_thread(main, ["generate", "--no-color"])
    wanted = printed(capsys.readouterr().err)
    codes = {"E122", "E311", "E310", "E300", "E320", "E371", "E107", "E200"}
    assert codes <= {code for _, code, *_ in wanted}
    async with editor(folder) as desk:
        await desk.open(folder / "queries.sql")
        assert as_underlined(desk, folder) == wanted
