"""The typed clients can be generated, and the programs of docs/clients.md work with them."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from devstack.settings import ROOT
from devstack.testing.components import program
from tests.e2e.conftest import Stack
from tools import clients

PAGE = (ROOT / "docs" / "clients.md").read_text()
SECONDS = 300


def shown(language: str) -> tuple[str, str]:
    """Return the page's program in a language, and its printed output."""
    found = re.search(
        rf"^```{language}\n(.*?)^```\n```text\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL
    )
    assert found is not None
    return found[1], found[2]


@pytest.fixture
def environ(stack: Stack) -> dict[str, str]:
    password = (stack.secrets / "demo_admin").read_text()
    return {**stack.environ, "GATEWAY": stack.url, "ADMIN_PASSWORD": password}


def run(*command: str | Path, environ: dict[str, str], cwd: Path) -> str:
    done = subprocess.run(
        command, env=environ, cwd=cwd, capture_output=True, text=True, check=False, timeout=SECONDS
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.timeout(SECONDS * 2)
def test_the_typescript_program_of_the_page_is_typed_and_prints_what_the_page_shows(environ):
    program("npm")
    text, printed = shown("ts")
    clients.generate_typescript()
    (clients.TYPESCRIPT / "src" / "page.ts").write_text(text)
    clients.check_typescript()
    node = program("node")
    assert run(node, "out/page.js", environ=environ, cwd=clients.TYPESCRIPT) == printed


@pytest.mark.timeout(SECONDS * 2)
def test_the_python_program_of_the_page_is_typed_and_prints_what_the_page_shows(environ):
    text, printed = shown("python")
    clients.generate_python()
    page = clients.PYTHON / "page.py"
    page.write_text(text)
    clients.check_python(page)
    assert run(clients.python(), page, environ=environ, cwd=clients.PYTHON) == printed
