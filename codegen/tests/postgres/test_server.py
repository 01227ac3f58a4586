"""The embedded server: private to a run, stopped after it, and its data used again."""

from __future__ import annotations

import contextlib
import importlib.util
import itertools
import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiosqlc.cli.main import main
from aiosqlc.ir import AnalyzeOptions
from aiosqlc.postgres import Analyzer, analyze, schema_order
from aiosqlc.servers.postgres import databases, embedded
from aiosqlc.servers.postgres.connection import Connection, ConnectionFailedError, ServerError
from aiosqlc.servers.postgres.databases import new_database, new_draft
from aiosqlc.servers.postgres.embedded import Server, binaries, embedded_server
from aiosqlc.servers.wheels import WHEELS

from tests.postgres.asking import query, schema_file

MODULE = sys.modules[Analyzer.__module__]


@pytest.fixture
def cache() -> Iterator[Path]:
    """A cache folder that the server's account can read, for every user who runs the tests."""
    with tempfile.TemporaryDirectory(prefix="aiosqlc-test-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder) / "cache"


def _answers(server: Server, database: str = "postgres") -> bool:
    try:
        Connection(server.conninfo(database)).close()
    except ConnectionFailedError:
        return False
    return True


def test_two_runs_at_once_have_a_server_each(cache: Path) -> None:
    with embedded_server(cache) as one, embedded_server(cache) as two:
        assert one.base != two.base
        assert _answers(one)
        assert _answers(two)


def test_nothing_is_left_running(cache: Path) -> None:
    with embedded_server(cache) as server:
        data = cache / "postgres-18" / "slot-0" / "data"
        assert (data / "postmaster.pid").exists()
    assert not _answers(server)
    assert not (data / "postmaster.pid").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's help is Linux's")
def test_a_killed_compiler_takes_its_server_along(cache: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path\n"
        "from aiosqlc.servers.postgres.embedded import embedded_server\n"
        "with embedded_server(Path(sys.argv[1])) as s: print(s.base, flush=True); time.sleep(60)"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", script, str(cache)], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    server = Server(child.stdout.readline().strip(), embedded=True)
    assert _answers(server)
    child.send_signal(signal.SIGKILL)
    child.wait()
    deadline = time.monotonic() + 60
    while _answers(server) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not _answers(server)
    with embedded_server(cache) as again:  # and the slot is as good as new
        assert _answers(again)


def test_a_long_cache_path_is_no_obstacle_and_opens_the_socket_to_nobody_else(cache: Path) -> None:
    with embedded_server(cache / ("long" * 30)) as server:
        assert _answers(server)
        socket = Path(server.base.removeprefix("host=").split(" ", 1)[0])
        assert stat.S_IMODE(socket.stat().st_mode) == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's server runs as another account")
def test_a_folder_closed_to_the_servers_account_stays_closed_and_is_named(cache: Path) -> None:
    closed = cache.parent / "closed"
    closed.mkdir(mode=0o700)
    _, (problem,) = analyze([schema_file("select 1")], [], AnalyzeOptions(cache_dir=closed / "in"))
    assert problem.code == "E210"
    assert f"{closed} is not accessible to the account 'pgserver'" in problem.message
    assert "AIOSQLC_CACHE_DIR" in problem.message
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's server runs as another account")
def test_processes_that_start_together_create_one_account() -> None:
    name = f"aiosqlc-{os.getpid()}"
    code = f"""
from aiosqlc.servers.postgres.account import server_account
input()
print(server_account({name!r}).uid)
"""
    start = [sys.executable, "-c", code]
    with contextlib.ExitStack() as open_processes:
        processes = [
            open_processes.enter_context(
                subprocess.Popen(start, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            )
            for _ in range(6)
        ]
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("\n")
            process.stdin.flush()
        answers = {process.communicate()[0] for process in processes}
    try:
        assert answers == {f"{pwd.getpwnam(name).pw_uid}\n"}
    finally:
        subprocess.run(["userdel", name], check=True, capture_output=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's server runs as another account")
def test_programs_below_a_closed_folder_run_from_a_copy(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = cache.parent / "closed"
    closed.mkdir(mode=0o700)
    installed = binaries().parent
    package = installed.parent
    for folder in (installed, package.with_name(f"{package.name}.libs")):
        if folder.exists():
            target = closed / folder.relative_to(package.parent)
            shutil.copytree(folder, target)
    hidden = closed / package.name / installed.name / "bin"
    monkeypatch.setattr(embedded, "binaries", lambda _major: hidden)
    for _ in range(2):  # the copy is made once
        with embedded_server(cache) as server:
            assert _answers(server)
    assert len(list((cache / "postgres-18").glob("programs-*"))) == 1
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700


def test_where_nothing_private_can_run_the_embedded_server_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "fcntl", None)  # as on Windows
    monkeypatch.delattr(os, "geteuid")
    monkeypatch.delenv("AIOSQLC_CACHE_DIR", raising=False)
    _, (problem,) = analyze([schema_file("select 1")], [], AnalyzeOptions())
    assert (problem.code, "needs Linux or macOS" in problem.message) == ("E210", True)
    assert "database.uri" in problem.hint


@pytest.mark.parametrize(
    ("abi", "said"),
    [
        ("cpython-313-x86_64-linux-gnu", "pip install 'aiosqlc[postgres]'"),
        ("cpython-313-x86_64-linux-musl", "such as Alpine: use `database.uri`"),
    ],
)
def test_where_no_embedded_server_is_installed_it_is_said_what_to_install(
    abi: str,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util,
        "find_spec",
        lambda name: None if name in {wheel.package for wheel in WHEELS} else find(name),
    )
    monkeypatch.setattr(sysconfig, "get_config_var", lambda _name: abi)
    _, (problem,) = analyze([schema_file("select 1")], [], AnalyzeOptions())
    assert (problem.code, said in problem.message) == ("E210", True)
    assert main(["init", str(tmp_path), "--database", "postgresql://127.0.0.1:1/x"]) == 1
    assert said in capsys.readouterr().err


def test_a_broken_data_directory_is_made_again(cache: Path) -> None:
    data = cache / "postgres-18" / "slot-0" / "data"
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("nonsense")
    with embedded_server(cache) as server:
        assert _answers(server)


def test_without_a_server_there_is_a_finding_and_no_traceback(tmp_path: Path) -> None:
    options = AnalyzeOptions(database_uri="host=/nowhere dbname=x")
    _, (problem,) = analyze([schema_file("create table t ()")], [], options)
    assert (problem.code, "remove `database`" in problem.hint) == ("E210", True)
    blocked = tmp_path / "file"
    blocked.write_text("")
    _, (problem,) = analyze([], [], AnalyzeOptions(cache_dir=blocked))
    assert (problem.code, "database.uri" in problem.hint) == ("E210", True)


@pytest.mark.parametrize("uri", ["not a uri", "mysql://host/name", "postgresql://127.0.0.1:1/x"])
def test_a_server_that_cannot_be_one_is_a_finding(uri: str) -> None:
    _, (problem,) = analyze([schema_file("select 1")], [], AnalyzeOptions(database_uri=uri))
    assert problem.code == "E210"
    assert "postgresql://" in problem.hint


def test_a_cache_that_is_not_ours_is_a_finding(cache: Path) -> None:
    slot = cache / "postgres-18" / "slot-0"
    slot.parent.mkdir(parents=True)
    slot.touch()  # as little of use as another account's folder
    _, (problem,) = analyze([schema_file("select 1")], [], AnalyzeOptions(cache_dir=cache))
    assert problem.code == "E210"
    assert "AIOSQLC_CACHE_DIR" in problem.message


def test_a_schema_is_applied_once(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    options = AnalyzeOptions(cache_dir=cache)
    schema = [schema_file("create table once (id int)")]
    assert analyze(schema, [query("select id from once")], options)[1] == ()
    monkeypatch.setattr(schema_order, "apply_schema", None)
    assert analyze(schema, [query("select id from once")], options)[1] == ()


def test_a_broken_schema_leaves_no_database(cache: Path) -> None:
    options = AnalyzeOptions(cache_dir=cache)
    analyze([schema_file("create table t (id nope)")], [], options)
    with embedded_server(cache) as server, Connection(server.admin) as admin:
        assert admin.rows("select datname from pg_database where datname like 'aiosqlc%'") == []


def test_only_the_databases_used_last_are_kept(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(databases, "_KEPT", 2)
    for number in range(4):
        analyze([schema_file(f"create table t{number} ()")], [], AnalyzeOptions(cache_dir=cache))
    with embedded_server(cache) as server, Connection(server.admin) as admin:
        kept = admin.rows("select datname from pg_database where datname like 'aiosqlc%'")
    assert len(kept) == 2


def test_of_databases_made_in_one_second_the_newest_is_kept(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(databases, "_KEPT", 2)
    second = itertools.count(0, 0.001)
    monkeypatch.setattr(databases.time, "time", lambda: 1_800_000_000.001 + next(second))
    with embedded_server(cache) as server:
        for letter in "fedcba":  # whichever the server lists first
            with new_database(server) as draft:
                draft.keep(name := f"aiosqlc_{letter * 32}")
            assert name in _databases(server)


def test_compilers_of_several_machines_do_not_take_each_others_drafts(cache: Path) -> None:
    # In containers they may well have the same process id; here, they do.
    with embedded_server(cache) as server:
        with new_database(server) as one:
            with new_database(server) as two:
                two.keep("aiosqlc_two")
            one.keep("aiosqlc_one")
        assert {"aiosqlc_one", "aiosqlc_two"} <= _databases(server)


def test_a_draft_that_was_abandoned_is_dropped_and_one_in_the_making_is_not(cache: Path) -> None:
    with embedded_server(cache) as server, Connection(server.admin) as admin:
        abandoned, young = new_draft(admin), new_draft(admin)
        admin.run(f"comment on database \"{abandoned}\" is '{time.time() - 3700:.0f}'")
        with new_database(server) as draft:
            draft.keep("aiosqlc_one")
        assert abandoned not in _databases(server)
        assert young in _databases(server)


def test_a_database_that_only_sounds_like_ours_is_not_dropped(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(databases, "_KEPT", 0)
    theirs = {"aiosqlc_production", "aiosqlc_draft_of_mine", f"aiosqlc_{'0' * 32}"}
    with embedded_server(cache) as server, Connection(server.admin) as admin:
        for name in theirs:
            admin.run(f'create database "{name}"')
        admin.run("comment on database aiosqlc_production is '1'")
        with new_database(server) as draft:
            draft.keep(f"aiosqlc_{'a' * 32}")
        assert theirs <= _databases(server)
        assert f"aiosqlc_{'a' * 32}" not in _databases(server)


def _databases(server: Server) -> set[str]:
    with Connection(server.admin) as admin:
        return {str(name) for (name,) in admin.rows("select datname from pg_database")}


def test_a_given_server_is_asked_instead(cache: Path) -> None:
    with embedded_server(cache) as server:
        options = AnalyzeOptions(database_uri=server.conninfo("postgres"))
        schema = [schema_file("create table given (id int not null)")]
        analysis, problems = analyze(schema, [query("select id from given")], options)
        assert problems == ()
        assert analysis.queries[0].columns[0].not_null
        with Connection(server.admin) as admin:  # nor does it touch the user's own database
            assert admin.rows("select 1 from pg_class where relname = 'given'") == []
            admin.run("create table there (id int not null)")
        analysis, problems = analyze([], [query("select id from there")], options)
        assert problems == ()
        assert analysis.catalog.tables[0].name == "there"


def test_a_server_that_is_too_old_is_an_error(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MODULE, "_OLDEST_SERVER", 99)
    _, (problem,) = analyze([schema_file("select 1")], [], AnalyzeOptions(cache_dir=cache))
    assert problem.code == "E211"


def test_a_role_that_may_make_no_database_is_told_so(cache: Path) -> None:
    with embedded_server(cache) as server:
        with Connection(server.admin) as admin:
            assert admin.run("create role reader login") is None
        uri = server.conninfo("postgres").replace("user=postgres", "user=reader")
        _, (problem,) = analyze([schema_file("select 1")], [], AnalyzeOptions(database_uri=uri))
    assert problem.code == "E212"
    assert "CREATEDB" in problem.hint


def test_an_older_server_is_understood(cache: Path) -> None:
    """PostgreSQL 16 has no group entries: omitted keys of grouping sets are found otherwise."""
    binaries(16)
    schema = [schema_file("create table t (id int primary key, k text not null, v int, j jsonb)")]
    asked = {
        "select k from t group by rollup (k)": [False],
        "select upper(k) from t group by cube (upper(k))": [False],
        "select k, count(*) from t group by k": [True, True],
        "select upper(k) from t where upper(k) is not null group by rollup (k)": [False],
        "select upper(k) from t where upper(k) is not null group by k": [True],
        "select k from t where k is not null group by rollup (k)": [False],
        "select t.k, x.v from t left join t x on x.id = t.v": [True, False],
        "select v from t where v > 1": [True],
        "select k from t group by k having k is not null": [True],
    }
    with embedded_server(cache, major=16) as server:
        options = AnalyzeOptions(database_uri=server.conninfo("postgres"))
        queries = [query(sql, f"Q{n}") for n, sql in enumerate(asked)]
        analysis, problems = analyze(schema, queries, options)
    assert problems == ()
    assert analysis.server_version.startswith("16.")
    for typed in analysis.queries:
        assert [c.not_null for c in typed.columns] == asked[typed.parsed.sql], typed.parsed.sql


def test_a_warm_analyser_answers_without_reading_the_schema_again(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    schema = [schema_file("create table warm (id int not null)")]
    options = AnalyzeOptions(cache_dir=cache)
    with Analyzer() as analyzer:
        assert analyzer.analyze(schema, [query("select id from warm")], options)[1] == ()
        monkeypatch.setattr(MODULE, "load_facts", None)
        _, (problem,) = analyzer.analyze(schema, [query("select i from warm")], options)
        assert problem.code == "E311"
        analysis, _ = analyzer.analyze(schema, [query("select id from warm")], options)
        assert analysis.queries[0].columns[0].not_null


def test_a_draft_is_named_when_its_last_connection_ends_late(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with embedded_server(cache) as server, databases.new_database(server) as draft:
        late = Connection(draft.conninfo)
        run = Connection.run

        def busy_at_first(connection: Connection, sql: str) -> ServerError | None:
            answer = run(connection, sql)
            if answer is not None and answer.state == "55006":
                late.close()  # not before the server has waited its five seconds
            return answer

        monkeypatch.setattr(Connection, "run", busy_at_first)
        draft.keep("aiosqlc_late")
        assert _answers(server, "aiosqlc_late")


SHARED = """
-- what all databases of a server share
drop /* whatever */ database victim;
drop role writer;
alter role reader superuser;
create user owner with login superuser password 'x';
create table mine (id int not null);
alter table mine owner to owner;
"""


@pytest.mark.parametrize("transactional", [True, False])
def test_a_schema_changes_nothing_that_a_named_servers_databases_share(
    cache: Path, transactional: bool
) -> None:
    roles = "select rolname, rolcanlogin, rolsuper from pg_roles where not rolname ~ '^pg_'"
    with embedded_server(cache) as server:
        with Connection(server.admin) as admin:
            for sql in ("create database victim", "create role reader", "create role writer login"):
                assert admin.run(sql) is None
        options = AnalyzeOptions(database_uri=server.conninfo("postgres"))
        schema = [schema_file(SHARED, transactional=transactional)]
        analysis, problems = analyze(schema, [query("select id from mine")], options)
        assert problems == ()
        assert analysis.queries[0].columns[0].not_null
        assert _answers(server, "victim")
        with Connection(server.admin) as admin:
            found = {str(name): flags for name, *flags in admin.rows(roles)}
    assert found["writer"] == ["t", "f"]
    assert found["reader"] == ["f", "f"]
    assert found["owner"] == ["f", "f"]
