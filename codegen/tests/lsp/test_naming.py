"""References and rename: after a rename, the code is equal except for the name."""

from __future__ import annotations

import ast
import asyncio
import re
import shutil
from collections.abc import AsyncIterator, Collection
from pathlib import Path

import pytest
import pytest_asyncio
from aiosqlc import postgres
from aiosqlc.lsp.places import path_of, uri_of
from aiosqlc.pipeline.compile import compile_project
from lsprotocol import types
from pygls.exceptions import JsonRpcException

from tests.lsp.editor import DEADLINE, Editor, editor, generate
from tests.lsp.test_features import SCHEMA
from tests.projects import loaded, write_project

QUERIES = """\
-- name: GetBook :one
SELECT buk.id, buk.title AS heading, wri.name AS writer
FROM book AS buk LEFT JOIN author AS wri ON wri.id = buk.author_id
WHERE buk.id = @book_id;

-- name: ListBooks :many
-- param: part str
WITH found AS (SELECT b.id, b.title FROM book AS b WHERE b.id IN (SELECT b.id FROM author AS b))
SELECT found.id, found.title, also.id AS other
FROM found JOIN found AS also ON also.id = found.id
WHERE found.title = @part -- :if part
    AND also.title = sqlc.arg(rest) -- :if rest
ORDER BY found.title -- :sort found.title, also.id desc
;

-- name: Embedded :many
SELECT sqlc.embed(person), person.id AS code FROM author AS person;

-- name: Add :copyfrom
INSERT INTO author (id, name) VALUES (@id, @name);
"""
APP = """\
import store.queries
from store import queries as q
from store.on_psycopg import queries as p
from store.queries import GetBookRow, get_book, list_books as listed


async def é(db: object) -> GetBookRow | None:
    "é"; await q.list_books(db, part="é", rest=None)
    await p.list_books(db, part="é")
    await store.queries.list_books(db)
    await listed(db, part=None)
    return await get_book(db, book_id=1)
"""
ELSEWHERE = "class Add: ...\n\ndef part(get_book: int) -> int:\n    return get_book\n"


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    files = {
        **SCHEMA,
        "sqlc.yaml": SCHEMA["sqlc.yaml"].replace("}", ", driver: [asyncpg, psycopg]}"),
        "queries.sql": QUERIES,
        "app.py": APP,
        "elsewhere.py": ELSEWHERE,
    }
    return generate(write_project(tmp_path_factory.mktemp("naming"), files))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(project: Path) -> AsyncIterator[Editor]:
    async with editor(project) as desk:
        await desk.open(project / "queries.sql")
        yield desk


async def renamed(desk: Editor, path: Path, at: str | types.Position, new: str) -> dict[Path, str]:
    """Return the texts of all files that a rename changes."""
    position = desk.where(path, at).position if isinstance(at, str) else at
    found = await desk.client.text_document_rename_async(
        types.RenameParams(types.TextDocumentIdentifier(uri_of(path)), position, new)
    )
    assert found
    assert found.changes is not None
    texts = {}
    for uri, edits in found.changes.items():
        changed = path_of(uri)
        assert changed
        lines = changed.read_text().split("\n")
        for edit in sorted(edits, key=lambda e: (e.range.start.line, -e.range.start.character)):
            start, end = edit.range.start, edit.range.end
            assert start.line == end.line
            line = lines[start.line].encode("utf-16-le")
            new_line = line[: start.character * 2] + edit.new_text.encode("utf-16-le")
            lines[start.line] = (new_line + line[end.character * 2 :]).decode("utf-16-le")
        texts[changed] = "\n".join(lines)
    return texts


def meant(text: str, names: dict[str, str]) -> str:
    """Return a module's code with names replaced, without its layout."""
    return ast.unparse(ast.parse(re.sub(r"\w+", lambda word: names.get(word[0], word[0]), text)))


RENAMES = [
    ("Get|Book", "FindBook", {"GetBook": "FindBook", "get_book": "find_book",
     "GET_BOOK": "FIND_BOOK", "GetBookRow": "FindBookRow"}, {"queries.sql": 1, "app.py": 4}),
    ("|@book_id", "number", {"book_id": "number"}, {"queries.sql": 1, "app.py": 1}),
    ("param: pa|rt", "piece", {"part": "piece"}, {"queries.sql": 3, "app.py": 3}),
    ("sqlc.arg(re|st)", "other_rest", {"rest": "other_rest"}, {"queries.sql": 2, "app.py": 1}),
    ("book AS bu|k", "volume", {"buk": "volume"}, {"queries.sql": 5}),
    ("|wri.name AS writer", "hand", {"wri": "hand"}, {"queries.sql": 3}),
    ("WITH fo|und", "chosen", {"found": "chosen"}, {"queries.sql": 9}),
    ("JOIN found AS al|so", "second", {"also": "second"}, {"queries.sql": 5}),
    ("book AS |b WHERE", "z", {"b": "z"}, {"queries.sql": 6}),
]  # fmt: skip


async def test_what_is_renamed_compiles_to_the_same_but_for_the_name(
    desk: Editor, project: Path, tmp_path: Path
) -> None:
    with postgres.Analyzer() as analyzer:
        before = compiled(project, analyzer)
        for number, (marked, new, names, places) in enumerate(RENAMES):
            texts = await renamed(desk, project / "queries.sql", marked, new)
            changed = {
                path.relative_to(project).as_posix(): len(said(text, names.values()))
                for path, text in texts.items()
            }
            assert changed == places, marked
            root = tmp_path / str(number)
            shutil.copytree(project, root)
            for path, text in texts.items():
                (root / path.relative_to(project)).write_text(text)
            after = compiled(root, analyzer)
            assert meant(before, names) == meant(after, {}), marked


def said(text: str, names: Collection[str]) -> list[str]:
    return [word for word in re.findall(r"\w+", text) if word in names]


def compiled(root: Path, analyzer: postgres.Analyzer) -> str:
    project = loaded(root)
    found = compile_project(project, analyzer.analyze)
    assert not found.diagnostics
    return next(file.text for file in found.files if file.path.name == "queries.py")


async def test_what_is_not_safe_is_refused_with_a_sentence(desk: Editor, project: Path) -> None:
    for marked, new, sentence in [
        ("Get|Book", "ListBooks", "another query is called `ListBooks`"),
        ("Get|Book", "a b", "is not a name"),
        ("|@book_id", "class", "keyword of Python"),
        ("param: pa|rt", "rest", "parameter"),
        ("book AS bu|k", "WRI", "the query already uses `WRI`"),
        ("book AS bu|k", "author", "the query already uses `author`"),
        ("book AS bu|k", "order", "would not compile"),
        ("sqlc.embed(perso|n)", "hand", "would have other columns"),
        ("INTO auth|or", "human", "only queries, their parameters"),
    ]:
        with pytest.raises(JsonRpcException) as refused:
            await renamed(desk, project / "queries.sql", marked, new)
        assert sentence in str(refused.value), marked


async def test_a_use_that_cannot_be_followed_refuses_and_says_where(
    desk: Editor, project: Path
) -> None:
    path = project / "doubtful.py"
    for lines, marked, sentence in [
        ("from store.queries import *\nget_book()", "Get|Book", "imports everything"),
        ("from store import queries\nqueries.get_book(**{})", "|@book_id", "`**`"),
        ("from store import queries\nx = 'get_book'", "Get|Book", "as text"),
        ("from store.queries import get_book\nget_book = 1", "Get|Book", "another meaning"),
        ("import store\nstore.thing().get_book()", "Get|Book", "`.get_book` of an unknown object"),
    ]:
        path.write_text(f"{lines}\n")
        with pytest.raises(JsonRpcException) as refused:
            await renamed(desk, project / "queries.sql", marked, "find_it")
        assert sentence in str(refused.value), lines
        assert "doubtful.py:" in str(refused.value)
    path.unlink()


async def test_a_broken_project_is_not_renamed(desk: Editor, project: Path) -> None:
    path = project / "queries.sql"
    desk.type(path, QUERIES.replace("buk.title", "buk.titel"))
    await desk.settled(path)
    with pytest.raises(JsonRpcException) as refused:
        await renamed(desk, path, "List|Books", "Others")
    assert "fix the errors before you rename" in str(refused.value)
    desk.type(path, QUERIES)
    assert await desk.settled(path) == []


async def test_every_use_is_found_in_sql_and_in_python(desk: Editor, project: Path) -> None:
    path = project / "queries.sql"
    for marked, wanted in {
        "List|Books": {"queries.sql": 1, "app.py": 4},
        "Get|Book": {"queries.sql": 1, "app.py": 4},
        "|@book_id": {"queries.sql": 1, "app.py": 1},
        "WITH fo|und": {"queries.sql": 9},
    }.items():
        place = desk.where(path, marked)
        found = await desk.client.text_document_references_async(
            types.ReferenceParams(
                types.ReferenceContext(include_declaration=True),
                place.text_document,
                place.position,
            )
        )
        assert found is not None
        names = [Path(path_of(item.uri) or "").relative_to(project).as_posix() for item in found]
        assert {name: names.count(name) for name in names} == wanted, marked
    place = desk.where(path, "Get|Book")
    ready = await desk.client.text_document_prepare_rename_async(
        types.PrepareRenameParams(place.text_document, place.position)
    )
    assert isinstance(ready, types.PrepareRenamePlaceholder)
    assert ready.placeholder == "GetBook"


async def test_an_editor_that_reads_no_log_is_answered_however_often_it_is_refused(
    desk: Editor, project: Path
) -> None:
    place = desk.where(project / "queries.sql", "S|ELECT buk.id")
    wanted = types.RenameParams(place.text_document, place.position, "other")
    for _ in range(400):  # the log of as many tracebacks would fill its pipe
        with pytest.raises(JsonRpcException):
            async with asyncio.timeout(DEADLINE):
                await desk.client.text_document_rename_async(wanted)
