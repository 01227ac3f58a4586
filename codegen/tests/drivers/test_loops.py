"""`aiosqlc.loops` finds exactly the queries that a program calls in a loop."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.drivers.running import Engine

MANUAL = Path(__file__).parents[2] / "docs" / "loops.md"
HERE = Path(__file__).parents[1] / "loops"
SCHEMA = """
CREATE TABLE users (id int PRIMARY KEY, name text NOT NULL);
CREATE TABLE orders (id int PRIMARY KEY, user_id int NOT NULL REFERENCES users);
CREATE TABLE staff (id int PRIMARY KEY, name text NOT NULL);
"""
ROWS = "INSERT INTO users SELECT n, 'user ' || n FROM generate_series(1, 12) AS n; \
INSERT INTO staff SELECT id, name FROM users;"
QUERIES = """
-- name: GetStaff :one :batchget
SELECT * FROM staff WHERE id = @id;

-- name: GetUser :one :batchget
SELECT * FROM users WHERE id = @id;

-- name: ListOrders :many :batchget
SELECT id FROM orders WHERE user_id = @user_id ORDER BY id;

-- name: ListUsers :many
SELECT * FROM users WHERE id < 8 ORDER BY id;

-- name: WalkUsers :stream
SELECT * FROM users WHERE id < 8 ORDER BY id;

-- name: CountUsers :one
SELECT count(*) FROM users;

-- name: Rename :exec
UPDATE users SET name = @name WHERE id = @id;
"""
SETTINGS = """
[pytest]
addopts = -p pytest_asyncio.plugin -p aiosqlc.loops.plugin
asyncio_mode = auto
asyncio_default_fixture_loop_scope = function
"""


@pytest.fixture(scope="module")
def project(postgres: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A project with generated code, programs and their tests; `url` names its database."""
    folder = tmp_path_factory.mktemp("loops")
    texts = (SCHEMA, QUERIES)
    with (
        postgres.compiled(folder, ["asyncpg", "psycopg-sync"], texts=texts, named=False) as package,
        postgres.database(SCHEMA + ROWS) as url,
    ):
        (folder / package).rename(folder / "store")
        for name in ("looping.py", "straight.py", "web.py"):
            shutil.copy(HERE / name, folder / name)
        shutil.copy(HERE / "suite.txt", folder / "test_suite.py")
        shutil.copy(HERE / "web_suite.txt", folder / "test_web.py")
        (folder / "pytest.ini").write_text(SETTINGS)
        (folder / "url").write_text(url)
        yield folder


def run(project: Path, *words: str, settings: str = "") -> str:
    """Run the project's tests and return what pytest says."""
    (project / "pytest.ini").write_text(SETTINGS + settings)
    command = [sys.executable, "-m", "pytest", "-q", "-rA", "-p", "no:cacheprovider", *words]
    environment = os.environ | {
        "LOOPS_URL": (project / "url").read_text(),
        "COLUMNS": "300",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",  # other plugins take longer than these tests
    }
    done = subprocess.run(
        command, cwd=project, env=environment, capture_output=True, text=True, check=False
    )
    return done.stdout + done.stderr


def test_every_loop_is_found_and_nothing_else(project: Path) -> None:
    said = run(project, "test_suite.py")
    ended = re.findall(
        r"^(PASSED|FAILED) test_suite.py::test_program\[(\w+)-(\w+)\]", said, re.MULTILINE
    )
    wrong = [one for one in ended if one[0] != {"looping": "FAILED", "straight": "PASSED"}[one[1]]]
    assert not wrong, said
    counts = [sum(module == name for _, name, _ in ended) for module in ("looping", "straight")]
    assert min(counts) >= 20, said
    others = dict(re.findall(r"^(?:PASSED|FAILED) .*::(test_a_\w+)() ?", said, re.MULTILINE))
    assert len(others) == 7
    failed = set(re.findall(r"^FAILED .*::(test_a_\w+)", said, re.MULTILINE))
    assert failed == {
        "test_a_mark_allows_less_than_that",
        "test_a_failing_test_says_what_failed",
        "test_a_loop_on_uvloop",
    }
    assert said.count("PASSED test_suite.py::test_a_loop_on_uvloop") == 0
    assert "LookupError: the test's own" in said


def test_a_request_is_counted_alone_on_each_framework(project: Path) -> None:
    said = run(project, "test_web.py")
    ended = re.findall(r"^(PASSED|FAILED) test_web.py::(\w+)\[/(\w+)\]", said, re.MULTILINE)
    assert len(ended) == 8, said
    assert {(path, end) for end, _, path in ended} == {("one", "PASSED"), ("five", "FAILED")}, said
    assert said.count("GetUser is called 5 times from one place") >= 4


def test_the_failure_names_query_count_places_and_remedy(project: Path) -> None:
    said = run(
        project,
        "test_suite.py",
        "-k",
        "gathered_helper or writes or nested_rows or inside_a_stream",
    )
    assert "GetUser is called 5 times from one place (store.queries.get_user):" in said
    assert re.search(r"looping.py:\d+ in _name\n +.*looping.py:\d+ in gathered_helper", said)
    assert "call get_user_many(…, ids=…) once, which returns a dict, or use its loader" in said
    assert "ListOrders is called 7 times from one place" in said
    assert "write all rows with one statement: `:bulk`, `:copyfrom` or `:batchexec`" in said
    assert "3 calls are allowed: change `aiosqlc_loops` in pytest's configuration" in said


def test_the_count_of_a_recursion_includes_its_first_call(project: Path) -> None:
    said = run(project, "test_suite.py", "-k", "recursion_of_four or recursion_from_two_lines")
    counts = re.findall(r"^GetUser is called (\d) times from one place", said, re.MULTILINE)
    assert sorted(counts) == ["4", "4", "5"], said


def test_the_example_of_the_manual_fails_as_it_says(project: Path) -> None:
    code, said = re.findall(r"```(?:python|text)\n(.*?)```", MANUAL.read_text(), re.DOTALL)[:2]
    (project / "app").mkdir(exist_ok=True)
    (project / "app" / "report.py").write_text(f"from store import queries\n\n\n{code}")
    (project / "test_report.py").write_text(REPORT)
    printed = run(project, "test_report.py").replace(f"{project}/", "")
    assert said in printed


@pytest.mark.long
@pytest.mark.parametrize(
    ("settings", "found"),
    [
        ("aiosqlc_loops = 5", set()),
        ("aiosqlc_loops = 4", {"statement", "writes"}),
        ("aiosqlc_loops_allow = GetUser", {"writes"}),
        ("aiosqlc_loops_allow =\n    GetUser\n    Rename", set()),
    ],
)
def test_the_settings_say_how_often_and_what(project: Path, settings: str, found: set[str]) -> None:
    said = run(
        project, "test_suite.py", "-k", "looping-statement or looping-writes", settings=settings
    )
    assert set(re.findall(r"^FAILED .*\[looping-(\w+)\]", said, re.MULTILINE)) == found, said


def test_a_setting_that_is_no_number_is_an_error_of_usage(project: Path) -> None:
    said = run(project, "test_suite.py", settings="aiosqlc_loops = often")
    assert "ERROR: aiosqlc_loops must be a number, not 'often'" in said


@pytest.mark.parametrize(
    ("settings", "failed"),
    [("", {"jobs", "loop"}), ("aiosqlc_loops_callers = worker", {"loop"})],
)
def test_each_job_of_a_worker_is_counted_alone(
    project: Path, settings: str, failed: set[str]
) -> None:
    (project / "job.py").write_text(JOB)
    (project / "worker.py").write_text(WORKER)
    (project / "test_worker.py").write_text(JOBS)
    said = run(project, "test_worker.py", settings=settings)
    assert set(re.findall(r"^FAILED test_worker.py::test_(\w+)", said, re.MULTILINE)) == failed, (
        said
    )


def test_a_comment_with_a_reason_accepts_the_loop_at_its_place(project: Path) -> None:
    (project / "accepting.py").write_text(ACCEPTING)
    (project / "test_accepting.py").write_text(ACCEPTED)
    said = run(project, "test_accepting.py")
    ended = re.findall(
        r"^(PASSED|FAILED) test_accepting.py::test_loop\[(\w+)\]", said, re.MULTILINE
    )
    assert len(ended) == 7, said
    wrong = {name for end, name in ended if end != ("FAILED" if "reported" in name else "PASSED")}
    assert not wrong, said


ACCEPTING = """
import asyncio

from store import queries


async def at_the_call(db, keys):
    for key in keys:
        await queries.get_user(db, id=key)  # aiosqlc_loops: each user is asked alone


async def above_the_call(db, keys):
    for key in keys:
        # aiosqlc_loops: each user is asked alone, because the reason is
        # longer than a line.
        await queries.get_user(db, id=key)


async def at_an_outer_call(db, keys):
    for key in keys:
        await reported_alone(db, [key])  # aiosqlc_loops: each user is asked alone


async def at_gathered_tasks(db, keys):
    # aiosqlc_loops: each user is asked alone
    await asyncio.gather(*(reported_alone(db, [key]) for key in keys))


async def reported_alone(db, keys):
    for key in keys:
        await queries.get_user(db, id=key)


async def reported_without_a_reason(db, keys):
    for key in keys:
        await queries.get_user(db, id=key)  # aiosqlc_loops:


async def reported_at_another_call(db, keys):
    await queries.get_user(db, id=1)  # aiosqlc_loops: not this loop
    for key in keys:
        await queries.get_user(db, id=key)
"""
ACCEPTED = """
import os

import accepting
import asyncpg
import pytest

PROGRAMS = [name for name, value in vars(accepting).items() if hasattr(value, "__code__")]


@pytest.mark.parametrize("name", PROGRAMS)
async def test_loop(name):
    async with asyncpg.create_pool(os.environ["LOOPS_URL"], min_size=1, max_size=6) as pool:
        await getattr(accepting, name)(pool, [1, 2, 3, 4, 5])
"""
JOB = """
from store import queries


async def work(db, keys):
    for key in keys:
        await queries.get_user(db, id=key)
"""
WORKER = """
import job


async def run(db, jobs):
    for keys in jobs:
        await job.work(db, keys)
"""
JOBS = """
import os

import asyncpg
import pytest
import worker


@pytest.fixture
async def db():
    db = await asyncpg.connect(os.environ["LOOPS_URL"])
    yield db
    await db.close()


async def test_jobs(db):
    await worker.run(db, [[1], [2], [3], [4], [5]])


async def test_loop(db):
    await worker.run(db, [[1, 2, 3, 4, 5]])
"""
REPORT = """
import os

import asyncpg
from app import report


async def test_names():
    async with asyncpg.create_pool(os.environ["LOOPS_URL"], min_size=1, max_size=1) as pool:
        assert len(await report.names(pool, [1, 2, 3, 4, 5])) == 5
"""
PRODUCTION = """
import asyncio, os, sys
import asyncpg
from aiosqlc import loops

EARLY = "early" in sys.argv
if EARLY:
    import looping, straight
loops.install(lambda loop: print("found", loop, sep="\\n"), limit=4)
import looping, straight


async def request(program, db):
    with loops.watched():
        await program(db)


async def main():
    async with asyncpg.create_pool(os.environ["LOOPS_URL"], min_size=1, max_size=6) as pool:
        await looping.for_loop(pool)  # outside: nothing is counted
        for _ in range(9):
            await request(straight.once, pool)
        await asyncio.gather(*(request(straight.once, pool) for _ in range(9)))
        for program in (looping.gathered_helper, looping.statement, straight.different_lines):
            print(program.__name__)
            await request(program, pool)


asyncio.run(main())
"""


@pytest.mark.parametrize("when", ["late", pytest.param("early", marks=pytest.mark.long)])
def test_in_production_each_request_is_counted_alone(project: Path, when: str) -> None:
    (project / "production.py").write_text(PRODUCTION)
    command = [sys.executable, "production.py", when]
    environment = os.environ | {"LOOPS_URL": (project / "url").read_text()}
    done = subprocess.run(
        command, cwd=project, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert re.findall(r"^(?:found|[a-z_]+)$", done.stdout, re.MULTILINE) == [
        *("gathered_helper", "found", "statement", "found", "different_lines"),
    ]
    assert done.stdout.count("GetUser is called 5 times") == 2
