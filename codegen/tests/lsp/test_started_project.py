"""The project that `aiosqlc init` writes, in an editor."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from aiosqlc.cli.main import main
from aiosqlc.postgres import Analyzer
from lsprotocol import types

from tests.lsp.editor import Editor, editor, generate
from tests.lsp.test_naming import compiled, meant, renamed

MORE = """
-- name: ListByMood :many
SELECT a.id, a.mood, a.mood = 'sad' AS is_sad FROM author AS a
WHERE a.mood = @mood -- :if mood
    AND a.id > @id -- :if id
ORDER BY a.id -- :sort a.id asc|desc, a.mood
LIMIT @limit;

-- name: SetMoods :execrows
UPDATE author SET mood = @mood WHERE id = ANY(@ids::bigint[]);
"""
ENUM = "CREATE TYPE mood AS ENUM ('sad', 'happy');\nALTER TABLE author ADD mood mood;\n"
pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("started")
    assert main(["init", str(root)]) == 0
    (root / "migrations" / "0002_mood.sql").write_text(ENUM)
    queries = root / "queries" / "queries.sql"
    queries.write_text(queries.read_text() + MORE)
    return generate(root)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(project: Path) -> AsyncIterator[Editor]:
    async with editor(project) as desk:
        assert await desk.open(project / "queries" / "queries.sql") == []
        yield desk


def positions(text: str) -> list[types.Position]:
    """Return the position of the first letter of each word."""
    return [
        types.Position(number, at)
        for number, line in enumerate(text.split("\n"))
        for at, letter in enumerate(line)
        if (letter.isalnum() or letter == "_") and not (line[at - 1 : at].isalnum() and at)
        and line[at - 1 : at] != "_"
    ]  # fmt: skip


async def symbols(desk: Editor, path: Path) -> dict[tuple[str, int], types.Position]:
    """Return each name that can be renamed, with the line of the query and a position."""
    found: dict[tuple[str, int], types.Position] = {}
    text = desk.texts[path]
    document = types.TextDocumentIdentifier(path.as_uri())
    lines = text.split("\n")
    for place in positions(text):
        ready = await desk.client.text_document_prepare_rename_async(
            types.PrepareRenameParams(document, place)
        )
        if isinstance(ready, types.PrepareRenamePlaceholder):
            query = max(n for n in range(place.line + 1) if lines[n].startswith("-- name:"))
            found.setdefault((ready.placeholder, query), place)
    return found


async def test_every_symbol_is_renamed_and_compiles_to_the_same(
    desk: Editor, project: Path, tmp_path: Path
) -> None:
    path = project / "queries" / "queries.sql"
    found = await symbols(desk, path)
    names = {name for name, _ in found}
    assert {"GetAuthor", "ListByMood", "id", "mood", "ids", "a", "limit"} <= names
    with Analyzer() as analyzer:
        before = compiled(project, analyzer)
        for number, ((name, _), place) in enumerate(found.items()):
            new = "Renamed" if name[0].isupper() else "renamed"
            texts = await renamed(desk, path, place, new)
            root = tmp_path / str(number)
            write_copy(project, root, texts)
            assert meant(compiled(root, analyzer), {}) != meant(before, {}) or name == "a", name


def write_copy(project: Path, root: Path, texts: dict[Path, str]) -> None:
    for path in project.rglob("*"):
        if path.is_file() and ".cache" not in path.parts:
            target = root / path.relative_to(project)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(texts.get(path, path.read_text()))


async def test_words_of_the_project_are_explained_completed_and_found(
    desk: Editor, project: Path
) -> None:
    path = project / "queries" / "queries.sql"
    client = desk.client
    name = desk.where(path, "ListBy|Mood")
    hover = await client.text_document_hover_async(
        types.HoverParams(name.text_document, name.position)
    )
    assert hover is not None
    assert "rows: any number of rows" in str(hover.contents)
    column = desk.where(path, "SELECT a.|id, a.mood,")
    offers = await client.text_document_completion_async(
        types.CompletionParams(column.text_document, column.position)
    )
    assert isinstance(offers, types.CompletionList)
    assert {"id", "name", "bio", "mood"} <= {item.label for item in offers.items}
    table = desk.where(path, "FROM auth|or AS a")
    defined = await client.text_document_definition_async(
        types.DefinitionParams(table.text_document, table.position)
    )
    assert isinstance(defined, types.Location)
    assert defined.uri.endswith(".sql")
    assert "/migrations/" in defined.uri
    used = await client.text_document_references_async(
        types.ReferenceParams(types.ReferenceContext(True), name.text_document, name.position)
    )
    assert used
    edits = await client.text_document_formatting_async(
        types.DocumentFormattingParams(
            name.text_document, types.FormattingOptions(tab_size=4, insert_spaces=True)
        )
    )
    assert edits is not None


async def test_a_mistake_is_marked_while_typing_and_unmarked_when_repaired(
    desk: Editor, project: Path
) -> None:
    path = project / "queries" / "queries.sql"
    text = desk.texts[path]
    desk.type(path, text.replace("a.mood = 'sad'", "a.moood = 'sad'"))
    (problem,) = await desk.settled(path)
    assert "moood" in problem.message
    desk.type(path, text)
    assert await desk.settled(path) == []


def message(text: str) -> bytes:
    return f"Content-Length: {len(text)}\r\n\r\n{text}".encode()


@pytest.mark.parametrize(
    ("last", "code"),
    [
        (['{"jsonrpc":"2.0","id":2,"method":"shutdown"}', '{"jsonrpc":"2.0","method":"exit"}'], 0),
        (['{"jsonrpc":"2.0","method":"exit"}'], 1),
        (['{"jsonrpc":"2.0","id":2,"method":"shutdown"}'], 0),
        ([], 0),
    ],
    ids=[
        "after shutdown",
        "without shutdown",
        "at the end of input, after shutdown",
        "at the end of input, without shutdown",
    ],
)
async def test_the_server_exits_with_the_code_of_the_protocol(
    tmp_path: Path, last: list[str], code: int
) -> None:
    start = (
        '{"jsonrpc":"2.0","id":1,"method":"initialize","params":'
        '{"processId":null,"rootUri":null,"capabilities":{}}}'
    )
    sent = b"".join(map(message, [start, *last]))
    done = subprocess.run(
        [sys.executable, "-m", "aiosqlc", "lsp"],
        input=sent, cwd=tmp_path, capture_output=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == code, done.stderr.decode()
    assert b"Traceback" not in done.stderr


async def test_a_missing_driver_is_reported_with_the_extra_that_brings_it(tmp_path: Path) -> None:
    assert main(["init", str(tmp_path)]) == 0
    hidden = (
        "import sys; sys.modules['psycopg'] = None\n"
        "from aiosqlc.cli.main import main\nsys.exit(main(['lsp']))"
    )
    async with editor(tmp_path, command=(sys.executable, "-c", hidden)) as desk:
        opening = asyncio.create_task(desk.open(tmp_path / "queries" / "queries.sql"))
        await desk.reported()
        opening.cancel()
        assert desk.messages.pop() == (
            "aiosqlc: psycopg is not installed: pip install 'aiosqlc[postgres]'"
        )
        desk.messages.clear()
