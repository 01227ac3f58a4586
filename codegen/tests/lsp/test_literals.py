"""An editor treats the SQL of Python literals like the SQL of query files."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from aiosqlc.lsp.places import path_of
from lsprotocol import types
from pygls.exceptions import JsonRpcException

from tests.conftest import Full
from tests.lsp.editor import Editor, editor
from tests.lsp.test_edits import edited
from tests.lsp.test_features import SCHEMA
from tests.lsp.test_naming import renamed
from tests.projects import write_project

APP = '''\
from inline import sql as q

OTHER = "é😀"; BOOKS = q("""
    SELECT 'é😀' AS mark, b.title AS heading, a.name AS writer
    FROM book AS b LEFT JOIN author AS a ON a.id = b.author_id
    WHERE b.id = @book_id
""")
COUNT = q("-- :one\\nSELECT count(*) AS n FROM author")
RAW = q(r"SELECT '\\d' AS pattern, id FROM author " "WHERE name = @na" 'me')


async def use(db: object) -> None:
    await BOOKS(db, book_id=1)
    await q("SELECT id FROM author WHERE name = @who")(db, who="x")
'''
ELSEWHERE = """\
from app.main import BOOKS


async def others(db: object) -> None:
    await BOOKS(db, book_id=2)
"""
FILES = {
    **SCHEMA,
    "queries.sql": "-- name: One :one\nSELECT 1 AS one;\n",
    "app/__init__.py": "",
    "app/main.py": APP,
    "app/elsewhere.py": ELSEWHERE,
}
pytestmark = pytest.mark.asyncio(loop_scope="module")


def scan(root: Path) -> None:
    command = [sys.executable, "-m", "aiosqlc", "scan", "app", "-o", "inline"]
    subprocess.run(command, cwd=root, check=True, capture_output=True)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = write_project(tmp_path_factory.mktemp("literals"), FILES)
    scan(root)
    return root


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(project: Path) -> AsyncIterator[Editor]:
    async with editor(project) as desk:
        assert await desk.open(project / "app" / "main.py") == []
        yield desk


@pytest_asyncio.fixture(loop_scope="module")
async def main(desk: Editor, project: Path) -> AsyncIterator[Path]:
    path = project / "app" / "main.py"
    yield path
    desk.type(path, APP)
    assert await desk.settled(path) == []


def underlined(text: str, said: list[types.Diagnostic]) -> list[tuple[object, str]]:
    """Return the code of each diagnostic with the text in its range."""
    found = []
    lines = [line.encode("utf-16-le") for line in text.replace("\r\n", "\n").split("\n")]
    for item in said:
        start, end = item.range.start, item.range.end
        assert start.line == end.line
        part = lines[start.line][start.character * 2 : end.character * 2]
        found.append((item.code, part.decode("utf-16-le")))
    return found


# A change of the text, and what is underlined afterwards.
MISTAKES = (
    ("b.title", "b.titel", [("E311", "b")]),
    ('FROM author"', 'FROM auhtor"', [("E310", "auhtor")]),
    ("'\\d' AS pattern", "'\\\"' AS p, nam", [("E311", "nam")]),
    ("WHERE name = @na\" 'me'", "WHERE na\" 'm = @x'", [("E311", "na\" 'm")]),
    ("SELECT count(*) AS n", "SELECT na\\x6d", [("E311", "na\\x6d")]),
    ("-- :one", "-- :oen", [("E107", ":oen")]),
    ('q("SELECT id', 'q(f"SELECT id', [("E009", 'f"SELECT id FROM author WHERE name = @who"')]),
    ("SELECT id FROM author WHERE name", "SELECT id FROM author WHERE nmae", [("E311", "nmae")]),
    ("SELECT count(*) AS n", "SELECT 'n", [("E114", "'")]),
)  # fmt: skip


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize(("before", "after", "wanted"), MISTAKES)
async def test_a_mistake_is_underlined_in_the_python_file(
    desk: Editor, main: Path, before: str, after: str, wanted: list[tuple[str, str]], end: str
) -> None:
    assert APP.count(before) == 1
    text = APP.replace(before, after).replace("\n", end)
    desk.type(main, text)
    assert underlined(text, await desk.settled(main)) == wanted


async def hovered(desk: Editor, path: Path, marked: str) -> tuple[str, types.Range | None]:
    place = desk.where(path, marked)
    found = await desk.client.text_document_hover_async(
        types.HoverParams(place.text_document, place.position)
    )
    if found is None:
        return "", None
    assert isinstance(found.contents, types.MarkupContent)
    return found.contents.value, found.range


async def test_hover_says_types_nullability_and_the_plan(desk: Editor, main: Path) -> None:
    said, place = await hovered(desk, main, "a.na|me AS writer")
    assert "writer" in said
    assert "str | None" in said or "text" in said
    assert place
    assert (place.start.line, place.end.character - place.start.character) == (4 - 1, 4)
    assert "heading" in (await hovered(desk, main, "b.ti|tle"))[0]
    assert "book_id" in (await hovered(desk, main, "= @boo|k_id"))[0]
    assert "CREATE TABLE author" in (await hovered(desk, main, "JOIN auth|or"))[0]
    whole, _ = await hovered(desk, main, "SEL|ECT 'é😀'")
    assert "plan" in whole
    assert "book_id" in whole
    assert (await hovered(desk, main, "BOO|KS = q("))[0] == ""
    assert (await hovered(desk, main, "await BOO|KS"))[0] == ""


async def offered(desk: Editor, path: Path, marked: str) -> list[str]:
    place = desk.where(path, marked)
    found = await desk.client.text_document_completion_async(
        types.CompletionParams(place.text_document, place.position)
    )
    assert isinstance(found, types.CompletionList)
    return [item.label for item in found.items]


async def test_completion_offers_tables_columns_and_parameters(desk: Editor, main: Path) -> None:
    assert {"title", "author_id"} <= set(await offered(desk, main, "b.ti|tle"))
    assert {"author", "book"} <= set(await offered(desk, main, "JOIN auth|or"))
    assert "name" in await offered(desk, main, "WHERE na|me = @who")
    assert "book_id" in await offered(desk, main, "b.id = @boo|k_id")
    assert await offered(desk, main, "import sq|l as q") == []
    # While the text is typed: the file is no valid Python, and the literal ends too early.
    desk.type(main, APP + 'X = q("SELECT b. FROM book b")\ndef (\n')
    assert "author_id" in await offered(desk, main, "SELECT b.| FROM")
    desk.type(main, APP + 'X = q("SELECT * FROM ")\n')
    assert "book" in await offered(desk, main, 'SELECT * FROM |")')
    desk.type(main, APP + 'X = q("""SELECT * FROM book\n    WHERE book.\n""")\n')
    assert "title" in await offered(desk, main, "    WHERE book.|\n")


@pytest.mark.parametrize(
    ("marked", "new", "names"),
    [
        ("|@book_id", "number", {"app/main.py": 2, "app/elsewhere.py": 1}),
        ("name = @w|ho", "person", {"app/main.py": 2}),
        ("LEFT JOIN author AS |a", "person", {"app/main.py": 3}),
        ("book AS b| LEFT", "volume", {"app/main.py": 4}),
    ],
)
async def test_a_renamed_literal_compiles_and_is_called(
    desk: Editor,
    main: Path,
    project: Path,
    tmp_path: Path,
    marked: str,
    new: str,
    names: dict[str, int],
) -> None:
    texts = await renamed(desk, main, marked, new)
    found = {path.relative_to(project).as_posix(): text for path, text in texts.items()}
    assert {name: text.count(new) for name, text in found.items()} == names
    shutil.copytree(project, tmp_path / "copy")
    for name, text in found.items():
        (tmp_path / "copy" / name).write_text(text)
    scan(tmp_path / "copy")


async def test_a_rename_that_cannot_be_followed_is_refused(desk: Editor, main: Path) -> None:
    for marked, sentence in (
        ("WHERE name = @n|a", "contains escapes or is split between literals"),
        ("a.name AS wri|ter", "only queries, their parameters"),
    ):
        with pytest.raises(JsonRpcException) as refused:
            await renamed(desk, main, marked, "another")
        assert sentence in str(refused.value), marked
    desk.type(main, APP + "    keep = [BOOKS]\n")
    with pytest.raises(JsonRpcException) as refused:
        await renamed(desk, main, "|@book_id", "another")
    assert "uses `BOOKS` without a call" in str(refused.value)


ONE = 'q("SELECT id FROM author WHERE name = @one_name")'
# Code that assigns `by_name`, and the calls outside a function that a rename must change, or why it
# is refused.
ASSIGNED = {
    f"try:\n    by_name = {ONE}\nfinally:\n    pass\n": 1,
    f"if True:\n    by_name = {ONE}\n": 1,
    f"def make():\n    global by_name\n    by_name = {ONE}\n": 1,
    f"by_name = {ONE}\n": 1,
    f"by_name = {ONE}\nimport app.more as me\ndef f(c):\n    me.by_name(c, one_name='x')\n": 2,
    f"class C:\n    by_name = {ONE}\n    def f(self):\n        self.by_name(1, one_name='')\n":
        "is assigned in the class `C`",
    f"def f(c):\n    class C:\n        by_name = {ONE}\n    return C.by_name(c, one_name='')\n":
        "is assigned in the class `C`",
    f"by_name = {ONE}\nby_name = None\n": "gives `by_name` another meaning",
    f"try:\n    by_name = {ONE}\nexcept ValueError as by_name:\n    pass\n":
        "gives `by_name` another meaning",
    f"by_name = {ONE}\ndef by_name(): ...\n": "gives `by_name` another meaning",
    f"by_name = {ONE}\nimport by_name\n": "gives `by_name` another meaning",
    f"by_name = {ONE}\nimport app.more as m\nm.by_name = 1\n": "gives `by_name` another meaning",
    f"import sys\nby_name = {ONE}\nm = sys.modules[__name__]\nm.by_name(1, one_name='')\n":
        "uses `.by_name` of an unknown object",
}  # fmt: skip
CALLER = "from app.more import by_name\n\nby_name(None, one_name='x')\n"


@pytest.mark.parametrize("code", ASSIGNED)
async def test_a_rename_reaches_every_call_of_a_literal_or_is_refused(
    desk: Editor, project: Path, code: str
) -> None:
    expected = ASSIGNED[code]
    more, caller = project / "app" / "more.py", project / "app" / "caller.py"
    more.write_text(f"from inline import sql as q\n{code}")
    caller.write_text(CALLER)
    try:
        assert await desk.open(more) == []
        if isinstance(expected, str):
            with pytest.raises(JsonRpcException) as refused:
                await renamed(desk, more, "|@one_name", "another")
            assert expected in str(refused.value)
        else:
            texts = await renamed(desk, more, "|@one_name", "another")
            assert sum(text.count("another=") for text in texts.values()) == expected
            assert not any("one_name" in text for text in texts.values())
    finally:
        desk.close(more)
        more.unlink()
        caller.unlink()


async def test_a_literal_in_a_function_is_renamed_in_that_function_alone(
    desk: Editor, project: Path
) -> None:
    more, caller = project / "app" / "more.py", project / "app" / "caller.py"
    code = f"def f(c):\n    by_name = {ONE}\n    return by_name(c, one_name='')\n"
    more.write_text(
        f"from inline import sql as q\n{code}def g(by_name):\n    by_name(one_name=1)\n"
    )
    caller.write_text(CALLER)
    try:
        assert await desk.open(more) == []
        texts = await renamed(desk, more, "|@one_name", "another")
        assert {path.name: text.count("another") for path, text in texts.items()} == {"more.py": 2}
        assert "by_name(one_name=1)" in texts[more]
    finally:
        desk.close(more)
        more.unlink()
        caller.unlink()


# Files that import `by_name` from each other, and the number of calls that a rename must change.
RE_EXPORTED = (
    ({"app/api/__init__.py": "from app.more import by_name as by_name\n"}, "app.api", "by_name", 2),
    ({"app/api/__init__.py": "from ..more import by_name\n__all__ = ['by_name']\n"}, "app.api",
     "by_name", 2),
    ({"app/api/__init__.py": "from .names import by_name\n",
      "app/api/names.py": "from app.more import by_name\n"}, "app.api", "by_name", 2),
    ({"app/api/__init__.py": "from .names import by_name\n",
      "app/api/names.py": "from app.more import by_name\n"}, "app.api.names", "by_name", 2),
    ({"app/api/__init__.py": "from app.more import by_name as fetch\n"}, "app.api", "fetch", 2),
    ({"app/api/__init__.py": "def f():\n    from app.more import by_name\n"
      "def by_name(one_name): ...\n"}, "app.api", "by_name", 1),
)  # fmt: skip


@pytest.mark.parametrize(("files", "module", "name", "changed"), RE_EXPORTED)
async def test_a_rename_reaches_the_calls_of_a_literal_that_is_imported_again(
    desk: Editor, project: Path, files: dict[str, str], module: str, name: str, changed: int
) -> None:
    more = project / "app" / "more.py"
    more.write_text(f"from inline import sql as q\nby_name = {ONE}\nby_name(1, one_name='')\n")
    write_project(project, files)
    callers = {
        "app/caller.py": f"from {module} import {name}\n\n{name}(None, one_name='x')\n",
        "app/other.py": f"from app.main import BOOKS as {name}\n\n{name}(None, one_name='x')\n",
    }
    write_project(project, callers)
    try:
        assert await desk.open(more) == []
        texts = await renamed(desk, more, "|@one_name", "another")
        assert sum(text.count("another=") for text in texts.values()) == changed
        assert project / "app" / "other.py" not in texts
    finally:
        desk.close(more)
        shutil.rmtree(project / "app" / "api")
        for path in (more, *(project / path for path in callers)):
            path.unlink()


async def test_references_are_in_the_literal_and_in_calls(desk: Editor, main: Path) -> None:
    place = desk.where(main, "|@book_id")
    context = types.ReferenceContext(include_declaration=True)
    found = await desk.client.text_document_references_async(
        types.ReferenceParams(context, place.text_document, place.position)
    )
    names = [path.name for item in found or [] if (path := path_of(item.uri))]
    assert sorted(names) == ["elsewhere.py", "main.py", "main.py"]


async def test_outline_colours_and_format_are_left_to_the_python_server(
    desk: Editor, main: Path
) -> None:
    document = desk.where(main, "BOO|KS = q").text_document
    symbols = await desk.client.text_document_document_symbol_async(
        types.DocumentSymbolParams(document)
    )
    colours = await desk.client.text_document_semantic_tokens_full_async(
        types.SemanticTokensParams(document)
    )
    options = types.FormattingOptions(4, insert_spaces=True)
    edits = await desk.client.text_document_formatting_async(
        types.DocumentFormattingParams(document, options)
    )
    assert (symbols or [], colours, edits or []) == ([], None, [])


async def test_the_last_good_state_stays_while_the_python_is_broken(
    desk: Editor, main: Path
) -> None:
    for broken in (
        APP.replace("OTHER = ", "OTHER = = "),
        APP + "def (\n",
        APP.replace("SELECT 'é😀' AS mark", "SELECT 'é😀' AS"),
        APP.replace("FROM book AS b LEFT", "FROM boook AS b LEFT"),
    ):
        desk.type(main, broken)
        await desk.settled(main)
        assert "writer" in (await hovered(desk, main, "a.na|me AS writer"))[0], broken
    desk.type(main, APP.replace("me')", "me"))
    assert await desk.settled(main) == []


async def test_the_literals_of_a_closed_file_are_not_underlined(
    desk: Editor, main: Path, project: Path
) -> None:
    other = project / "app" / "other.py"
    other.write_text('from inline import sql\nA = sql("SELECT nam FROM author")\n')
    said = await desk.open(other)
    assert underlined(other.read_text(), said) == [("E311", "nam")]
    desk.close(other)
    await desk.until(other, [])
    other.unlink()


@pytest.mark.parametrize("left", ["", "print()\n", APP.replace("sql as q", "other as q")])
async def test_a_file_that_loses_its_import_loses_its_diagnostics(
    desk: Editor, main: Path, left: str
) -> None:
    desk.type(main, APP.replace("b.title", "b.titel"))
    assert [item.code for item in await desk.settled(main)] == ["E311"]
    desk.type(main, left)
    assert await desk.settled(main) == []
    desk.type(main, APP.replace("b.title", "b.titel"))
    desk.type(main, left)
    await desk.until(main, [])
    desk.type(main, APP.replace("b.title", "b.titel"))
    assert [item.code for item in await desk.settled(main)] == ["E311"]


async def test_a_document_with_a_byte_order_mark_is_served(desk: Editor, main: Path) -> None:
    text = APP.replace("b.title", "b.titel")
    desk.type(main, f"\ufeff{text}")
    assert underlined(text, await desk.settled(main)) == [("E311", "b")]


async def test_half_of_a_character_is_underlined(desk: Editor, main: Path) -> None:
    desk.type(main, APP.replace("SELECT count(*) AS n", "SELECT '\ud83d' AS n"))
    (item,) = await desk.settled(main)
    assert item.code == "E009"
    assert item.message.startswith("the file has half of a character: \\ud83d is a surrogate")
    at = APP.splitlines().index('COUNT = q("-- :one\\nSELECT count(*) AS n FROM author")')
    start = APP.splitlines()[at].index("count(") + 1
    assert item.range == types.Range(types.Position(at, start), types.Position(at, start + 1))


async def test_random_edits_of_python_lead_the_server_astray_never(
    tmp_path: Path, full: Full
) -> None:
    rounds = full(3_000, sample=60)
    chance = random.Random(7)
    path = write_project(tmp_path, FILES) / "app" / "main.py"
    scan(tmp_path)
    async with editor(tmp_path) as desk:
        await desk.open(path)
        text = APP
        for number in range(rounds):
            text = APP if number % 20 == 0 else edited(text, chance)
            # Without its import, the file has no SQL and the server says nothing about it.
            text = text if text.startswith(APP.split("\n", maxsplit=1)[0]) else APP
            desk.type(path, text)
            await desk.settled(path)
            line = chance.randrange(text.count("\n") + 1)
            at = types.Position(line, chance.randrange(40))
            document = types.TextDocumentIdentifier(path.as_uri())
            await desk.client.text_document_hover_async(types.HoverParams(document, at))
            await desk.client.text_document_completion_async(types.CompletionParams(document, at))
        desk.type(path, APP)
        assert await desk.settled(path) == []
