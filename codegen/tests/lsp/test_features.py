"""Responses to the editor besides diagnostics, requested by a real client."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiosqlc.lsp.places import path_of, uri_of
from lsprotocol import types

from tests.lsp.editor import Editor, editor, generate
from tests.projects import write_project

CONFIG = """\
version: "2"
sql:
  - engine: postgresql
    schema: migrations
    queries: queries.sql
    gen:
      python: {out: store, package: store}
"""
FIRST = """\
CREATE TABLE author (
    id integer PRIMARY KEY,
    name text NOT NULL
);
COMMENT ON TABLE author IS 'Who writes.';
COMMENT ON COLUMN author.name IS 'As on the cover.';
CREATE TABLE book (id integer PRIMARY KEY, author_id integer NOT NULL REFERENCES author);
"""
SECOND = "ALTER TABLE book ADD COLUMN title text NOT NULL DEFAULT '';\n"
SCHEMA = {
    "sqlc.yaml": CONFIG,
    "migrations/0001_first.sql": FIRST,
    "migrations/0002_second.sql": SECOND,
}
QUERIES = """\
-- name: GetBook :one
SELECT b.id, b.title AS heading, a.name AS writer
FROM book AS b LEFT JOIN author AS a ON a.id = b.author_id
WHERE b.id = @book_id;

-- name: ListAuthors :many
SELECT 'é😀' AS mark, author.name FROM author
WHERE author.name = @name -- :if name
ORDER BY author.name -- :sort name, id
;

-- name: Whole :many
SELECT * FROM author;
"""


HEAD = "\n-- name: New :many\n"
pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return generate(
        write_project(tmp_path_factory.mktemp("project"), {**SCHEMA, "queries.sql": QUERIES})
    )


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(project: Path) -> AsyncIterator[Editor]:
    async with editor(project) as desk:
        await desk.open(project / "queries.sql")
        yield desk


def asked(kind: Any, place: types.TextDocumentPositionParams) -> Any:
    return kind(text_document=place.text_document, position=place.position)


async def hovered(desk: Editor, path: Path, marked: str) -> str:
    place = desk.where(path, marked)
    said = await desk.client.text_document_hover_async(asked(types.HoverParams, place))
    assert said is None or isinstance(said.contents, types.MarkupContent)
    return said.contents.value if said else ""


async def completed(desk: Editor, path: Path, written: str) -> list[str]:
    """Insert a text at the end of the file; return the completions there."""
    before = desk.texts[path]
    desk.type(path, before + written)
    lines = (before + written).split("\n")
    where = types.TextDocumentIdentifier(uri_of(path))
    place = types.TextDocumentPositionParams(where, types.Position(len(lines) - 1, len(lines[-1])))
    found = await desk.client.text_document_completion_async(asked(types.CompletionParams, place))
    desk.type(path, before)
    assert isinstance(found, types.CompletionList)
    return [item.label for item in found.items]


async def test_all_that_is_known_is_told_of_what_is_under_the_cursor(
    desk: Editor, project: Path
) -> None:
    wanted = {
        "Get|Book": ["rows: at most one row", "writer: text NULL", "$1 book_id: int4 NOT NULL"],
        "a.na|me AS writer": ["writer: text NULL", "- "],
        "b.ti|tle": ["heading: text NOT NULL"],
        "@book|_id": ["$1 book_id: int4 NOT NULL"],
        "JOIN aut|hor": ["-- Who writes.", "CREATE TABLE author (", "-- As on the cover."],
        "|* FROM author": ["id: int4 NOT NULL", "name: text NOT NULL"],
        "WHERE author.na|me": ["author.name: text NOT NULL", "As on the cover."],
        ":so|rt name": ["chooses one of these sort keys"],
    }
    await tells(desk, project / "queries.sql", wanted)


async def tells(desk: Editor, path: Path, wanted: Mapping[str, list[str]]) -> None:
    """Check the hover text at each mark."""
    for marked, texts in wanted.items():
        said = await hovered(desk, path, marked)
        for text in texts:
            assert text in said, (marked, said)


async def test_what_may_stand_at_the_cursor_is_offered(desk: Editor, project: Path) -> None:
    wanted = [
        (f"{HEAD}SELECT n. FROM author AS n WHERE n.", ["id", "name"], "book"),
        (f"{HEAD}SELECT * FROM ", ["author", "book"], "name"),
        (f"{HEAD}SELECT sqlc.", ["sqlc.arg", "sqlc.embed", "sqlc.nest"], "id"),
        (f"{HEAD}SELECT * FROM book WHERE ti", ["title", "book", "sqlc.narg"], "name"),
        (f"{HEAD}SELECT * FROM book WHERE title = @", ["title"], "book"),
        (f"{HEAD}SELECT * FROM book WHERE id = @one AND title = @", ["one"], "author"),
        ("\n-- name: New :", [":one", ":many"], "author"),
        ("\n-- name: New :exec :", [":bulk"], ":one"),
        ("\n-- ", ["name", "param", "column"], "author"),
        (f"{HEAD}SELECT * FROM book WHERE title = @title -- :", [":if", ":sort"], "title"),
        (f"{HEAD}SELECT * FROM book WHERE title = @title -- :if ", ["title"], "author_id"),
        (f"{HEAD}SELECT * FROM book ORDER BY title -- :sort ", ["title", "author_id"], ":if"),
    ]
    await offers(desk, project / "queries.sql", wanted)


async def offers(desk: Editor, path: Path, cases: list[tuple[str, list[str], str]]) -> None:
    """Insert each piece, and check which completions are offered after it, and which are not."""
    for written, wanted, unwanted in cases:
        found = await completed(desk, path, written)
        assert set(wanted) <= set(found), (written, found)
        assert unwanted not in found, (written, found)


async def test_a_name_leads_to_where_it_is_made(desk: Editor, project: Path) -> None:
    wanted = [
        ("b.ti|tle", "migrations/0002_second.sql", "title text NOT NULL"),
        ("a.na|me AS writer", "migrations/0001_first.sql", "name text NOT NULL"),
        ("JOIN aut|hor", "migrations/0001_first.sql", "author ("),
        ("Get|Book", "store/queries.py", "get_book("),
    ]
    await leads(desk, project, wanted)


async def leads(desk: Editor, project: Path, cases: list[tuple[str, str, str]]) -> None:
    """Follow each name to the file and the line of its definition."""
    for marked, name, line in cases:
        place = desk.where(project / "queries.sql", marked)
        found = await desk.client.text_document_definition_async(
            asked(types.DefinitionParams, place)
        )
        assert isinstance(found, types.Location), marked
        assert path_of(found.uri) == project / name
        start = found.range.start
        text = (project / name).read_text().split("\n")[start.line][start.character :]
        assert text.startswith(line)


async def test_the_queries_of_a_file_are_its_outline(desk: Editor, project: Path) -> None:
    where = types.TextDocumentIdentifier(uri_of(project / "queries.sql"))
    found = await desk.client.text_document_document_symbol_async(types.DocumentSymbolParams(where))
    assert found
    assert [item.name for item in found] == ["GetBook", "ListAuthors", "Whole"]


async def test_each_select_item_shows_its_type(desk: Editor, project: Path) -> None:
    where = types.TextDocumentIdentifier(uri_of(project / "queries.sql"))
    whole = types.Range(types.Position(0, 0), types.Position(100, 0))
    found = await desk.client.text_document_inlay_hint_async(types.InlayHintParams(where, whole))
    assert found
    shown = [(hint.position.line, hint.position.character, hint.label) for hint in found]
    line = QUERIES.split("\n")[1]
    assert shown[:3] == [
        (1, line.index(", b.title"), ": int4"),
        (1, line.index(", a.name"), ": text"),
        (1, len(line), ": text?"),
    ]
    # The second is counted in UTF-16 units: the picture in the string is two.
    line = QUERIES.split("\n")[6]
    assert shown[4][:2] == (6, line.index(" FROM") + 1)


async def test_what_a_hint_means_is_written_by_a_fix(desk: Editor, project: Path) -> None:
    path = project / "queries.sql"
    text = QUERIES.replace("b.title", "b.titel").replace(":many", ":mani", 1)
    desk.type(path, text)
    said = await desk.settled(path)
    assert {item.code for item in said} == {"E311", "E107"}
    where = types.TextDocumentIdentifier(uri_of(path))
    for item in said:
        found = await desk.client.text_document_code_action_async(
            types.CodeActionParams(where, item.range, types.CodeActionContext([item]))
        )
        assert found
        [action] = found
        assert isinstance(action, types.CodeAction)
        assert action.edit
        assert action.edit.changes
        [edit] = action.edit.changes[where.uri]
        lines = text.split("\n")
        line = lines[edit.range.start.line]
        lines[edit.range.start.line] = (
            line[: edit.range.start.character] + edit.new_text + line[edit.range.end.character :]
        )
        text = "\n".join(lines)
    desk.type(path, text)
    assert await desk.settled(path) == []


async def test_a_broken_query_keeps_the_rest_alive(desk: Editor, project: Path) -> None:
    path = project / "queries.sql"
    desk.type(path, QUERIES.replace("WHERE b.id = @book_id;", "WHERE b.id = = @book_id;"))
    [broken] = await desk.settled(path)
    assert broken.code == "E300"
    assert "- " in await hovered(desk, path, "a.na|me AS writer"), "as it last compiled"
    assert "id: int4 NOT NULL" in await hovered(desk, path, "|* FROM author")
    desk.type(path, QUERIES)
    assert await desk.settled(path) == []


async def test_an_edit_of_a_migration_is_seen_by_the_queries_before_it_is_saved(
    desk: Editor, project: Path
) -> None:
    path = project / "migrations" / "0002_second.sql"
    await desk.open(path)
    desk.type(path, SECOND.replace("title", "headline"))
    await desk.until(project / "queries.sql", ["E311"])
    assert (project / "migrations" / "0002_second.sql").read_text() == SECOND
    desk.type(path, SECOND)
    await desk.until(project / "queries.sql", [])
