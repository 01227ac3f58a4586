"""Pages for editors are correct: the named pages, commands, codes and queries exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from aiosqlc.cli.main import _COMMANDS, main
from aiosqlc.ir import Command
from aiosqlc.parse.annotations import OPTIONS
from aiosqlc.parse.queries import parse_files
from aiosqlc.source import Dialect, SourceFile

ROOT = Path(__file__).parents[1]
FILES = ["AGENTS.md", "llms.txt"]


@pytest.mark.parametrize("name", FILES)
def test_every_link_leads_somewhere(name: str) -> None:
    links = re.findall(r"\]\(([^)#]+)", (ROOT / name).read_text())
    assert links
    assert [link for link in links if not (ROOT / link).is_file()] == []


@pytest.mark.parametrize("name", FILES)
def test_every_command_that_is_named_exists(name: str) -> None:
    text = (ROOT / name).read_text()
    named = re.findall(r"`aiosqlc (\w+)", text)
    assert named
    assert set(named) <= set(_COMMANDS)
    commands = {command.value for command in Command} | {*OPTIONS, "if", "set", "sort"}
    assert set(re.findall(r"`(?:-- )?:(\w+)", text)) <= commands


def test_the_rules_and_the_manual_name_every_command() -> None:
    named = set(re.findall(r"`aiosqlc (\w+)", (ROOT / "AGENTS.md").read_text()))
    assert sorted(set(_COMMANDS) - named) == []
    listed = set(re.findall(r"`(\w+)[^`]*`", _first_cells((ROOT / "docs/commands.md").read_text())))
    assert sorted(set(_COMMANDS) - listed) == []


def _first_cells(page: str) -> str:
    """Return the first cell of each row of a page's tables."""
    return "\n".join(line.split(" | ")[0] for line in page.splitlines() if line.startswith("|"))


def test_its_query_is_one() -> None:
    blocks = re.findall(r"```sql\n(.*?)```", (ROOT / "AGENTS.md").read_text(), re.DOTALL)
    for number, text in enumerate(blocks):
        file = SourceFile(Path(f"{number}.sql"), text)
        queries, problems = parse_files([file], Dialect.POSTGRESQL)
        assert (len(queries), problems) == (1, [])


def test_every_page_of_the_manual_that_people_start_from_is_listed() -> None:
    text = (ROOT / "llms.txt").read_text()
    wanted = {"tutorial", "queries", "configuration", "output", "commands", "diagnostics"}
    assert [page for page in wanted if f"docs/{page}.md" not in text] == []


def test_the_skill_has_the_same_rules_and_no_links(tmp_path: Path) -> None:
    assert main(["init", "--skill", str(tmp_path)]) == 0
    written = (tmp_path / ".agents/skills/aiosqlc/SKILL.md").read_text()
    _, head, body = written.split("---\n", 2)
    assert head.startswith("name: aiosqlc\ndescription: Write SQL queries for aiosqlc")
    rules = (ROOT / "AGENTS.md").read_text()
    assert body.lstrip() == re.sub(r"\[([^\]]+)\]\([^)]+\)", r"\1", rules)


def test_a_changed_skill_is_not_overwritten(tmp_path: Path) -> None:
    assert main(["init", "--skill", str(tmp_path)]) == 0
    path = tmp_path / ".agents/skills/aiosqlc/SKILL.md"
    path.write_text("mine")
    assert main(["init", "--skill", str(tmp_path)]) == 1
    assert path.read_text() == "mine"
