"""The server responds correctly to unusual requests and texts, or refuses them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiosqlc.cli.main import main
from aiosqlc.lsp.places import path_of, uri_of
from lsprotocol import types
from pygls.exceptions import JsonRpcException

from tests.lsp.editor import Editor, editor, generate

MORE = """
-- name: Smile :many
SELECT '😀' AS face, a.id /* 😀 */, a.name AS called FROM author AS a WHERE a.name = @wanted;

-- name: Twins :many
SELECT a.id, b.id AS other FROM author AS a JOIN author AS b ON b.name = a.name
WHERE a.id > @low AND b.id < @high;

-- name: Keyed :one :batchget
SELECT name FROM author WHERE id = @keyed_id;
"""
pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("attacked")
    assert main(["init", str(root)]) == 0
    queries = root / "queries" / "queries.sql"
    queries.write_text(queries.read_text() + MORE)
    return generate(root) / "queries" / "queries.sql"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(path: Path) -> AsyncIterator[Editor]:
    async with editor(path.parents[1]) as desk:
        assert await desk.open(path) == []
        yield desk


async def after_rename(desk: Editor, path: Path, at: types.Position, new: str) -> str:
    """Return a file's text after a rename, as an editor applies it to the shown text."""
    document = types.TextDocumentIdentifier(uri_of(path))
    found = await desk.client.text_document_rename_async(types.RenameParams(document, at, new))
    assert found is not None
    assert found.changes is not None
    lines = desk.texts[path].split("\n")
    (edits,) = [edits for uri, edits in found.changes.items() if path_of(uri) == path]
    for edit in sorted(edits, key=lambda e: (e.range.start.line, -e.range.start.character)):
        start, end = edit.range.start, edit.range.end
        line = lines[start.line].encode("utf-16-le")
        changed = line[: start.character * 2] + edit.new_text.encode("utf-16-le")
        lines[start.line] = (changed + line[end.character * 2 :]).decode("utf-16-le")
    return "\n".join(lines)


REFUSED = [
    ("Sm|ile", "Twins", "another query is called `Twins`"),
    ("Sm|ile", "get_author", ""),
    ("Sm|ile", "", "is not a name"),
    ("Sm|ile", "two words", "is not a name"),
    ("Sm|ile", "x; DROP TABLE author", "is not a name"),
    ("Sm|ile", "1st", "is not a name"),
    ("Sm|ile", 'a"b', "is not a name"),
    ("Sm|ile", "😀", "is not a name"),
    ("Sm|ile", "a\nb", "is not a name"),
    ("@wan|ted", "class", "`class` is a keyword of Python"),
    ("@wan|ted", "None", "`None` is a keyword of Python"),
    ("@wan|ted", "@other", "is not a name"),
    ("@l|ow", "high", ""),
    ("Key|ed", "Other", "the function that reads many keys would change its name too"),
    ("@keyed|_id", "other", "the function that reads many keys would change its name too"),
    ("AS cal|led", "face", "only queries, their parameters"),
    ("author AS |b", "OTHER", "the query already uses `OTHER`"),
    ("author AS |b", "a", "the query already uses `a`"),
    ("author AS |b", "order", "the project would not compile"),
]


@pytest.mark.parametrize(("at", "new", "reason"), REFUSED)
async def test_a_name_that_is_taken_or_none_is_refused(
    desk: Editor, path: Path, at: str, new: str, reason: str
) -> None:
    with pytest.raises(JsonRpcException) as refusal:
        await after_rename(desk, path, desk.where(path, at).position, new)
    assert reason in str(refusal.value)
    assert "Traceback" not in str(refusal.value)


async def test_a_name_is_renamed_behind_characters_of_two_units(desk: Editor, path: Path) -> None:
    text = desk.texts[path]
    for at, old, new in (
        ("@wan|ted", "@wanted", "@asked"),
        ("Sm|ile", "Smile", "Laugh"),
    ):
        place = desk.where(path, at).position
        changed = await after_rename(desk, path, place, new.removeprefix("@"))
        assert changed == text.replace(old, new)


ODD = [(0, 10_000), (10_000, 0), (2**31 - 1, 2**31 - 1), (0, 0)]


def requests(desk: Editor) -> dict[str, Callable[[Any, types.Position], Awaitable[Any]]]:
    """Return each request that refers to a position."""
    client = desk.client
    return {
        "hover": lambda d, p: client.text_document_hover_async(types.HoverParams(d, p)),
        "completion": lambda d, p: client.text_document_completion_async(
            types.CompletionParams(d, p)
        ),
        "definition": lambda d, p: client.text_document_definition_async(
            types.DefinitionParams(d, p)
        ),
        "references": lambda d, p: client.text_document_references_async(
            types.ReferenceParams(types.ReferenceContext(True), d, p)
        ),
        "prepare": lambda d, p: client.text_document_prepare_rename_async(
            types.PrepareRenameParams(d, p)
        ),
        "actions": lambda d, p: client.text_document_code_action_async(
            types.CodeActionParams(d, types.Range(p, p), types.CodeActionContext([]))
        ),
    }


async def test_a_place_outside_of_the_text_is_answered(desk: Editor, path: Path) -> None:
    smile = desk.where(path, "SELECT '|😀' AS face").position
    places = [types.Position(*place) for place in ODD]
    places.append(types.Position(smile.line, smile.character + 1))  # inside of a character
    for document in (path, path.with_name("unopened.sql"), path.with_name("a.py")):
        where = types.TextDocumentIdentifier(uri_of(document))
        for request in requests(desk).values():
            for place in places:
                await request(where, place)
    with pytest.raises(JsonRpcException):
        await after_rename(desk, path, types.Position(10_000, 0), "new")


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
async def test_a_rename_follows_what_is_shown_and_not_saved(
    desk: Editor, path: Path, ending: str
) -> None:
    before = desk.texts[path]
    shown = f"-- 😀 a line that is not saved\n{before}".replace("\n", ending)
    try:
        desk.type(path, shown)
        assert await desk.settled(path) == []
        place = desk.where(path, "@wan|ted").position
        assert await after_rename(desk, path, place, "asked") == shown.replace("@wanted", "@asked")
        place = desk.where(path, "Twi|ns").position
        assert await after_rename(desk, path, place, "Pairs") == shown.replace("Twins", "Pairs")
    finally:
        desk.type(path, before)
        await desk.settled(path)


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
async def test_a_mistake_is_marked_where_it_stands_behind_characters_of_two_units(
    desk: Editor, path: Path, ending: str
) -> None:
    before = desk.texts[path]
    try:
        desk.type(path, before.replace("a.name AS called", "nam AS called").replace("\n", ending))
        (problem,) = await desk.settled(path)
        line = desk.texts[path].split("\n")[problem.range.start.line].encode("utf-16-le")
        marked = line[problem.range.start.character * 2 : problem.range.end.character * 2]
        assert marked.decode("utf-16-le") == "nam"
        options = types.FormattingOptions(tab_size=4, insert_spaces=True)
        document = types.TextDocumentIdentifier(uri_of(path))
        edits = await desk.client.text_document_formatting_async(
            types.DocumentFormattingParams(document, options)
        )
        for edit in edits or ():
            assert ("\r\n" in edit.new_text) == (ending == "\r\n")
            assert edit.new_text.count("\n") == edit.new_text.count(ending)
    finally:
        desk.type(path, before)
        await desk.settled(path)
