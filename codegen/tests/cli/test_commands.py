"""The commands from the user's view: exit codes, output, and written files."""

from __future__ import annotations

import json
import os
import pkgutil
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from aiosqlc.cli.main import main

COMMANDS = (
    "generate",
    "check",
    "explain",
    "vet",
    "verify",
    "watch",
    "init",
    "plugin",
    "selfcheck",
    "grants",
    "report",
)


def test_a_new_project_compiles_and_stays_up_to_date(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["generate", "-f", str(project)]) == 0
    assert sorted(path.name for path in (project / "store").glob("*.py")) == [
        "__init__.py",
        "executor.py",
        "models.py",
        "queries.py",
    ]
    assert main(["check", "-f", str(project)]) == 0
    capsys.readouterr()

    module = project / "store" / "queries.py"
    text = module.read_text()
    module.write_text(text.replace("Author", "Writer"))
    assert main(["check", "-f", str(project / "sqlc.yaml")]) == 1
    out, err = capsys.readouterr()
    assert "+from .models import Author" in out
    assert "1 generated file(s) are not up to date" in err
    assert main(["generate", "-f", str(project)]) == 0
    assert module.read_text() == text


def test_generate_lists_what_it_wrote_and_removed(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project.parent)
    assert main(["generate", "-f", project.name]) == 0
    err = capsys.readouterr().err.splitlines()
    assert f"wrote {project.name}/store/queries.py" in err
    assert err[-1] == f"wrote {project.name}/sqlc.lock.json"
    assert main(["generate", "-f", project.name]) == 0
    assert capsys.readouterr().err == ""
    (project / "queries" / "queries.sql").rename(project / "queries" / "people.sql")
    assert main(["generate", "-f", project.name]) == 0
    err = capsys.readouterr().err.splitlines()
    assert f"wrote {project.name}/store/people.py" in err
    assert f"removed {project.name}/store/queries.py" in err


def test_check_sees_a_stale_lock_only_if_that_is_requested(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["generate", "-f", str(project)]) == 0
    lock = project / "sqlc.lock.json"
    text = lock.read_text()
    check = ["check", "-f", str(project)]
    assert main([*check, "--lock"]) == 0
    for stale in (text.replace('"inputs":"', '"inputs":"0'), "", None):
        if stale is None:
            lock.unlink()
        else:
            lock.write_text(stale)
        assert main(check) == 0
        capsys.readouterr()
        assert main([*check, "--lock"]) == 1
        assert "sqlc.lock.json is not up to date; run `aiosqlc generate`" in capsys.readouterr().err
    assert main(["generate", "-f", str(project)]) == 0
    assert lock.read_text() == text


def test_a_new_dependency_in_pyproject_leaves_the_lock_current(project: Path) -> None:
    settings = project / "pyproject.toml"
    settings.write_text("[project]\ndependencies = []\n[tool.ruff]\nline-length = 90\n")
    assert main(["generate", "-f", str(project)]) == 0
    check = ["check", "--lock", "-f", str(project)]
    settings.write_text(settings.read_text().replace("[]", '["msgspec"]'))
    assert main(check) == 0
    settings.write_text(settings.read_text().replace("90", "70"))
    assert main(check) == 1


@pytest.mark.parametrize("driver", ["psycopg-sync", "pymysql"])
def test_a_project_may_start_on_another_driver(driver: str, tmp_path: Path) -> None:
    assert main(["init", str(tmp_path), "--driver", driver]) == 0
    assert f"driver: {driver}" in (tmp_path / "sqlc.yaml").read_text()
    assert main(["generate", "-f", str(tmp_path)]) == 0
    assert "\n\n\ndef add_author(" in (tmp_path / "store" / "queries.py").read_text()


def test_a_configuration_taken_over_gets_the_driver_where_it_is_the_engines(tmp_path: Path) -> None:
    other = "{engine: %s, schema: s, queries: q, gen: {go: {out: %s}}}"
    entries = [other % ("mysql", "m"), other % ("postgresql", "p")]
    (tmp_path / "sqlc.yaml").write_text(f"version: '2'\nsql: [{', '.join(entries)}]\n")
    assert main(["init", str(tmp_path), "--driver", "asyncmy"]) == 0
    made = yaml.safe_load((tmp_path / "sqlc.yaml").read_text())["sql"]
    drivers = {entry["engine"]: entry["gen"]["python"].get("driver") for entry in made}
    assert drivers == {"mysql": "asyncmy", "postgresql": None}


def test_a_mistake_is_shown_with_the_path_from_here(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "queries" / "more.sql").write_text("-- name: Bad :one\nSELECT nam FROM author;\n")
    monkeypatch.chdir(project.parent)
    assert main(["generate", "-f", project.name]) == 1
    _, err = capsys.readouterr()
    assert f"{project.name}/queries/more.sql:2:8" in err
    assert "column" in err
    assert not (project / "store").exists()


def test_an_existing_project_is_not_started_over(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (project / "sqlc.yaml").read_text()
    assert main(["init", str(project)]) == 1
    assert (project / "sqlc.yaml").read_text() == before
    assert "already exists: run `aiosqlc generate`\n" in capsys.readouterr().err


def test_a_project_may_start_from_a_database(tmp_path: Path, empty_database: str) -> None:
    import psycopg

    with psycopg.connect(empty_database) as connection:
        connection.execute("CREATE TABLE thing (id integer PRIMARY KEY, name text)")
    assert main(["init", str(tmp_path), "--database", empty_database]) == 0
    assert "CREATE TABLE public.thing" in (tmp_path / "migrations" / "0001_start.sql").read_text()
    assert main(["generate", "-f", str(tmp_path)]) == 0


def test_a_databases_password_is_in_no_argument(
    tmp_path: Path, empty_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from aiosqlc.servers.postgres import dump

    programs, seen = tmp_path / "programs", tmp_path / "arguments"
    programs.mkdir()
    wrapper = programs / "pg_dump"
    real = dump.binaries() / "pg_dump"
    wrapper.write_text(f'#!/bin/sh\necho "$PGPASSWORD" "$@" >{seen}\nexec {real} "$@"\n')
    wrapper.chmod(0o755)
    monkeypatch.setattr(dump, "binaries", lambda: programs)
    secret = urlsplit(empty_database).password
    assert secret
    assert main(["init", str(tmp_path / "new"), "--database", empty_database]) == 0
    password, _, arguments = seen.read_text().partition(" ")
    assert password == secret
    assert "--schema-only" in arguments
    assert secret not in arguments


def test_what_is_no_connection_string_is_said_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["init", str(tmp_path), "--database", "no such thing"]) == 1
    assert "`--database` is not a connection string" in capsys.readouterr().err


def test_a_line_break_in_a_files_name_stays_in_the_comment(project: Path) -> None:
    folder = project / "queries" / "x\nimport antigravity  #"
    folder.mkdir()
    (folder / "odd.sql").write_text("-- name: Odd :one\nSELECT 1 AS one;\n")
    config = project / "sqlc.yaml"
    text = config.read_text()
    config.write_text(text.replace("queries: queries", f"queries: {json.dumps(str(folder))}"))
    assert main(["generate", "-f", str(project)]) == 0
    lines = (project / "store" / "odd.py").read_text().splitlines()
    assert lines[0].startswith("# Generated ")
    assert "x\\nimport antigravity" in lines[0]
    assert not any(line.startswith("import antigravity") for line in lines)


def test_a_query_is_explained_with_reasons(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["explain", "-f", str(project), "queries.sql:GetAuthor"]) == 0
    text = capsys.readouterr().out
    assert "at most one row" in text
    assert "author_pkey" in text
    assert "name: text NOT NULL" in text
    assert "bio: text NULL" in text
    assert main(["explain", "-f", str(project), "GetAuthor", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["cardinality"] == "zero_or_one"
    assert document["columns"][2]["not_null"] is False
    assert main(["explain", "-f", str(project), "GetAuthr"]) == 1
    assert "did you mean `GetAuthor`?" in capsys.readouterr().err


def test_the_text_for_many_keys_is_explained_too(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    queries = next(path for path in project.rglob("*.sql") if "GetAuthor" in path.read_text())
    text = queries.read_text()
    assert "GetAuthor :one" in text
    queries.write_text(text.replace("GetAuthor :one", "GetAuthor :one :batchget"))
    assert main(["explain", "-f", str(project), "GetAuthor"]) == 0
    printed = capsys.readouterr().out
    assert re.search(r"many keys \(ids\):\n    SELECT .* = ANY \(\$1\)", printed)


def git(folder: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.org")
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


RELEASES = [
    ("CREATE INDEX ON author (name);", "name, bio)", "@name, @bio)", 0, "both orders"),
    # New code names every column of `SELECT *`, also the one that is not there yet.
    ("ALTER TABLE author ADD COLUMN born date;", "name, bio)", "@name, @bio)", 0, "migrate first"),
    ("ALTER TABLE author DROP COLUMN bio;", "name)", "@name)", 0, "deploy the code first"),
    (
        "ALTER TABLE author ADD COLUMN born date;",
        "name, born)",
        "@name, @born)",
        0,
        "migrate first",
    ),
    (
        "ALTER TABLE author RENAME COLUMN bio TO about;",
        "name, about)",
        "@name, @about)",
        1,
        "neither order is safe",
    ),
]


@pytest.mark.parametrize(("migration", "columns", "values", "code", "verdict"), RELEASES)
def test_verify_says_which_order_of_deploying_is_safe(
    migration: str,
    columns: str,
    values: str,
    code: int,
    verdict: str,
    project: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    git(project, "init", "-q")
    git(project, "add", ".")
    git(project, "commit", "-qm", "first")
    (project / "migrations" / "0002_next.sql").write_text(migration)
    queries = project / "queries" / "queries.sql"
    text = queries.read_text().replace("name, bio)", columns, 1)
    queries.write_text(text.replace("@name, @bio)", values, 1))
    assert main(["verify", "-f", str(project), "--against", "HEAD"]) == code
    assert capsys.readouterr().out.splitlines()[-1].startswith(verdict)
    assert main(["verify", "-f", str(project), "--against", "HEAD", "--json"]) == code
    assert json.loads(capsys.readouterr().out)["verdict"].startswith(verdict)


def test_verify_against_nothing_is_wrong_usage(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", "-f", str(project), "--against", "nowhere"]) == 2
    assert "cannot read nowhere" in capsys.readouterr().err


def test_watching_generates_again_after_a_change(project: Path) -> None:
    """This also holds for an engine that the configuration did not have when the watch began."""
    assert main(["init", str(project / "other"), "--driver", "pymysql"]) == 0
    command = [sys.executable, "-m", "aiosqlc", "watch", "-f", str(project)]
    log = project / "watch.log"
    with log.open("w") as stderr, subprocess.Popen(command, stderr=stderr) as process:
        try:
            wait_for(project / "store" / "queries.py", "get_author", process)
            with (project / "queries" / "queries.sql").open("a") as queries:
                queries.write("\n-- name: CountAuthors :one\nSELECT count(*) FROM author;\n")
            wait_for(project / "store" / "queries.py", "count_authors", process)
            document = yaml.safe_load((project / "sqlc.yaml").read_text())
            (more,) = yaml.safe_load((project / "other" / "sqlc.yaml").read_text())["sql"]
            more |= {name: f"other/{more[name]}" for name in ("schema", "queries")}
            more["gen"]["python"]["out"] = "other/store"
            document["sql"].append(more)
            (project / "sqlc.yaml").write_text(yaml.safe_dump(document))
            # A file is there before the line that names it.
            wait_for(log, "other/store/queries.py", process)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=90)
    assert process.returncode in {0, 130}
    said = log.read_text()
    written = [line.rpartition("/")[2] for line in said.splitlines() if line.startswith("wrote ")]
    assert written.count("queries.py") == 3


# A compiler with a fault: it fails if a query file ends with the word.
_FAULTY = """
import sys
import aiosqlc.cli.watch as watch
from aiosqlc.cli.main import main

build = watch.build

def faulty(project, *others, **options):
    for path in project.root.glob("queries/*.sql"):
        if "fault" in (last := path.read_text().splitlines()[-1]):
            raise KeyError(last)
    return build(project, *others, **options)

watch.build = faulty
sys.exit(main(sys.argv[1:]))
"""


def test_watching_goes_on_after_an_internal_error(project: Path) -> None:
    """Also if the error occurs before the watching begins."""
    queries, made = project / "queries" / "queries.sql", project / "store" / "queries.py"
    sound = queries.read_text()
    queries.write_text(f"{sound}-- first fault\n")
    command = [sys.executable, "-c", _FAULTY, "watch", "-f", str(project)]
    log = project / "watch.log"
    with log.open("w") as stderr, subprocess.Popen(command, stderr=stderr) as process:
        try:
            wait_for(log, "watching\n", process)
            queries.write_text(f"{sound}-- second fault\n")
            wait_for(log, "'-- second fault'", process)
            queries.write_text(f"{sound}\n-- name: CountAuthors :one\nSELECT 1 AS one;\n")
            wait_for(made, "count_authors", process)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=90)
    assert process.returncode in {0, 130}
    assert log.read_text().startswith(
        "internal error: KeyError: '-- first fault'\n"
        "This is a mistake of aiosqlc, not yours. Run again with `--verbose` and report it.\n"
        "watching\n"
    )


def wait_for(path: Path, text: str, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        if path.exists() and text in path.read_text():
            return
        assert process.poll() is None
        time.sleep(0.05)
    pytest.fail(f"{text} did not appear in {path}")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main([command, "--help"])
    assert left.value.code == 0
    assert command in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [["explain"], ["verify"], ["vet", "--format", "x"]])
def test_wrong_usage_is_two(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(arguments)
    assert left.value.code == 2


@pytest.mark.parametrize("command", [["generate"], ["check"], ["vet"], ["explain", "X"]])
def test_no_configuration_is_two(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(command) == 2


def test_a_configuration_that_is_not_there_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["generate", "-f", str(tmp_path / "nothing.yaml")]) != 0
    assert "error[E001]: no such configuration file" in capsys.readouterr().err


def test_our_own_mistakes_are_a_sentence_too(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        message = "out of order"
        raise RuntimeError(message)

    monkeypatch.setattr("aiosqlc.cli.generate.is_unchanged", broken)
    assert main(["generate", "-f", str(project)]) == 70
    err = capsys.readouterr().err
    assert "internal error: RuntimeError: out of order" in err
    assert "Traceback" not in err


BREAKS = {
    "analysis": ("aiosqlc.postgres.typed.QueryTyper.type_query", lambda *words: words[1].name),
    "plan": ("aiosqlc.plan.module.plan_function", lambda *words: words[0].parsed.name),
}


@pytest.mark.parametrize("stage", BREAKS)
def test_a_mistake_of_ours_names_its_query_and_hides_nothing_else(
    stage: str,
    project: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    target, name_of = BREAKS[stage]
    working = pkgutil.resolve_name(target)

    def breaking(*words: Any, **more: Any) -> Any:
        if name_of(*words) == "Odd":
            raise TypeError("lost")
        return working(*words, **more)

    monkeypatch.setattr(target, breaking)
    (project / "queries" / "more.sql").write_text(
        "-- name: Odd :many\n-- secret\nSELECT name FROM author WHERE bio = 'hush' AND id > 4711;\n"
        "-- name: Loose :one\nSELECT name FROM author;\n"
    )
    assert main(["generate", "-f", str(project), "--keep-going"]) == 70
    err = capsys.readouterr().err
    assert "E900" in err
    assert "internal error in Odd: TypeError: lost" in err
    assert "Loose is `:one`, but may return several rows" in err
    assert "aiosqlc report more.sql:Odd" in err
    assert "def get_author(" in (project / "store" / "queries.py").read_text()
    assert main(["report", "-f", str(project), "more.sql:Odd"]) == 0
    printed = capsys.readouterr().out
    assert "SELECT name FROM author WHERE bio = '…' AND id > 2" in printed
    assert "CREATE TABLE author (" in printed
    assert "TypeError at " in printed
    assert not any(word in printed for word in ("hush", "4711", "secret"))


def test_nothing_is_asked_of_a_server_that_cannot_start_when_the_lock_is_good(
    project: Path,
) -> None:
    command = [sys.executable, "-m", "aiosqlc", "generate", "-f", str(project)]
    subprocess.run(command, check=True)
    for path in (project / "store").glob("*.py"):
        path.unlink()
    broken = {**os.environ, "XDG_CACHE_HOME": "/dev/null", "AIOSQLC_CACHE_DIR": "/dev/null"}
    done = subprocess.run(command, env=broken, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (project / "store" / "queries.py").exists()
    (project / "sqlc.lock.json").unlink()
    done = subprocess.run(command, env=broken, capture_output=True, text=True, check=False)
    assert (done.returncode, "E210" in done.stderr) == (1, True)


PARTLY = """\
-- name: Whole :many
SELECT id FROM sound;

-- name: Wanting :many
SELECT b FROM hole;

-- name: Wrong :many
SELECT nam FROM sound;

-- name: AlsoWrong :many
SELECT nam FROM sound WHERE id > 1;

-- name: AllThree :exec
DELETE FROM hole;

-- name: Third :exec
DELETE FROM hole WHERE a = 1;
"""


@pytest.fixture
def own_project(project: Path) -> Path:
    """Return a project with a unique schema, because the process caches failures by schema."""
    (project / "migrations" / "0002_own.sql").write_text("-- nothing more")
    return project


@pytest.fixture
def partly(project: Path) -> Path:
    """Return a project in which one schema statement and two queries fail."""
    schema = "CREATE TABLE sound (id integer NOT NULL);\nCREATE TABLE hole (a integer, b nope);\n"
    (project / "migrations" / "0001_start.sql").write_text(schema)
    (project / "queries" / "queries.sql").write_text(PARTLY)
    return project


def test_what_compiles_is_written_where_that_is_asked_for(
    partly: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["generate", "-f", str(partly)]) == 1
    assert "nothing is written; `--keep-going` writes 1 of 6 queries" in capsys.readouterr().err
    assert not (partly / "store").exists()

    assert main(["generate", "--keep-going", "-f", str(partly)]) == 1
    assert "1 queries are written, 5 are not" in capsys.readouterr().err
    module = (partly / "store" / "queries.py").read_text()
    assert "async def whole" in module
    assert module.count("async def") == 1
    compile(module, "queries.py", "exec")


def test_the_report_is_the_same_either_way_and_has_each_cause_once_the_dearest_first(
    partly: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    printed = []
    for options in ([], ["--keep-going"]):
        main(["generate", *options, "-f", str(partly)])
        printed.append(capsys.readouterr().err.rpartition("errors\n")[0])
    assert printed[0] == printed[1]
    heads = [line for line in printed[0].splitlines() if line.startswith("error[")]
    assert heads == [
        'error[E201]: type "nope" does not exist',
        'error[E311]: column "nam" does not exist',
    ]
    assert (
        "3 queries do not compile because of this error: queries/queries.sql:Wanting" in printed[0]
    )
    assert "the same error in 1 more query: queries/queries.sql:AlsoWrong" in printed[0]


ONE_ID = " :many\nSELECT id FROM author;\n"
CLASHING = """\
-- name: Get :many
WITH id_row AS (SELECT id FROM author) SELECT sqlc.embed(id_row), 1 AS one FROM id_row;
-- name: GetId :many
SELECT id, 2 AS two FROM author;
"""  # both have a class GetIdRow


def test_names_that_clash_cost_only_the_queries_that_have_them(
    own_project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (own_project / "queries" / "queries.sql").write_text(f"{CLASHING}-- name: Good{ONE_ID}")
    assert main(["generate", "--keep-going", "-f", str(own_project)]) == 1
    assert "async def good" in (own_project / "store" / "queries.py").read_text()
    assert "2 queries are written, 1 are not" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("SELECT $$\n-- name: No :one\n$$, '\n-- name: Nor :one\n' AS b;", 1),
        ("/*\n-- name: Old :one\n*/\nSELECT 1 AS one;", 1),
        ("SELECT 'open;\n-- name: After :one\nSELECT 1;", 2),
    ],
)
def test_a_name_inside_a_string_counts_as_no_query(
    own_project: Path, capsys: pytest.CaptureFixture[str], text: str, left: int
) -> None:
    wrong = "-- name: Wrong :one\nSELECT nope;\n" if left == 1 else ""
    queries = f"-- name: Good{ONE_ID}{wrong}-- name: Text :one\n{text}"
    (own_project / "queries" / "queries.sql").write_text(queries)
    assert main(["generate", "--keep-going", "-f", str(own_project)]) == 1
    written = 2 if left == 1 else 1
    assert f"{written} queries are written, {left} are not" in capsys.readouterr().err


@pytest.mark.parametrize("text", [f"{CLASHING}-- name: Good{ONE_ID}", CLASHING])
def test_as_many_queries_are_promised_as_keeping_going_writes(
    own_project: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    (own_project / "queries" / "queries.sql").write_text(text)
    assert main(["generate", "-f", str(own_project)]) == 1
    promised = re.search(r"writes (\d+) of", capsys.readouterr().err)
    assert main(["generate", "--keep-going", "-f", str(own_project)]) == 1
    written = (own_project / "store" / "queries.py").read_text().count("async def")
    assert promised is not None
    assert int(promised[1]) == written == text.count("-- name") - 1
    assert f"{written} queries are written" in capsys.readouterr().err


def test_a_query_with_an_error_behind_its_semicolon_is_not_written(own_project: Path) -> None:
    text = "-- name: Two :many\nSELECT 1 AS a\n, @x::int AS b; -- :if x\n"
    text += "-- name: Good :many\nSELECT id FROM author;\n"
    (own_project / "queries" / "queries.sql").write_text(text)
    assert main(["generate", "--keep-going", "-f", str(own_project)]) == 1
    module = (own_project / "store" / "queries.py").read_text()
    assert re.findall(r"async def (\w+)", module) == ["good"]


def test_query_files_of_one_name_are_one_module(own_project: Path) -> None:
    """sqlc puts them into one Go file."""
    for folder in ("more", "most"):
        path = own_project / folder / "queries.sql"
        path.parent.mkdir()
        path.write_text(f"-- name: {folder} :many\nSELECT name FROM author;\n")
    config = own_project / "sqlc.yaml"
    config.write_text(config.read_text().replace("queries: queries", "queries: [more, most]"))
    assert main(["generate", "-f", str(own_project)]) == 0
    module = (own_project / "store" / "queries.py").read_text()
    assert re.findall(r"async def (\w+)", module) == ["more", "most"]
    assert main(["check", "-f", str(own_project)]) == 0


def test_of_two_entries_with_one_folder_the_first_is_written(
    own_project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (own_project / "other.sql").write_text("-- name: Other :many\nSELECT id FROM author;\n")
    config = own_project / "sqlc.yaml"
    entry = config.read_text().partition("sql:\n")[2]
    config.write_text(config.read_text() + entry.replace("queries: queries", "queries: other.sql"))
    assert main(["generate", "-f", str(own_project)]) == 1
    said = capsys.readouterr().err
    assert "two generated files would have the same path: store/executor.py, and 1 more" in said
    assert "combine the entries" in said
    promised = re.search(r"writes (\d+) of (\d+)", said)
    assert main(["generate", "--keep-going", "-f", str(own_project)]) == 1
    assert promised is not None
    assert f"{promised[1]} queries are written, 1 are not" in capsys.readouterr().err
    assert not (own_project / "store" / "other.py").exists()


def test_keeping_going_removes_nothing_that_was_generated_before(own_project: Path) -> None:
    more = own_project / "queries" / "more.sql"
    more.write_text("-- name: More :many\nSELECT name FROM author;\n")
    assert main(["generate", "-f", str(own_project)]) == 0
    more.write_text("-- name: More :many\nSELECT nam FROM author;\n")
    assert main(["generate", "--keep-going", "-f", str(own_project)]) == 1
    assert (own_project / "store" / "more.py").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "  generate "),
        (["genrate"], "there is no command `genrate`; did you mean `generate`?\n"),
        (["whatever"], "there is no command `whatever`; `aiosqlc --help` lists the commands\n"),
    ],
)
def test_who_does_not_know_the_commands_is_told_them(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    assert said in capsys.readouterr().err


def test_a_folder_without_configuration_says_how_to_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["generate"]) == 2
    said = capsys.readouterr().err
    assert "no sqlc.yaml, sqlc.yml or sqlc.json in this folder" in said
    assert "`aiosqlc init`" in said
