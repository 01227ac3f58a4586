"""The SQL of Python literals is compiled, typed and called like the SQL of query files."""

from __future__ import annotations

import importlib
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from aiosqlc.cli.main import main
from aiosqlc.inline.find import literals
from aiosqlc.inline.gather import gathered
from aiosqlc.source import Dialect, SourceFile

from bench.inline import compared
from bench.inline.project import changed
from bench.inline.rejected import called, rejected
from tests.cli.test_commands import wait_for
from tests.drivers.running import complaints
from tests.projects import ran, write_project

CONFIG = """\
version: "2"
sql:
  - engine: ENGINE
    schema: schema.sql
    queries: queries.sql
    gen: {python: {out: store}}
"""
SCHEMA = """\
CREATE TABLE author (id integer PRIMARY KEY, name varchar(50) NOT NULL, bio text);
"""
APP = '''\
from inline import sql

LIST = sql("SELECT id, name FROM author WHERE name LIKE @pattern ORDER BY id")
ADD = sql("""
    INSERT INTO author (id, name, bio) VALUES (@id, @name, @bio)
""")
COUNT = sql("-- :one\\nSELECT count(*) AS n FROM author")
NAMED = sql("-- name: TheNames :many\\nSELECT name FROM author ORDER BY name")


async def rename(db: object, id: int, name: str) -> int:
    return await sql("UPDATE author SET name = @name WHERE id = @id")(db, id=id, name=name)
'''
LITERALS = (
    "SELECT id, name FROM author WHERE name LIKE @pattern ORDER BY id",
    "UPDATE author SET name = @name WHERE id = @id",
    "-- :one\nSELECT count(*) AS n FROM author",
)


def _project(root: Path, app: str, engine: str = "postgresql") -> Path:
    files = {
        "sqlc.yaml": CONFIG.replace("ENGINE", engine),
        "schema.sql": SCHEMA,
        "queries.sql": "-- name: One :one\nSELECT 1 AS one;\n",
        "app/people.py": app,
    }
    return write_project(root, files)


def _scan(root: Path, *options: str) -> int:
    command = ["scan", "-f", str(root), str(root / "app"), "-o", str(root / "inline"), *options]
    return main(command)


@contextmanager
def _imported(root: Path, name: str) -> Iterator[Any]:
    """Import a module of a project, and remove the project's modules at the end."""
    sys.path.insert(0, str(root))
    try:
        yield importlib.import_module(name)
    finally:
        sys.path.remove(str(root))
        for module in [m for m in sys.modules if m.partition(".")[0] in {"inline", "app"}]:
            del sys.modules[module]


async def test_the_functions_of_literals_run_on_the_server(
    tmp_path: Path, empty_database: str
) -> None:
    _project(tmp_path, APP)
    assert _scan(tmp_path) == 0
    db = await asyncpg.connect(empty_database)
    try:
        await db.execute(SCHEMA)
        with _imported(tmp_path, "app.people") as app:
            assert await app.ADD(db, id=1, name="Ada", bio=None) == 1
            assert await app.ADD(db, id=2, name="Bob", bio="x") == 1
            assert await app.rename(db, 2, "Bé") == 1
            assert [(row.id, row.name) for row in await app.LIST(db, pattern="B%")] == [(2, "Bé")]
            assert await app.COUNT(db) == 2
            assert await app.NAMED(db) == ["Ada", "Bé"]
    finally:
        await db.close()


@pytest.mark.parametrize("engine", ["postgresql", "mysql"])
@pytest.mark.parametrize("count", [1, 2])
def test_the_package_is_formatted_and_strictly_typed(
    engine: str, count: int, tmp_path: Path
) -> None:
    calls = ['sql("SELECT id, bio FROM author")', 'sql("DELETE FROM author")'][:count]
    _project(tmp_path, "from inline import sql\n" + "\n".join(calls) + "\n", engine)
    assert _scan(tmp_path) == 0
    assert complaints(tmp_path / "inline") == ""
    done = ran(sys.executable, "-m", "mypy", "--strict", "app", "inline", cwd=tmp_path)
    assert "Success" in done.stdout, done.stdout


async def test_each_command_of_a_query_file_works_in_a_literal(
    tmp_path: Path, empty_database: str
) -> None:
    app = """\
from inline import sql

ROWS = sql("-- :stream\\nSELECT id FROM author ORDER BY id")
COPY = sql("-- :copyfrom\\nINSERT INTO author (id, name) VALUES (@id, @name)")
BULK = sql("-- :exec :bulk\\nINSERT INTO author (id, name) VALUES (@id, @name)")
EACH = sql("-- :batchmany\\nSELECT id FROM author WHERE name = @name")
SELF = sql("SELECT id FROM author WHERE id = @self")
"""
    _project(tmp_path, app)
    assert _scan(tmp_path) == 0
    done = ran(sys.executable, "-m", "mypy", "--strict", "app", "inline", cwd=tmp_path)
    assert "Success" in done.stdout, done.stdout
    db = await asyncpg.connect(empty_database)
    try:
        await db.execute(SCHEMA)
        with _imported(tmp_path, "app.people") as app_:
            statements = sys.modules["inline.statements"]
            await app_.COPY(db, [statements.CopyParams(1, "a"), statements.CopyParams(2, "b")])
            await app_.BULK(db, [statements.BulkParams(3, "b")])
            async with db.transaction():
                assert [row async for row in app_.ROWS(db)] == [1, 2, 3]
            assert await app_.EACH(db, ["a", "b"]) == [[1], [2, 3]]
            assert await app_.SELF(db, self=2) == [2]
    finally:
        await db.close()


def test_a_package_of_another_command_is_not_replaced(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _project(tmp_path, APP)
    assert main(["generate", "-f", str(tmp_path)]) == 0
    there = sorted(path.name for path in (tmp_path / "store").iterdir())
    app = tmp_path / "app" / "people.py"
    app.write_text(app.read_text().replace("from inline", "from store"))
    command = ["scan", "-f", str(tmp_path), str(tmp_path / "app"), "-o", str(tmp_path / "store")]
    assert main(command) == 1
    assert "was generated by `aiosqlc generate`" in capsys.readouterr().err
    assert sorted(path.name for path in (tmp_path / "store").iterdir()) == there


@pytest.mark.parametrize("checker", ["mypy", pytest.param("pyright", marks=pytest.mark.long)])
def test_a_type_checker_rejects_each_changed_literal(checker: str, tmp_path: Path) -> None:
    app = "from inline import sql\n" + "".join(f"sql({text!r})\n" for text in LITERALS)
    _project(tmp_path, app)
    assert _scan(tmp_path) == 0
    new = changed(LITERALS, 500, seed=500)
    made = called("inline", "sql", Path(sys.executable))
    assert rejected(tmp_path, made, LITERALS, new, checker) == set(new)


@pytest.mark.long
def test_the_bench_measures_without_the_peers_and_names_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    compared.report(10, tmp_path)
    said = capsys.readouterr().out
    assert re.search(
        r"^\| aiosqlc \S+ \| 8 of 8 \| 0 \| 0 \| 500 \| 500 \| \d+ \| 0 \|$", said, re.MULTILINE
    )
    assert "iron_sql is not installed: " in said
    assert "sqlty is not installed: " in said


def test_a_type_checker_knows_the_arguments_and_the_rows(tmp_path: Path) -> None:
    _project(tmp_path, APP)
    assert _scan(tmp_path) == 0
    (tmp_path / "use.py").write_text(
        "from app.people import LIST\nfrom inline.executor import Executor\n\n\n"
        "async def use(db: Executor) -> None:\n"
        "    rows = await LIST(db, pattern=1)\n"
        "    rows[0].name.real\n"
    )
    done = ran(sys.executable, "-m", "mypy", "--strict", "use.py", cwd=tmp_path)
    assert 'use.py:6: error: Argument "pattern"' in done.stdout
    assert 'use.py:7: error: "str" has no attribute "real"' in done.stdout


def test_a_literal_that_was_not_compiled_fails_at_its_place(tmp_path: Path) -> None:
    _project(tmp_path, APP)
    assert _scan(tmp_path) == 0
    (tmp_path / "app" / "more.py").write_text(
        'from inline import sql\n\nNEW = sql("SELECT bio FROM author")\n'
    )
    with pytest.raises(LookupError) as raised, _imported(tmp_path, "app.more"):
        pass
    assert re.search(
        r"more\.py:3: this SQL was not compiled; run `aiosqlc scan ", str(raised.value)
    )


# The argument of `sql`, and what the message says: code, line, column, the start of its text.
MISTAKES = {
    '"SELECT id, nam FROM author"': ("E311", 2, 19, 'column "nam" does not exist'),
    '"""SELECT a.id\n  FROM author a WHERE a.nme = 1"""': ("E311", 3, 23, "column a.nme does not"),
    '"SELECT id "\n    "FROM autor"': ("E310", 3, 11, 'relation "autor" does not exist'),
    '"SELECT \\x61 FROM author"': ("E311", 2, 15, 'column "a" does not exist'),
    '"\\u00e9\\t".strip() and 1': ("E009", 2, 7, "`sql` needs exactly one string literal"),
    'r"""SELECT \'\\d\' AS a,\n\tnam FROM author"""': ("E311", 3, 2, 'column "nam" does not'),
    '"""\\\n  SELECT \\"id\\", nam FROM author"""': ("E311", 3, 18, 'column "nam" does not exist'),
    '(  # a comment: "x"\n"SELECT id, "  # one\n\'nam FROM author\')': (
        "E311",
        4,
        2,
        'column "nam" does not exist',
    ),
    '"SELECT 1; SELECT 2"': ("E113", 2, 7, "a second statement below"),
    '"-- name: One :one\\nSELECT 1;\\n-- name: Two :one\\nSELECT 2"': (
        "E009",
        2,
        38,
        "the literal has more than one query",
    ),
    '"SELECT 1;\\n/* name: Two :one */\\nSELECT 2"': (
        "E009",
        2,
        19,
        "the literal has more than one query",
    ),
    '""': ("E009", 2, 7, "the literal is empty: write a statement"),
    '" \\n"': ("E009", 2, 7, "the literal is empty: write a statement"),
    '"SELECT \\ud800"': ("E009", 2, 7, "the literal has half of a character: \\ud800"),
    '"-- :oen\\nSELECT 1"': ("E107", 2, 11, "unknown command `:oen`"),
    '"""-- :one\nSELECT id, nam FROM author"""': ("E311", 3, 12, 'column "nam" does not exist'),
    '"SELECT \'x"': ("E114", 2, 15, "unterminated string"),
    'f"SELECT {1}"': ("E009", 2, 7, "`sql` needs exactly one string literal"),
    '"SELECT 1", 2': ("E009", 2, 3, "`sql` needs exactly one string literal"),
    "X": ("E009", 2, 7, "`sql` needs exactly one string literal"),
}


@pytest.mark.parametrize("argument", MISTAKES)
def test_a_mistake_is_shown_in_the_python_file(
    argument: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, line, column, message = MISTAKES[argument]
    _project(tmp_path, f'from inline import sql\nA=sql({argument})\nB = sql("SELECT 1 AS x")\n')
    assert _scan(tmp_path) == 1
    said = capsys.readouterr().err
    assert f"error[{code}]: {message}" in said
    assert f"app/people.py:{line}:{column}\n" in said
    assert not (tmp_path / "inline").exists()


# A literal that opens what it does not close, the engine, and the column of the opening.
OPEN = (
    ('"SELECT \'a"', "postgresql", 19),
    ('"SELECT \'"', "mysql", 19),
    ("r\"SELECT E'a\\'\"", "postgresql", 21),
    ('"SELECT $q$a"', "postgresql", 19),
    ("'SELECT \"a'", "postgresql", 19),
    ('"SELECT 1 /* a"', "postgresql", 21),
    ('"SELECT 1 /*! a"', "mysql", 21),
    ('"SELECT \' /*"', "mysql", 19),
)


@pytest.mark.parametrize(("argument", "engine", "column"), OPEN)
@pytest.mark.parametrize(
    "below", ["'it'", "' AS x", "E'\\\\''", "$q$it$q$", '\\"id\\"', "/* a */ 1"]
)
def test_an_open_quote_is_an_error_of_its_own_literal_alone(
    argument: str, engine: str, column: int, below: str
) -> None:
    text = f'from inline import sql\nONE = sql({argument})\nTWO = sql("SELECT {below}")\n'
    found, _ = literals(SourceFile(Path("a.py"), text), "inline")
    joined = gathered(found, SourceFile(Path("statements.sql"), ""), Dialect(engine))
    first = joined.problems[0]
    assert [part.name for part in joined.parts] == ["Two"][: 2 - len(joined.problems)]
    assert first.code == "E114"
    assert first.labels[0].file.line_col(first.labels[0].span.start) == (2, column)


def test_an_open_quote_hides_no_error_of_another_literal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    app = """\
from inline import sql
ONE = sql("SELECT 'a FROM author")
TWO = sql("SELECT id FROM author WHERE nam = 'it'")
"""
    _project(tmp_path, app)
    assert _scan(tmp_path) == 1
    said = capsys.readouterr().err
    assert re.findall(r"error\[(\w+)\]|people\.py:(\d+:\d+)", said) == [
        ("E114", ""), ("", "2:19"), ("E311", ""), ("", "3:40")
    ]  # fmt: skip
    (tmp_path / "app" / "people.py").write_text(app.replace("nam = 'it'", "name = '"))
    assert _scan(tmp_path) == 1
    assert capsys.readouterr().err.count("error[E114]") == 2


@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_a_mistake_has_its_place_with_other_line_ends(
    end: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    app = 'from inline import sql\nA = sql("""\n    SELECT id,\n    nam FROM author\n""")\n'
    _project(tmp_path, "")
    (tmp_path / "app" / "people.py").write_bytes(app.replace("\n", end).encode())
    assert _scan(tmp_path) == 1
    assert "app/people.py:4:5\n" in capsys.readouterr().err


def test_a_file_that_is_not_python_is_reported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _project(tmp_path, "from inline import sql\nA = sql(\n")
    assert _scan(tmp_path) == 1
    assert "error[E009]: the file is not valid Python" in capsys.readouterr().err


def test_other_functions_named_sql_are_not_compiled(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _project(tmp_path, 'from other import sql\nA = sql("SELECT wrong")\n')
    assert _scan(tmp_path) == 1
    assert 'no file with `from inline import sql` calls `sql("…")`' in capsys.readouterr().err


def test_check_reports_a_changed_literal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _project(tmp_path, APP)
    assert _scan(tmp_path) == 0
    assert _scan(tmp_path, "--check") == 0
    path = tmp_path / "app" / "people.py"
    path.write_text(path.read_text().replace("ORDER BY id", "ORDER BY name"))
    capsys.readouterr()
    assert _scan(tmp_path, "--check") == 1
    assert "ORDER BY name" in capsys.readouterr().out


def test_a_file_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    _project(tmp_path, "\ufeff" + APP)
    assert _scan(tmp_path) == 0


@pytest.mark.parametrize("depth", [900, 30_000])
def test_a_deep_expression_is_no_internal_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], depth: int
) -> None:
    _project(tmp_path, f"from inline import sql\nA = sql({'+'.join(depth * [repr('x')])})\n")
    assert _scan(tmp_path) == 1
    assert "error[E009]: " in capsys.readouterr().err


def test_a_package_without_literals_is_removed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _project(tmp_path, APP)
    assert _scan(tmp_path) == 0
    (tmp_path / "inline" / "notes.py").write_text("kept = 1\n")
    (tmp_path / "app" / "people.py").write_text("x = 1\n")
    assert _scan(tmp_path, "--check") == 1
    capsys.readouterr()
    assert _scan(tmp_path) == 0
    assert "removed " in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "inline").glob("*.py")] == ["notes.py"]
    assert _scan(tmp_path) == 1


def test_a_package_of_generate_is_not_removed(tmp_path: Path) -> None:
    _project(tmp_path, "x = 1\n")
    assert main(["generate", "-f", str(tmp_path)]) == 0
    there = sorted((tmp_path / "store").glob("*.py"))
    command = ["scan", "-f", str(tmp_path), str(tmp_path / "app"), "-o", str(tmp_path / "store")]
    assert main(command) == 1
    assert sorted((tmp_path / "store").glob("*.py")) == there


def test_the_annotation_of_a_literal_is_no_comment_of_its_function(tmp_path: Path) -> None:
    app = """\
from inline import sql

A = sql("-- :one\\n-- Count them.\\nSELECT count(*) AS n FROM author")
B = sql("-- name: Names\\nSELECT name FROM author")
"""
    _project(tmp_path, app)
    assert _scan(tmp_path) == 0
    text = (tmp_path / "inline" / "statements.py").read_text()
    assert '"""Count them."""' in text
    assert ":one" not in text
    assert "-- name" not in text
    assert "async def names(" in text


# Code around a call, and whether the call is of the imported function.
SCOPES = (
    ("def f():\n    return sql(Q)", True),
    ("def f(sql):\n    return sql(Q)", False),
    ("def f(*, sql=None):\n    return sql(Q)", False),
    ("def f(*sql):\n    return [sql(Q) for _ in sql]", False),
    ("def f(x=sql(Q), sql=1):\n    return x", True),
    ("f = lambda sql: sql(Q)", False),
    ("f = lambda x: sql(Q)", True),
    ("def f():\n    sql = str\n    return sql(Q)", False),
    ("def f():\n    for sql in [str]:\n        sql(Q)", False),
    ("def f(sql):\n    def g():\n        return sql(Q)\n    return g", False),
    ("def f():\n    def g(sql):\n        return sql\n    return sql(Q)", True),
    ("def f():\n    def sql(x):\n        return x\n    return sql(Q)", False),
    ("f = [sql(Q) for sql in [str]]", False),
    ("class C:\n    def sql(self):\n        return sql(Q)", True),
    ("def f():\n    global sql\n    x = sql(Q)", True),
)


@pytest.mark.parametrize(("code", "compiled"), SCOPES)
def test_a_name_that_is_bound_again_is_another_function(code: str, compiled: bool) -> None:
    text = f"from inline import sql\n{code.replace('Q', repr('SELECT 1'))}\n"
    found, problems = literals(SourceFile(Path("a.py"), text), "inline")
    assert (len(found), problems) == (int(compiled), [])


def test_check_does_not_depend_on_the_spelling_of_paths(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _project(tmp_path, APP)
    (tmp_path / "app" / "z.py").write_text('from inline import sql\nLIST = sql("SELECT 1 AS x")\n')
    monkeypatch.chdir(tmp_path)
    assert main(["scan", "app", "-o", "inline"]) == 0
    text = (tmp_path / "inline" / "sql.py").read_text()
    assert "run `aiosqlc scan app -o inline`" in text
    for sources in (["./app/"], [str(tmp_path / "app")], ["app/../app", "app"], ["app/."]):
        assert main(["scan", *sources, "-o", "./inline/", "--check"]) == 0, sources
    monkeypatch.chdir(tmp_path / "app")
    assert main(["scan", "-f", "..", ".", "-o", "../inline", "--check"]) == 0
    files = ["z.py", "people.py"]
    assert main(["scan", "-f", "..", *files, "-o", "../inline"]) == 0
    assert main(["scan", "-f", "..", *files[::-1], "-o", "../inline", "--check"]) == 0


def test_literals_include_the_fragments_of_query_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    app = """\
from inline import sql

A = sql("SELECT a.id FROM author a WHERE sqlc.include(named, a)")
"""
    _project(tmp_path, app)
    fragment = "-- fragment: named(t)\nt.name = @name;\n"
    (tmp_path / "queries.sql").write_text(f"{fragment}\n-- name: One :one\nSELECT 1 AS one;\n")
    assert _scan(tmp_path) == 0
    assert "name: str" in (tmp_path / "inline" / "statements.py").read_text()
    (tmp_path / "queries.sql").write_text(fragment.replace("t.name", "t.nam"))
    capsys.readouterr()
    assert _scan(tmp_path) == 1
    said = capsys.readouterr().err
    assert "column a.nam does not exist" in said
    assert "app/people.py:3:42" in said
    (tmp_path / "queries.sql").write_text("-- name: One :one\nSELECT 1 AS one;\n")
    assert _scan(tmp_path) == 1
    assert "app/people.py:3:" in capsys.readouterr().err


def test_hidden_files_are_not_read(tmp_path: Path) -> None:
    _project(tmp_path, APP)
    (tmp_path / "app" / ".#people.py").symlink_to("user@host.1234:1")  # the lock of an editor
    assert _scan(tmp_path) == 0


@pytest.mark.parametrize(
    ("target", "said"), [("missing.py", "No such file or directory"), ("bad.py", "symbolic link")]
)
def test_a_file_that_cannot_be_read_is_reported(
    target: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _project(tmp_path, APP)
    (tmp_path / "app" / "bad.py").symlink_to(target)
    assert _scan(tmp_path) == 1
    found = capsys.readouterr().err
    assert "error[E008]: cannot read app/" in found
    assert said in found
    assert not (tmp_path / "inline").exists()


def test_a_file_that_is_not_utf_8_is_reported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _project(tmp_path, APP)
    (tmp_path / "app" / "bad.py").write_bytes(b"# ok\n# \xff\n")
    assert _scan(tmp_path) == 1
    assert "cannot read app/bad.py: byte 0xff in line 2 is not UTF-8" in capsys.readouterr().err


@contextmanager
def _watched(root: Path, *program: str) -> Iterator[tuple[Path, subprocess.Popen[str]]]:
    """Run `scan --watch` in a project; yield its log, and stop it at the end."""
    log = root / "watch.log"
    command = [sys.executable, *program, "scan", "app", "-o", "inline", "--watch"]
    with (
        log.open("w") as stderr,
        subprocess.Popen(command, cwd=root, stderr=stderr, text=True) as process,
    ):
        try:
            wait_for(log, "watching\n", process)
            yield log, process
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=90)
    assert process.returncode in {0, 130}


def test_watching_goes_on_after_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    _project(tmp_path, APP)
    app, made = tmp_path / "app", tmp_path / "inline" / "sql.py"
    with _watched(tmp_path, "-m", "aiosqlc") as (log, process):
        (app / "bad.py").symlink_to("missing.py")
        wait_for(log, "cannot read app/missing.py: No such file or directory", process)
        (app / "bad.py").unlink()
        (app / "people.py").write_text(APP.replace("SELECT id, name FROM", "SELECT bio FROM"))
        wait_for(made, "SELECT bio FROM", process)


# A compiler with a fault: it fails at each file that contains the word.
_FAULTY = """
import sys
import aiosqlc.cli.scan as scan
from aiosqlc.cli.main import main

compiled = scan.compile_literals

def faulty(project, entry, sources, *others):
    if any("fault" in path.read_text() for path in sources[0].glob("*.py")):
        raise KeyError("a fault")
    return compiled(project, entry, sources, *others)

scan.compile_literals = faulty
sys.exit(main(sys.argv[1:]))
"""


def test_watching_goes_on_after_an_internal_error(tmp_path: Path) -> None:
    _project(tmp_path, APP)
    app, made = tmp_path / "app" / "people.py", tmp_path / "inline" / "sql.py"
    with _watched(tmp_path, "-c", _FAULTY) as (log, process):
        app.write_text(f"{APP}# fault\n")
        wait_for(log, "internal error: KeyError: 'a fault'", process)
        app.write_text(APP.replace("SELECT id, name FROM", "SELECT bio FROM"))
        wait_for(made, "SELECT bio FROM", process)


def test_watching_writes_each_change_and_keeps_the_package_while_a_file_is_broken(
    tmp_path: Path,
) -> None:
    _project(tmp_path, APP)
    app, made = tmp_path / "app" / "people.py", tmp_path / "inline" / "sql.py"
    with _watched(tmp_path, "-m", "aiosqlc") as (log, process):
        app.write_text(APP.replace("SELECT id, name FROM", "SELECT name, bio FROM"))
        wait_for(made, "SELECT name, bio FROM", process)
        kept = made.read_text()
        for broken, said in (
            (APP.replace("ADD = ", "ADD = = "), "not valid Python"),
            (APP.replace("SELECT id, name", "SELECT id, nam"), 'column "nam" does not exist'),
            (APP.replace('sql("SELECT id', 'sql(f"SELECT id'), "exactly one string literal"),
        ):
            app.write_text(broken)
            wait_for(log, said, process)
            assert made.read_text() == kept
        (tmp_path / "schema.sql").write_text(SCHEMA.replace("bio text", "bio text, nam text"))
        app.write_text(APP.replace("SELECT id, name", "SELECT id, nam"))
        wait_for(made, "SELECT id, nam FROM", process)


def test_the_command_in_the_package_names_the_entry_and_quotes_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _project(tmp_path, APP)
    text = (tmp_path / "sqlc.yaml").read_text()
    more = text.partition("sql:\n")[2].replace("out: store", "out: more")
    named = text.replace("- engine", "- name: one\n    engine", 1)
    (tmp_path / "sqlc.yaml").write_text(named + more.replace("- engine", "- name: b\n    engine"))
    (tmp_path / "app").rename(tmp_path / "my app")
    monkeypatch.chdir(tmp_path)
    assert main(["scan", "my app", "-o", "inline"]) == 2
    assert main(["scan", "my app", "-o", "inline", "--entry", "one"]) == 0
    text = (tmp_path / "inline" / "sql.py").read_text()
    assert "run `aiosqlc scan 'my app' -o inline --entry one`" in text
    assert text.startswith("# Generated by `aiosqlc scan 'my app' -o inline --entry one`. Do not")
