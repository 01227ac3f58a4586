"""The page about databases for tests works as written."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pymysql
import pytest

from tests.projects import ran
from tests.servers.mysql import TestMysql, connect_arguments
from tests.servers.postgres import TestPostgres
from tests.servers.programs import program

PAGE = Path(__file__).resolve().parents[2] / "docs" / "test-databases.md"
PYTEST = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider")
ONE = "def test_one(aiosqlc_database):\n    assert aiosqlc_database\n"
OWN = """\
import pytest

@pytest.fixture(scope="session")
def aiosqlc_template():
    return "host=x"

"""
FAILS = """\
import os
from urllib.parse import urlsplit
import pymysql

def opened(url):
    parts = urlsplit(url)
    account = {"user": parts.username, "password": parts.password, "database": parts.path[1:]}
    return pymysql.connect(host=parts.hostname, port=parts.port, **account)

def test_fails(aiosqlc_database):
    db = opened(aiosqlc_database)
    db.cursor().execute("INSERT INTO t VALUES (1)")
    db.commit()
    db.cursor().execute("UPDATE t SET id = 2")
    ENDS

def test_after(aiosqlc_database):
    cursor = opened(aiosqlc_database).cursor()
    assert cursor.execute("SELECT * FROM t") == 0
    assert cursor.execute("SHOW TABLES") == 1
"""


def _blocks(kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", PAGE.read_text(), re.DOTALL)


def test_the_command_of_the_page_runs_its_tests(project: Path) -> None:
    (project / "test_authors.py").write_text(_blocks("python")[0])
    (project / "pyproject.toml").write_text(_blocks("toml")[0])
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = ran(
        "bash", "-ec", _blocks("sh")[0], cwd=project, env={**os.environ, "PATH": path}
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 passed" in done.stdout


def test_the_commands_for_mysql_run_their_tests(tmp_path: Path) -> None:
    program("mariadbd", "mysqld")
    schema, queries = _blocks("sql")
    files = {
        "sqlc.yaml": _blocks("yaml")[0],
        "schema.sql": schema,
        "queries.sql": queries,
        "test_authors.py": _blocks("python")[2],
        "pyproject.toml": _blocks("toml")[0],
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environ = {**os.environ, "PATH": path}
    done = ran("bash", "-ec", _blocks("sh")[1], cwd=tmp_path, env=environ)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 passed" in done.stdout


@pytest.mark.parametrize(
    ("ends", "first", "second"),
    [("assert False", "1 failed, 1 passed", "1 passed"), ("os._exit(3)", "", "1 passed")],
)
def test_a_mysql_test_that_fails_or_is_killed_leaves_nothing(
    ends: str, first: str, second: str, mysql_server: TestMysql, tmp_path: Path
) -> None:
    template = mysql_server.create_empty("tpl")
    with pymysql.connect(**connect_arguments(template)) as db, db.cursor() as cursor:
        cursor.execute("CREATE TABLE t (id int)")
    (tmp_path / "test_it.py").write_text(FAILS.replace("ENDS", ends))
    environ = {**os.environ, "DATABASE_URL": template, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    command = (*PYTEST, "-p", "aiosqlc.testing.plugin")
    assert first in ran(*command, cwd=tmp_path, env=environ).stdout
    assert second in ran(*command, "-k", "after", cwd=tmp_path, env=environ).stdout


def test_the_class_works_without_pytest(postgres_server: TestPostgres) -> None:
    template = postgres_server.create_empty("tpl")
    program = _blocks("python")[1]
    given = "postgresql://postgres@localhost/template_of_tests"
    assert given in program
    exec(program.replace(given, template), {})


def test_the_plugin_reports_a_template_that_it_cannot_use(tmp_path: Path) -> None:
    (tmp_path / "test_default.py").write_text(ONE)
    (tmp_path / "test_own.py").write_text(f"{OWN}{ONE}")
    environ = {**os.environ, "DATABASE_URL": "", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = ran(*PYTEST, "-p", "aiosqlc.testing.plugin", cwd=tmp_path, env=environ)
    assert "2 errors" in done.stdout
    assert "DATABASE_URL is not set: run `aiosqlc serve -- python -m pytest`" in done.stdout
    assert "the template is not a URL such as postgresql://host/database" in done.stdout
    assert "Traceback" not in done.stdout
