"""The tutorial "one interface, two engines" is correct: each step is executed as written."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest
from aiosqlc.cli.main import main
from aiosqlc.contract import compare

from tests.mysql.conftest import on_both

PAGE = Path(__file__).parents[2] / "docs" / "two-engines.md"
_FILE = re.compile(r"^`([\w/.]+)`\n\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINE = re.compile(r"^```sql\n( *(?:SELECT|title) .*\n)```$", re.MULTILINE)


def _write(folder: Path, name: str, text: str) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text)


async def test_the_tutorial_is_true(
    mysql_cache, tmp_path, monkeypatch, capsys, new_empty_databases
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(mysql_cache))
    monkeypatch.chdir(tmp_path)
    page = PAGE.read_text()
    files = dict(_FILE.findall(page))
    cast, collated = _LINE.findall(page)
    for name, text in files.items():
        _write(tmp_path, name, text)

    assert main(["generate"]) == 1
    out = capsys.readouterr()
    assert "error[E351]: `CountMinutes` has different results on the two engines" in (
        out.out + out.err
    )
    assert not (tmp_path / "test_engines.py").exists()

    queries = files["queries/mysql/tasks.sql"]
    _write(tmp_path, "queries/mysql/tasks.sql", re.sub(r"SELECT coalesce.*\n", cast, queries))
    assert main(["generate"]) == 0
    monkeypatch.syspath_prepend(str(tmp_path))
    calls = importlib.import_module("test_engines").CALLS

    schema = files["migrations/mysql/0001_task.sql"]
    better = re.sub(r" *title .*\n", collated, schema)
    assert better != schema
    with pytest.raises(AssertionError, match="the engines differ after"):
        await _tell(calls, files["migrations/postgres/0001_task.sql"], schema, new_empty_databases)
    await _tell(calls, files["migrations/postgres/0001_task.sql"], better, new_empty_databases)


@pytest.fixture
def new_empty_databases(postgres_server, mysql_server):
    """Make an empty database on each engine; return their URLs."""
    made: list[tuple[object, str]] = []

    def new() -> tuple[str, str]:
        urls = (postgres_server.create_empty(), mysql_server.create_empty())
        made.extend(zip((postgres_server, mysql_server), urls, strict=True))
        return urls

    yield new
    for server, url in made:
        server.drop(url)


async def _tell(calls, pg: str, my: str, databases) -> None:
    """Run the same calls on both engines with these schemas."""
    async with on_both(databases(), (pg, my)) as both:
        await compare(calls, *both, seed=1, steps=500)
