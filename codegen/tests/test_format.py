"""`aiosqlc format`: the same queries in another layout, or the unchanged file."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from aiosqlc.cli.main import main
from aiosqlc.config.load import load_project
from aiosqlc.ir import AnalyzeOptions
from aiosqlc.layout import queries as tidying
from aiosqlc.layout.queries import texts_of, tidy
from aiosqlc.layout.statement import LayoutStyle, lay_out, same_tokens
from aiosqlc.parse.scanner import Kind, scan, split_statements
from aiosqlc.pipeline.analysed import options_of
from aiosqlc.pipeline.reading import read_inputs
from aiosqlc.postgres import Analyzer
from aiosqlc.postgres.same_tree import unproved
from aiosqlc.source import Dialect, SourceFile
from hypothesis import given
from hypothesis import strategies as st

from tests.golden import CASES, copy_case
from tests.postgres.asking import schema_file
from tests.servers.postgres import TestPostgres

CORPUS = Path(__file__).parents[3] / "shared" / "conformance" / "corpus" / "cases"
HOUSE, SQLC = LayoutStyle
PG, MYSQL = Dialect.POSTGRESQL, Dialect.MYSQL
LAYOUTS = Path(__file__).parent / "layouts"
LONG = "a_column_with_a_long_name, another_column_with_a_long_name, " + "c" * 40


@pytest.mark.parametrize(
    ("written", "style", "dialect", "expected"),
    [
        ("select  1", HOUSE, PG, "SELECT 1"),
        ("select a\nfrom t\nwhere b", HOUSE, PG, "SELECT a FROM t WHERE b"),
        ("select a from t where b", SQLC, PG, "SELECT a\nFROM t\nWHERE b"),
        ("select a,b from t where c=1", HOUSE, PG, "SELECT a, b FROM t WHERE c = 1"),
        ("select f (a , b)", HOUSE, PG, "SELECT f (a, b)"),
        ("select t.order, @limit, sqlc.arg(limit) as from", HOUSE, PG,
         "SELECT t.order, @limit, sqlc.arg(limit) AS from"),
        ("select left('ab', 1) from t left join u on true", SQLC, PG,
         "SELECT left('ab', 1)\nFROM t\nLEFT JOIN u ON true"),
        ("select 'from', \"order\" from t", HOUSE, PG, "SELECT 'from', \"order\" FROM t"),
        ("select end from t", HOUSE, MYSQL, "SELECT end FROM t"),
        ("select a is distinct from b", SQLC, PG, "SELECT a IS DISTINCT FROM b"),
        (f"select {LONG} from t", HOUSE, PG,
         f"SELECT\n    {LONG.replace(', ', ',' + chr(10) + '    ')}\nFROM t"),
        ("select 'a'\n'b'", HOUSE, PG, "SELECT 'a'\n'b'"),
        ("select a -- the first\nfrom t", HOUSE, PG, "SELECT a -- the first\nFROM t"),
        ("select /* from */ a from t", HOUSE, PG, "SELECT /* from */ a FROM t"),
        ("select $$ from  here $$ as x", HOUSE, PG, "SELECT $$ from  here $$ AS x"),
        ("select /*!50000 a */ from t", HOUSE, MYSQL, "select /*!50000 a */ from t"),
        ("select 'open", HOUSE, PG, "select 'open"),
    ],
)  # fmt: skip
def test_layout(written: str, style: LayoutStyle, dialect: Dialect, expected: str) -> None:
    assert lay_out(written, dialect, style) == expected


@pytest.mark.parametrize("dialect", Dialect)
def test_a_file_of_every_layout_comes_out_as_reviewed(dialect: Dialect) -> None:
    written = SourceFile(Path("queries.sql"), (LAYOUTS / f"{dialect}.sql").read_text())
    reviewed = (LAYOUTS / f"{dialect}.laid_out.sql").read_text()
    found = tidy(written, dialect, HOUSE, width=80)
    assert found is not None
    assert found.after.text == reviewed
    again = tidy(found.after, dialect, HOUSE, width=80)
    assert again is not None
    assert again.after.text == reviewed


def test_comments_stay_behind_their_word_and_above_their_line() -> None:
    written = "select a, -- the first\n  -- The second.\n  b\nfrom t /* all */ where a and b"
    assert lay_out(written, PG, HOUSE) == (
        "SELECT\n    a, -- the first\n    -- The second.\n    b\nFROM t /* all */\nWHERE a AND b"
    )


WORDS = st.sampled_from(
    re.split(
        " ",
        "select from where and or between ( ) , a b.c 'x y' \"Q\" -- 1 $1 @p = =- - :: ; ' /* */ \n"
        " order by limit as case when then end left join on t.limit sqlc.arg(set) $$",
    )
)


@given(st.lists(WORDS, max_size=40), st.sampled_from(LayoutStyle), st.sampled_from(Dialect))
def test_whatever_is_written_keeps_its_tokens_and_is_laid_out_once(
    words: list[str], style: LayoutStyle, dialect: Dialect
) -> None:
    sql = " ".join(words).strip()
    once = lay_out(sql, dialect, style, width=30)
    assert same_tokens(sql, once, dialect)
    assert lay_out(once, dialect, style, width=30) == once


def statements(root: Path) -> Iterator[tuple[str, Dialect]]:
    for path in sorted(root.rglob("*.sql")):
        text = path.read_text("utf-8")
        mysql = root / "my" in path.parents or "mysql" in path.as_posix()
        dialect = MYSQL if mysql else PG
        for span in split_statements(text, dialect):
            yield text[span.start : span.end], dialect


@pytest.mark.parametrize("style", LayoutStyle)
@pytest.mark.parametrize("root", [CASES, CORPUS], ids=["golden", "conformance"])
def test_every_statement_keeps_tokens_and_comments_and_is_laid_out_once(
    root: Path, style: LayoutStyle
) -> None:
    if not root.is_dir():
        pytest.skip(f"{root} is not there")
    for sql, dialect in statements(root):
        once = lay_out(sql, dialect, style)
        assert same_tokens(sql, once, dialect)
        assert lay_out(once, dialect, style) == once
        kept = [t.text.rstrip() for t in scan(sql, dialect) if t.kind is Kind.COMMENT]
        assert [t.text for t in scan(once, dialect) if t.kind is Kind.COMMENT] == kept


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.mark.long
@pytest.mark.parametrize("style", LayoutStyle)
def test_every_file_of_the_corpus_is_laid_out_once_with_each_query_proved(
    style: LayoutStyle, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if not CORPUS.is_dir():
        pytest.skip(f"{CORPUS} is not there")
    changed = 0
    for number, config in enumerate(sorted(CORPUS.rglob("sqlc.yaml"))):
        here = tmp_path / str(number)
        shutil.copytree(config.parent, here)
        words = ["format", "--style", style.value, "-f", str(here)]
        main(words)
        said = capsys.readouterr()
        changed += said.out.count("formatted ")
        assert "otherwise" not in said.err, (config, said.err)
        main([*words, "--check"])
        assert capsys.readouterr().out == "", config
    assert changed > 100


@pytest.mark.long
@pytest.mark.parametrize("style", LayoutStyle)
def test_the_server_analyses_every_golden_query_as_before(
    style: LayoutStyle, tmp_path: Path, postgres_server: TestPostgres, stack: ExitStack
) -> None:
    compared, analyzer = 0, stack.enter_context(Analyzer())
    for case in sorted(path for path in CASES.iterdir() if path.is_dir()):
        folder = tmp_path / case.name
        folder.mkdir()
        project, problems = load_project(copy_case(case, folder), environ={})
        for entry in project.sets if project and not problems else ():
            inputs, _ = read_inputs(project, entry)
            found = [tidy(file, entry.engine, style) for file in inputs.files]
            pairs = [
                (one.name, old, new)
                for item in found if item
                for one, other in item.changed
                for old, new in zip(texts_of(one), texts_of(other), strict=True)
            ]  # fmt: skip
            if entry.engine is not PG or not pairs or not inputs.readable:
                continue
            options = options_of(entry, inputs.shims)
            given = AnalyzeOptions(postgres_server.create_empty(), shims=options.shims)
            left = unproved(analyzer, inputs.schema, given, pairs)
            assert set(left.values()) <= {
                "the server rejects the formatted query",
                "the schema has errors",
            }
            compared += len(pairs)
    assert compared > 10


def test_another_tree_is_seen(postgres_server: TestPostgres) -> None:
    schema = [schema_file("create table t (a int, b int)")]
    options = AnalyzeOptions(postgres_server.create_empty())
    pairs = [
        ("same", "select a from t", "SELECT a\nFROM t"),
        ("other", "select a from t", "select b from t"),
        ("refused", "select x from t", "select  x from t"),
    ]
    with Analyzer() as analyzer:
        assert unproved(analyzer, schema, options, pairs) == {
            "other": "the server would parse the formatted query differently",
            "refused": "the server rejects the formatted query",
        }


QUERIES = """\
-- name: Find :many
select a,b from t where true
and a = @a -- :if a
order by a;

-- name: One :one
-- What it is for.
select a from t where a=$1 limit 1;   \n"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "schema.sql").write_text("CREATE TABLE t (a int NOT NULL, b int);\n")
    (tmp_path / "queries.sql").write_text(QUERIES)
    (tmp_path / "sqlc.yaml").write_text(
        'version: "2"\nsql:\n  - {engine: postgresql, schema: schema.sql, queries: queries.sql,'
        " gen: {python: {out: store}}}\n"
    )
    return tmp_path


def test_check_shows_what_would_change_and_writes_nothing(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["format", "--check", "-f", str(project)]) == 1
    assert "+AND a = @a -- :if a" in capsys.readouterr().out
    assert (project / "queries.sql").read_text() == QUERIES
    assert main(["format", "-f", str(project)]) == 0
    assert (project / "queries.sql").read_text() == (
        "-- name: Find :many\nSELECT a, b FROM t WHERE true\nAND a = @a -- :if a\nORDER BY a;\n\n"
        "-- name: One :one\n-- What it is for.\nSELECT a FROM t WHERE a = $1 LIMIT 1;\n"
    )
    assert main(["format", "--check", "-f", str(project)]) == 0


def test_lines_are_as_long_as_the_option_allows(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    query = "-- name: Two :many\nSELECT a, b FROM t WHERE a = 1 AND b = 2 ORDER BY a;\n"
    (project / "queries.sql").write_text(query)
    assert main(["format", "--check", "-f", str(project)]) == 0
    assert main(["format", "--line-length", "40", "-f", str(project)]) == 0
    assert "\nFROM t\n" in (project / "queries.sql").read_text()
    for wrong in ("39", "401", "wide", "-1", "9" * 5000):
        with pytest.raises(SystemExit, match="2"):
            main(["format", "--line-length", wrong, "-f", str(project)])
        assert "is not a whole number from 40 to 400" in capsys.readouterr().err


def test_a_layout_that_loses_something_is_never_written(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(tidying, "lay_out", lambda sql, *_, **__: sql.replace("a = @a", "a <> @a"))
    assert main(["format", "-f", str(project)]) == 1
    assert "not formatted" in capsys.readouterr().err
    assert (project / "queries.sql").read_text() == QUERIES


def test_a_file_with_a_mistake_is_left_alone_and_named(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = QUERIES.replace(":one", ":oen")
    (project / "queries.sql").write_text(broken)
    assert main(["format", "-f", str(project)]) == 1
    assert "queries.sql: not formatted" in capsys.readouterr().err
    assert (project / "queries.sql").read_text() == broken


MEANT = "-- name: Kept :many\nselect  a from t;\n\n-- name: Two :many\nselect a from t where a=1;\n"


@pytest.mark.parametrize("engine", ["postgresql", "mysql"])
def test_a_query_that_is_not_proved_the_same_stays_and_the_rest_is_laid_out(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], engine: str
) -> None:
    config = project / "sqlc.yaml"
    config.write_text(config.read_text().replace("postgresql", engine))
    (project / "queries.sql").write_text(MEANT)

    def wrong(sql: str, *args: Any, **options: Any) -> str:
        return lay_out(sql, *args, **options).replace("a = 1", "a <> 1")

    monkeypatch.setattr(tidying, "lay_out", wrong)
    monkeypatch.setattr(tidying, "same_tokens", lambda *_: True)
    assert main(["format", "-f", str(project)]) == 0
    assert "`Two` is not formatted" in capsys.readouterr().err
    assert (project / "queries.sql").read_text() == MEANT.replace("select  a", "SELECT a").replace(
        "SELECT a from", "SELECT a FROM"
    )


def test_what_nothing_can_prove_is_not_written(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = project / "sqlc.yaml"
    config.write_text(config.read_text().replace("postgresql", "mysql"))
    text = "-- name: One :exec\nhandler t  open as h;\n"
    (project / "queries.sql").write_text(text)
    assert main(["format", "-f", str(project)]) == 0
    said = capsys.readouterr()
    assert (project / "queries.sql").read_text() == text
    assert "does not support this syntax" in said.err
