"""Every code block of the manual is what it says it is: it parses, and its queries compile."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest
import yaml
from aiosqlc.cli.main import _COMMANDS
from aiosqlc.parse.queries import parse_files
from aiosqlc.parse.scanner import Dialect
from aiosqlc.source import SourceFile

MANUAL = Path(__file__).parents[2] / "docs" / "compiler"
_BLOCK = re.compile(r"```(\w*)\n(.*?)```", re.DOTALL)
# What is shown and not to be run: other tools' files, what is printed, an editor's settings.
_SHOWN = {"", "text", "lua", "toml", "json"}
BLOCKS = [
    pytest.param(page.name, kind, text, id=f"{page.stem}-{number}")
    for page in sorted(MANUAL.glob("*.md"))
    for number, (kind, text) in enumerate(_BLOCK.findall(page.read_text()))
]


def engine(page: str) -> Dialect:
    return Dialect.MYSQL if page == "mysql.md" else Dialect.POSTGRESQL


@pytest.mark.parametrize(("page", "kind", "text"), BLOCKS)
def test_a_block_is_what_it_says(page: str, kind: str, text: str) -> None:
    if kind == "python":
        compile(text, page, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    elif kind == "yaml":
        assert yaml.safe_load(text) is not None
    elif kind == "sql":
        file = SourceFile(Path("block.sql"), text)
        _, problems = parse_files([file], engine(page))
        assert [item.message for item in problems if "-- name:" in text] == []
    elif kind == "sh":
        done = subprocess.run(
            ["bash", "-n"], input=text, text=True, capture_output=True, check=False
        )
        assert done.stderr == ""
        assert set(re.findall(r"^aiosqlc (\w+)", text, re.MULTILINE)) <= set(_COMMANDS)
    else:
        assert kind in _SHOWN
