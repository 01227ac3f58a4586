"""An error is shown at its position, and the error of one query hides no other."""

from __future__ import annotations

from pathlib import Path

import pytest
from aiosqlc.ir import AnalyzeOptions, Command
from aiosqlc.mysql import analyze, analyzer
from aiosqlc.servers.mysql import private
from aiosqlc.servers.mysql.session import open_session

from tests.mysql.conftest import SCHEMA, analysed, files


@pytest.mark.parametrize(
    ("sql", "shown", "said", "code", "hint"),
    [
        ("SELECT nope FROM a", "nope", "Unknown column 'nope'", "E311", "is its table in FROM?"),
        ("SELECT naem FROM a", "naem", "Unknown column", "E311", "did you mean `name`?"),
        ("SELECT b.titel FROM b", "titel", "Unknown column", "E311", "did you mean `title`?"),
        (
            "SELECT id FROM nowhere",
            "nowhere",
            "doesn't exist",
            "E310",
            "the schema files create the table",
        ),
        ("SELECT id FROM va2", "va2", "doesn't exist", "E310", "did you mean `va`?"),
        ("SELECT id FROM a wheree id = 1", "id", "You have an error in your SQL", "E300", ""),
        ("SELECT id FROM a from WHERE id = ?", "from", "You have an error in", "E300", ""),
        ("SELECT grp, * FROM a", "*", "You have an error in", "E300", "write `table.*`"),
        ("SELECT * FROM (SELECT id FROM a)", ")", "You have an error in", "E300", "AS t`"),
        ("SELECT nofunction(1)", "nofunction", "FUNCTION nofunction does not", "E312", ""),
        ("SELECT lenght('a')", "lenght", "does not exist", "E312", "did you mean `length`?"),
        ("SELECT id FROM a JOIN b ON TRUE", "id", "ambiguous", "E315", "`a.id` or `b.id`"),
        ("SELECT DATE_ADD(name) FROM a", ")", "You have an error in your SQL", "E300", ""),
        ("SELECT lower(1, 2)", "lower", "parameter count", "E312", ""),
        ("INSERT INTO b (id, noet) VALUES (1, 2)", "noet", "Unknown column", "E311", "`note`?"),
        (
            "SELECT title FROM a WHERE id IN (SELECT id FROM b)",
            "title",
            "Unknown column",
            "E311",
            "is its table in FROM?",  # not: did you mean `title`?
        ),
        ("INSERT INTO b (id, note) VALUES (1)", "INSERT", "doesn't match", "E301", "of columns"),
    ],
)
def test_a_refused_query_is_marked_at_the_word(compile_, sql, shown, said, code, hint) -> None:
    good = "-- name: Good :many\nSELECT id FROM a;\n"
    typed, (problem,) = compile_(SCHEMA, f"{good}-- name: Q :many\n{sql};")
    assert [query.parsed.name for query in typed] == ["Good"]
    label = problem.labels[0]
    assert label.file.text[label.span.start : label.span.end] == shown
    assert said in problem.message
    assert problem.code == code
    assert problem.hint.endswith(hint)
    assert "aiosqlc_" not in problem.message  # the working database is nobody's business


def test_the_rest_of_a_text_is_marked_where_it_is_the_rest(compile_) -> None:
    _, (problem,) = compile_(SCHEMA, "-- name: Q :many\nSELECT id FROM a WHERE SELECT id;")
    label = problem.labels[0]
    assert label.file.text[: label.span.start].endswith("WHERE ")


def test_a_qualified_name_is_marked_where_it_is_qualified(compile_) -> None:
    sql = "WITH c AS (SELECT count(*) FROM a) SELECT c.count FROM c"
    _, (problem,) = compile_(SCHEMA, f"-- name: Q :many\n{sql};")
    label = problem.labels[0]
    assert label.file.text[: label.span.start].endswith("c.")
    assert label.file.text[label.span.start : label.span.end] == "count"


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("SELECT id FROM a WHERE id = $1", "E124"),
        ("SELECT id FROM a WHERE id = $1 AND grp = ?", "E124"),  # one value for both, it was
        ("SELECT id FROM a WHERE a.$1 = sqlc.arg(x)", "E124"),
        ("SELECT id FROM a WHERE name = '$1' AND `$1` = ?", "E311"),
    ],
)
def test_a_numbered_parameter_is_none_of_mysqls(compile_, sql, code) -> None:
    typed, (problem,) = compile_(SCHEMA, f"-- name: Q :many\n{sql};")
    assert not typed
    assert problem.code == code
    label = problem.labels[0]
    assert "$1" in label.file.text[label.span.start : label.span.end]
    assert "`?`" in problem.hint or code != "E124"


@pytest.mark.parametrize(
    ("sql", "shown"),
    [
        ("SELECT id FROM a WHERE id = @author_id", "@author_id"),
        ("SELECT @n := @n + id FROM a WHERE grp = @Grp", "@Grp"),
        ("SELECT @n := @n + id FROM a", ""),
        ("SELECT id FROM a WHERE name = '@x' OR name = @@version", ""),
    ],
)
def test_a_variable_that_was_meant_as_a_parameter_is_said(compile_, sql, shown) -> None:
    typed, problems = compile_(SCHEMA, f"-- name: Q :many\n{sql};")
    assert len(typed) == 1
    marked = [
        label.file.text[label.span.start : label.span.end]
        for problem in problems
        if problem.code == "E122"
        for label in problem.labels
    ]
    assert marked == ([shown] if shown else [])


def test_a_refused_schema_is_marked_at_the_word(compile_) -> None:
    _, (_, problem) = compile_("CREATE TABLE t (id int);\nCREATE INDEX i ON t (idd);", "")
    label = problem.labels[0]
    assert problem.code == "E200"
    assert label.file.text[label.span.start : label.span.end] == "idd"


def test_a_key_over_a_whole_text_comes_with_both_ways_out(compile_) -> None:
    _, (_, problem) = compile_("CREATE TABLE t (id text PRIMARY KEY);", "")
    assert (problem.code, "`id(100)`" in problem.hint, "varchar" in problem.hint) == (
        "E200",
        True,
        True,
    )


def test_a_refused_statement_of_the_schema_costs_only_what_uses_it(compile_) -> None:
    schema = """\
        CREATE TABLE broken (id int PRIMARY KEY, x nosuchtype);
        ALTER TABLE broken ADD COLUMN y int;
        CREATE VIEW seen AS SELECT id FROM broken;
        CREATE TABLE whole (id int PRIMARY KEY);
    """
    queries = "".join(
        f"-- name: From{name.title()} :many\nSELECT * FROM {name};\n"
        for name in ("broken", "seen", "whole")
    )
    typed, (problem,) = compile_(schema, queries)
    assert [query.parsed.name for query in typed] == ["FromWhole"]
    assert [cost.rpartition(":")[2] for cost in problem.costs] == ["FromBroken", "FromSeen"]
    assert problem.notes[-1] == "2 later statements of the schema failed because of this"


def test_what_nobody_can_follow_costs_every_query(compile_) -> None:
    typed, (problem,) = compile_(
        "SET nothing_like_that = 1; CREATE TABLE t (id int);", "-- name: Q :many\nSELECT id FROM t;"
    )
    assert (typed, len(problem.costs)) == ((), 1)


@pytest.mark.parametrize(
    ("command", "sql", "code"),
    [
        ("many", "UPDATE a SET grp = 1", "E321"),
        ("execlastid", "UPDATE a SET grp = 1", "E414"),
        ("execlastid", "INSERT INTO b (id, aid, title) VALUES (1, 1, '') RETURNING id", "E414"),
    ],
)
def test_a_command_that_does_not_fit_is_said(compile_, command, sql, code) -> None:
    assert command in set(Command)
    _, (problem,) = compile_(SCHEMA, f"-- name: Q :{command}\n{sql};")
    assert problem.code == code


@pytest.fixture
def nothing_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Simulate a machine without a server, and a process that has not started one."""
    monkeypatch.setattr("aiosqlc.servers.mysql.session.find_binaries", lambda: None)
    monkeypatch.setattr("aiosqlc.servers.mysql.session._warm._servers", {})
    return tmp_path


def _analysis(cache: Path, uri: str | None = None):
    sql = "-- name: Q :many\nSELECT id, bio FROM a;"
    return analysed(SCHEMA, sql, AnalyzeOptions(uri, cache))


def test_without_a_server_the_text_is_typed_and_the_output_says_so(
    nothing_installed, monkeypatch
) -> None:
    monkeypatch.delenv("CI", raising=False)
    analysis, (notice,) = _analysis(nothing_installed)
    assert [column.not_null for column in analysis.queries[0].columns] == [True, False]
    assert (notice.code, notice.severity) == ("E210", "warning")
    assert analysis.facts == (("path", "text alone"),)
    (query,) = analysis.queries
    claims = [*(column.reasons for column in query.columns), query.cardinality_reasons]
    assert all("without a server" in reasons[-1] for reasons in claims)
    assert not analysis.server_version  # so it is not remembered


def test_in_ci_the_server_is_demanded(nothing_installed, monkeypatch) -> None:
    monkeypatch.setenv("CI", "true")
    analysis, (notice,) = _analysis(nothing_installed)
    assert notice.severity == "error"
    assert not analysis.queries


def test_a_named_server_that_does_not_answer_is_an_error_without_the_password(tmp_path) -> None:
    _, (notice,) = _analysis(tmp_path, "mysql://me:hunter2@127.0.0.1:1/x")
    assert notice.severity == "error"
    assert "hunter2" not in notice.message


def test_on_a_named_server_nothing_stays_behind(mysql_server, tmp_path) -> None:
    url = mysql_server.create_empty("theirs")
    session = open_session(url, None)
    before = session.rows("SHOW DATABASES")
    analysis, problems = _analysis(tmp_path, url)
    assert [column.not_null for column in analysis.queries[0].columns] == [True, False]
    assert not problems
    assert session.rows("SHOW DATABASES") == before
    session.connection.close()


def test_a_schema_may_not_make_databases_on_a_named_server(mysql_server, tmp_path) -> None:
    url = mysql_server.create_empty("theirs")
    schema, _ = files("CREATE DATABASE other;", "")
    _, (problem,) = analyze([schema], [], AnalyzeOptions(url, tmp_path))
    assert problem.code == "E216"


def test_no_server_outlives_its_owner(mysql_cache: Path) -> None:
    binaries = private.find_binaries()
    assert binaries is not None
    server = private.PrivateServer(binaries, mysql_cache / "other")
    process = server._process
    assert process is not None
    server.stop()
    assert process.poll() is not None
    assert analyzer.type_one  # the module under test is the one that starts servers
