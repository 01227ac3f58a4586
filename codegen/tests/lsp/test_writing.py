"""Formatting, signatures, colours, lenses and plans, requested by a real client."""

from __future__ import annotations

from pathlib import Path

import pytest
from aiosqlc.lsp.places import path_of, uri_of
from aiosqlc.lsp.semantic import LEGEND
from lsprotocol import types

from tests.lsp.editor import Editor, editor, generate
from tests.lsp.test_features import SCHEMA
from tests.projects import write_project

QUERIES = """\
-- name: GetBook :one
select b.id, coalesce(b.title, 'é😀') as title from book as b where b.id = @book_id;

-- name: ListAuthors :many
select author.name from author
where author.name = sqlc.arg(name) -- :if name
;
"""
WRITTEN = QUERIES.replace("select", "SELECT").replace("from", "FROM").replace("where", "WHERE")
WRITTEN = WRITTEN.replace(" as ", " AS ")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return generate(
        write_project(tmp_path_factory.mktemp("writing"), {**SCHEMA, "queries.sql": QUERIES})
    )


async def test_what_is_asked_while_people_write_is_answered(project: Path) -> None:
    path = project / "queries.sql"
    async with editor(project) as desk:
        await desk.open(path)
        await formats(desk, path)
        await signs(desk, path)
        await colours(desk, path)
        await does(desk, path)
        place = desk.where(path, "Get|Book")
        said = await desk.client.text_document_hover_async(
            types.HoverParams(place.text_document, place.position)
        )
        assert said
        assert isinstance(said.contents, types.MarkupContent)
        assert "Index Scan using book_pkey on book" in said.contents.value


async def formats(desk: Editor, path: Path) -> None:
    where = types.TextDocumentIdentifier(uri_of(path))
    options = types.FormattingOptions(4, insert_spaces=True)
    whole = await desk.client.text_document_formatting_async(
        types.DocumentFormattingParams(where, options)
    )
    assert applied(QUERIES, whole) == WRITTEN
    second = types.Range(types.Position(4, 0), types.Position(4, 3))
    part = await desk.client.text_document_range_formatting_async(
        types.DocumentRangeFormattingParams(where, second, options)
    )
    middle = QUERIES.index("-- name: ListAuthors")
    assert applied(QUERIES, part) == QUERIES[:middle] + WRITTEN[middle:]


def applied(text: str, edits: object) -> str:
    assert isinstance(edits, (list, tuple))
    lines = text.splitlines(keepends=True)
    for edit in sorted(edits, key=lambda edit: -edit.range.start.line):
        assert edit.range.start.character == edit.range.end.character == 0
        lines[edit.range.start.line : edit.range.end.line] = [edit.new_text]
    return "".join(lines)


async def signs(desk: Editor, path: Path) -> None:
    for marked, call, argument in [
        ("coalesce(b.title, |", None, 1),
        ("sqlc.arg(na|me", "sqlc.arg(name)", 0),
        ("substring(name, |", "substring(text, integer) → text", 1),
        ("substring(name, 1|", "substring(text, integer) → text", 1),
    ]:
        if marked.startswith("substring"):
            text = QUERIES.replace("author.name from", f"{marked.replace('|', '')}) from")
            desk.type(path, text)
        place = desk.where(path, marked)
        found = await desk.client.text_document_signature_help_async(
            types.SignatureHelpParams(place.text_document, place.position)
        )
        if call is None:  # COALESCE is grammar, not a function
            assert found is None
            continue
        assert found, marked
        assert call in [item.label for item in found.signatures], marked
        assert found.active_parameter == argument, marked
    desk.type(path, QUERIES)
    await desk.settled(path)


async def colours(desk: Editor, path: Path) -> None:
    where = types.TextDocumentIdentifier(uri_of(path))
    found = await desk.client.text_document_semantic_tokens_full_async(
        types.SemanticTokensParams(where)
    )
    assert found
    lines = QUERIES.split("\n")
    line = column = 0
    seen: list[tuple[str, str]] = []
    for at in range(0, len(found.data), 5):
        down, right, length, kind, _ = found.data[at : at + 5]
        line, column = line + down, right + (0 if down else column)
        text = lines[line].encode("utf-16-le")[column * 2 : (column + length) * 2]
        seen.append((text.decode("utf-16-le"), LEGEND.token_types[kind]))
    assert seen == [
        ("GetBook", "function"), (":one", "keyword"), ("b", "variable"), ("id", "property"),
        ("b", "variable"), ("title", "property"), ("title", "property"), ("book", "struct"),
        ("b", "variable"), ("b", "variable"), ("id", "property"), ("book_id", "parameter"),
        ("ListAuthors", "function"), (":many", "keyword"), ("author", "variable"),
        ("name", "property"), ("author", "struct"), ("author", "variable"), ("name", "property"),
        ("sqlc.arg", "macro"), ("name", "parameter"), (":if", "keyword"),
    ]  # fmt: skip


async def does(desk: Editor, path: Path) -> None:
    where = types.TextDocumentIdentifier(uri_of(path))
    lenses = await desk.client.text_document_code_lens_async(types.CodeLensParams(where))
    assert lenses
    titles = [lens.command.title for lens in lenses if lens.command]
    assert titles == ["show the generated code", "run on sample rows"] * 2
    for lens in lenses[:2]:
        assert lens.command
        await desk.client.workspace_execute_command_async(
            types.ExecuteCommandParams(lens.command.command, lens.command.arguments)
        )
    [shown] = desk.shown
    assert path_of(shown.uri) == path.parent / "store" / "queries.py"
    assert shown.selection
    text = (path.parent / "store" / "queries.py").read_text().split("\n")
    assert text[shown.selection.start.line].startswith("async def get_book(")
    [said] = desk.notes
    assert said.startswith("GetBook on sample rows, with book_id = ")
    assert "\nid = " in said
    assert ", title = '" in said
