"""Fragments in the tools around the compiler: the lock, the formatter, the editor, reports."""

from __future__ import annotations

from pathlib import Path

import pytest
from aiosqlc.cli.main import main
from aiosqlc.layout.queries import tidy
from aiosqlc.layout.statement import LayoutStyle
from aiosqlc.lock.keys import complete_key
from aiosqlc.messages.machines import format_diagnostics
from aiosqlc.messages.render import Style
from aiosqlc.parse.queries import parse_files
from aiosqlc.source import Dialect, SourceFile

from tests.fragments.test_texts import FRAGMENTS, parse
from tests.golden import analyzer_on
from tests.lsp.editor import editor, generate
from tests.lsp.test_features import hovered, leads
from tests.projects import write_project
from tests.servers.postgres import TestPostgres
from tests.test_lock import Counting
from tests.test_lock import generate as build

HOUSE = next(iter(LayoutStyle))
CONFIG = """\
version: "2"
sql:
  - engine: postgresql
    schema: schema.sql
    queries: [queries.sql, shared.sql]
    gen:
      python: {out: store, package: store}
"""
SCHEMA = "CREATE TABLE author (id int PRIMARY KEY, name text NOT NULL, gone boolean NOT NULL);\n"
SHARED = """\
-- Authors who still write.
-- fragment: active(a)
NOT a.gone;

-- fragment: named(a)
a.name <> '';
"""
QUERIES = """\
-- name: ListActive :many
SELECT id FROM author AS a WHERE sqlc.include(active, a);

-- name: ListNamed :many
SELECT id FROM author AS a WHERE sqlc.include(named, a);

-- name: ListAll :one
SELECT id FROM author AS a WHERE a.id > @least AND sqlc.include(active, a);
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    files = {"sqlc.yaml": CONFIG, "schema.sql": SCHEMA, "shared.sql": SHARED}
    return write_project(tmp_path, {**files, "queries.sql": QUERIES.replace(":one", ":many")})


def test_a_changed_fragment_is_analysed_again_in_its_queries_only(
    project: Path, postgres_server: TestPostgres
) -> None:
    counting = Counting(analyzer_on(postgres_server.create_empty()))
    assert build(project, counting)[0] == 0
    assert counting.asked == ["ListActive", "ListNamed", "ListAll"]
    counting.asked.clear()
    (project / "shared.sql").write_text(f"-- A comment above.\n\n{SHARED}")
    assert build(project, counting)[0] == 0
    assert counting.asked == []
    (project / "shared.sql").write_text(SHARED.replace("NOT a.gone", "a.gone = false"))
    assert build(project, counting)[0] == 0
    assert counting.asked == ["ListActive", "ListAll"]
    text = (project / "store" / "queries.py").read_text()
    assert text.count("(a.gone = false)") == 2
    assert "NOT a.gone" not in text


def test_stored_warnings_are_not_shown_at_the_old_place_of_a_fragment() -> None:
    queries = "-- name: Q :many\nSELECT 1 FROM x WHERE sqlc.include(newer, x, 'a');\n"
    before, _ = parse(queries)
    after, _ = parse(queries, f"\n\n{FRAGMENTS}")
    assert [query.question for query in before] == [query.question for query in after]
    keys = [query.question for query in before]
    assert complete_key(keys, before) != complete_key(keys, after)
    assert complete_key(keys, before) == complete_key(keys, parse(queries)[0])


def test_the_formatter_keeps_fragments_and_includes() -> None:
    fragment = "-- What is left.\n-- fragment: odd(t)\nt.a = 'x  \n  y'  AND t.b   -- :if b  \n;"
    text = (
        f"{fragment}\n\n-- name: Q :many\nselect id   from x where sqlc.include(odd, x) and 1=1;\n"
    )
    found = tidy(SourceFile(Path("q.sql"), text), Dialect.POSTGRESQL, HOUSE)
    assert found
    assert found.after.text.startswith(fragment)
    assert "SELECT id" in found.after.text
    assert "sqlc.include(odd, x)" in found.after.text
    again = tidy(found.after, Dialect.POSTGRESQL, HOUSE)
    assert again
    assert again.after == found.after


@pytest.mark.parametrize("how", ["json", "github", "sarif"])
def test_reports_for_machines_name_the_file_of_the_fragment(how: str) -> None:
    files = [
        SourceFile(Path("q.sql"), "-- name: Q :many\nSELECT 1 WHERE sqlc.include(one);\n"),
        SourceFile(Path("f.sql"), "\n-- fragment: one\nsqlc.include(two);\n"),
    ]
    _, problems = parse_files(files, Dialect.POSTGRESQL)
    text = format_diagnostics(problems, Style(), how)
    assert "f.sql" in text
    assert "unknown fragment `two`" in text


async def test_the_editor_shows_a_fragment_and_leads_to_it(project: Path) -> None:
    generate(project)
    path = project / "queries.sql"
    async with editor(project) as desk:
        await desk.open(path)
        said = await hovered(desk, path, "include(acti|ve, a);\n\n-- name: ListNamed")
        assert "-- Authors who still write." in said
        assert "NOT a.gone;" in said
        await leads(desk, project, [("include(nam|ed", "shared.sql", "named(a)")])
        (project / "shared.sql").write_text(SHARED.replace("a.gone", "a.left_us"))
        await desk.open(project / "shared.sql")
        await desk.until(project / "shared.sql", ["E311", "E311"])


def test_format_writes_queries_that_include_fragments(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = project / "queries.sql"
    path.write_text(
        "-- name: L :many\nselect id, name from author as a where sqlc.include(active, a);\n"
    )
    assert main(["format", "-f", str(project / "sqlc.yaml")]) == 0
    said = capsys.readouterr()
    assert "formatted" in said.out + said.err
    assert path.read_text() == (
        "-- name: L :many\nSELECT id, name FROM author AS a WHERE sqlc.include(active, a);\n"
    )


def test_vet_reads_the_conditions_of_fragments(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "shared.sql").write_text(SHARED.replace("a.name <> ''", "a.name = NULL"))
    assert main(["vet", "-f", str(project / "sqlc.yaml")]) == 1
    said = capsys.readouterr()
    shown = said.out + said.err
    assert "shared.sql:6:8" in shown, shown
    assert "included from queries.sql:5" in shown
