"""Every code block of the manual is valid: it parses, and its queries compile."""

from __future__ import annotations

import ast
import re
import textwrap
from pathlib import Path

import pytest
import yaml
from aiosqlc.cli.main import _COMMANDS
from aiosqlc.config.load import load_project
from aiosqlc.parse.queries import parse_files
from aiosqlc.pipeline.compile import compile_project
from aiosqlc.source import Dialect, SourceFile

from tests.projects import ran

MANUAL = Path(__file__).parents[1] / "docs"
_BLOCK = re.compile(r"```(\w*)\n(.*?)```", re.DOTALL)
# What is shown and not to be run: other tools' files, what is printed, an editor's settings.
_SHOWN = {"", "text", "lua", "toml", "json"}
BLOCKS = [
    pytest.param(page.name, kind, text, id=f"{page.stem}-{number}")
    for page in sorted(MANUAL.glob("*.md"))
    for number, (kind, text) in enumerate(_BLOCK.findall(page.read_text()))
]


def engine(page: str) -> Dialect:
    return Dialect.MYSQL if page.startswith("mysql") else Dialect.POSTGRESQL


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
        done = ran("bash", "-n", input=text)
        assert done.stderr == ""
        assert set(re.findall(r"^aiosqlc (\w+)", text, re.MULTILINE)) <= set(_COMMANDS)
    else:
        assert kind in _SHOWN


def _configuration(block: str) -> str:
    """Return a whole configuration, with the part that a page shows."""
    block = textwrap.dedent(block)
    if block.startswith("version:"):
        return block
    head = 'version: "2"\n'
    if block.startswith("sql:"):
        return head + block
    if block.startswith("overrides:"):
        block = "gen:\n  python:\n    out: store\n" + textwrap.indent(block, "    ")
    entry = "sql:\n  - engine: postgresql\n    schema: a\n    queries: b\n"
    return head + entry + textwrap.indent(block, "    ")


@pytest.mark.parametrize(("page", "kind", "text"), [b for b in BLOCKS if b.values[1] == "yaml"])
def test_a_configuration_is_read_without_a_finding(
    page: str, kind: str, text: str, tmp_path: Path
) -> None:
    if text.startswith("permissions:"):  # a workflow of GitHub's
        return
    (tmp_path / "sqlc.yaml").write_text(_configuration(text))
    project, problems = load_project(tmp_path / "sqlc.yaml", environ={})
    # Left to sqlc where it runs us as its plugin; nothing else may be passed over.
    told = [item.message for item in problems if "plugin" not in text]
    assert project, page
    assert told == []


def test_the_queries_of_a_page_compile_or_are_refused_as_it_says(tmp_path: Path) -> None:
    schema = """
        CREATE TABLE staff (id bigint PRIMARY KEY, name text NOT NULL);
        CREATE TABLE account (id bigint PRIMARY KEY, name text, prefs jsonb, flags jsonb);
        CREATE TABLE orders (
            id int, owner_id int, staff_id int NOT NULL, total int NOT NULL,
            public boolean, deleted_at timestamptz
        );
        CREATE TABLE part (shop_id int, id int, name text, price int, PRIMARY KEY (shop_id, id));
        CREATE TABLE order_line (order_id int, title text, price int);
    """
    entry = "sql: [{engine: postgresql, schema: s.sql, queries: q.sql, gen: {python: {out: o}}}]\n"
    (tmp_path / "sqlc.yaml").write_text(f'version: "2"\n{entry}')
    (tmp_path / "s.sql").write_text(schema)
    project, _ = load_project(tmp_path / "sqlc.yaml", environ={})
    assert project
    expected = {"queries.md": [], "diagnostics.md": ["E370"]}
    for page, codes in expected.items():
        blocks = [
            t for name, kind, t in (b.values for b in BLOCKS) if (name, kind) == (page, "sql")
        ]
        assert blocks
        for number, block in enumerate(blocks):
            if block.startswith("CREATE"):  # the schema of the queries below it
                schema += block
                (tmp_path / "s.sql").write_text(schema)
                continue
            named = block if "-- name:" in block else f"-- name: Q{number} :many\n{block}"
            arrowed = re.sub(r" +← .*| +E\d{3}: .*", "", named)
            (tmp_path / "q.sql").write_text(arrowed)
            errors = [d for d in compile_project(project).diagnostics if d.severity == "error"]
            assert [item.code for item in errors] == codes, [item.message for item in errors]
