"""The same for a project on MySQL with a server: names, functions, plans and sample rows."""

from __future__ import annotations

from pathlib import Path

import pytest
from lsprotocol import types

from tests.lsp.editor import Editor, editor, generate
from tests.lsp.test_features import HEAD, asked, leads, offers, tells
from tests.projects import write_project
from tests.servers.programs import program

CONFIG = """\
version: "2"
sql:
  - engine: mysql
    schema: schema.sql
    queries: queries.sql
    gen:
      python: {out: store, package: store}
"""
SCHEMA = """\
CREATE TABLE author (
    id int PRIMARY KEY,
    name varchar(40) NOT NULL,
    mood enum('calm', 'it''s') NOT NULL
) COMMENT 'Who writes.';
CREATE TABLE book (
    id int PRIMARY KEY,
    author_id int NOT NULL,
    title varchar(80) NOT NULL COMMENT 'As on the cover.',
    twice int AS (author_id * 2) STORED,
    sold date,
    UNIQUE KEY by_author (author_id, title),
    FOREIGN KEY (author_id) REFERENCES author (id)
);
CREATE FUNCTION tax(amount decimal(10, 2), rate int) RETURNS decimal(12, 2) DETERMINISTIC
    COMMENT 'What the state takes.' RETURN amount * rate;
"""
QUERIES = """\
-- name: GetBook :one
SELECT b.id, b.title, a.mood, b.sold FROM book AS b JOIN author AS a ON a.id = b.author_id
WHERE b.id = sqlc.arg(book_id);

-- name: ListBooks :many
SELECT book.title FROM book WHERE book.author_id IN (sqlc.slice(authors)) ORDER BY book.id;

-- name: Sell :exec
UPDATE book SET sold = sqlc.arg(sold) WHERE author_id = sqlc.arg(author_id);
"""

TOLD = {
    "Get|Book": ["rows: at most one row", "a few sample rows:", "b: const, key PRIMARY"],
    "b.ti|tle": ["title: varchar(80) NOT NULL"],
    "b.so|ld": ["sold: date NULL", "- "],
    "sqlc.arg(book|_id)": ["book_id: int NOT NULL"],
    "FROM bo|ok AS b": ["CREATE TABLE book (", "-- As on the cover."],
    "JOIN aut|hor": ["-- Who writes."],
    "Se|ll": ["rows:"],
}
OFFERED = [
    (f"{HEAD}SELECT n. FROM author AS n WHERE n.", ["id", "mood"], "book"),
    (f"{HEAD}SELECT * FROM ", ["author", "book"], "name"),
    (f"{HEAD}SELECT * FROM book WHERE ti", ["title", "sqlc.slice"], "name"),
    (f"{HEAD}SELECT * FROM `book` WHERE `book`.", ["title"], "name"),
    ("\n-- name: New :", [":one", ":execlastid"], "author"),
    ("\n# name: New :", [":one"], "author"),
    (f"{HEAD}SELECT * FROM book ORDER BY title -- :sort ", ["title"], ":if"),
]
MADE = [
    ("b.ti|tle", "schema.sql", "title varchar(80)"),
    ("Get|Book", "store/queries.py", "get_book("),
]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    program("mariadbd", "mysqld")
    files = {"sqlc.yaml": CONFIG, "schema.sql": SCHEMA, "queries.sql": QUERIES}
    return generate(write_project(tmp_path_factory.mktemp("mysql"), files))


async def test_an_editor_is_told_of_mysql_what_it_is_told_of_postgresql(project: Path) -> None:
    path = project / "queries.sql"
    async with editor(project) as desk:
        assert await desk.open(path) == []
        await errs(desk, path)
        await tells(desk, path, TOLD)
        await offers(desk, path, OFFERED)
        await signs(desk, path)
        await runs(desk, path)
        await leads(desk, project, MADE)


async def errs(desk: Editor, path: Path) -> None:
    desk.type(path, QUERIES.replace("b.title,", "b.titel,"))
    [wrong] = await desk.settled(path)
    assert wrong.code == "E311", wrong
    assert "did you mean" in wrong.message
    desk.type(path, QUERIES)
    assert await desk.settled(path) == []


async def signs(desk: Editor, path: Path) -> None:
    for call, wanted, said in [
        ("lpad(b.title, |", "LPAD(str, len [,padstr])", "left-padded"),
        ("if(b.id, |", "IF(expr1,expr2,expr3)", "returns expr2"),
        (
            "tax(b.id, |",
            "tax(amount decimal(10,2), rate int(11)) → decimal(12,2)",
            "What the state takes.",
        ),
        ("sqlc.narg(|", "sqlc.narg(name)", "may be None"),
        ("nothing_like_it(1, |", None, ""),
    ]:
        desk.type(path, QUERIES.replace("b.title,", f"{call.replace('|', '')} 2),"))
        place = desk.where(path, call)
        found = await desk.client.text_document_signature_help_async(
            asked(types.SignatureHelpParams, place)
        )
        if wanted is None:
            assert found is None
            continue
        assert found, call
        assert wanted in [item.label for item in found.signatures]
        assert said in str(found.signatures[0].documentation)
    desk.type(path, QUERIES)
    await desk.settled(path)


async def runs(desk: Editor, path: Path) -> None:
    where = types.TextDocumentIdentifier(path.as_uri())
    lenses = await desk.client.text_document_code_lens_async(types.CodeLensParams(where))
    told = {}
    for lens in lenses or ():
        assert lens.command
        if lens.command.title == "run on sample rows":
            told[lens.command.arguments[1]] = await desk.client.workspace_execute_command_async(
                types.ExecuteCommandParams(lens.command.command, lens.command.arguments)
            )
    assert told == {
        "GetBook": "GetBook on sample rows, with book_id = 1;\n"
        "id = 1, title = 'ada', mood = 'calm', sold = '2024-01-01'",
        "ListBooks": "ListBooks on sample rows, with authors = 1;\ntitle = 'ada'",
        "Sell": "Sell on sample rows, with sold = '2024-01-01', author_id = 1;\nno rows written",
    }
