"""The page about databases for tests works as written."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from tests.projects import ran
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
