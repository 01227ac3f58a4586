"""The first page: its query compiles to its function, and mypy prints its error."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from tests.projects import ran

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"```\w+\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project that the page writes."""
    folder = tmp_path_factory.mktemp("shop")
    _, migration, query, _, program, _ = BLOCKS
    assert ran(sys.executable, "-m", "aiosqlc", "init", cwd=folder).returncode == 0
    (folder / "migrations" / "0002_book.sql").write_text(migration)
    with (folder / "queries" / "queries.sql").open("a") as file:
        file.write(f"\n{query}")
    (folder / "main.py").write_text(program)
    done = ran(sys.executable, "-m", "aiosqlc", "generate", cwd=folder, timeout=120)
    assert done.returncode == 0, done.stderr
    return folder


def test_site_and_readme_are_one_text() -> None:
    site = (ROOT / "docs" / "README.md").read_text()
    assert site == PAGE.replace("](docs/", "](").replace("](editors/", "](../editors/")


def test_function_is_the_one_that_the_query_compiles_to(shop: Path) -> None:
    assert BLOCKS[3].strip() in (shop / "store" / "queries.py").read_text()


def test_mypy_reports_the_missing_title(shop: Path) -> None:
    done = ran(sys.executable, "-m", "mypy", "--strict", "main.py", cwd=shop, timeout=120)
    assert BLOCKS[5].strip() in done.stdout


def test_explain_gives_the_reason_that_the_page_quotes(shop: Path) -> None:
    done = ran(sys.executable, "-m", "aiosqlc", "explain", "ListTitles", cwd=shop, timeout=120)
    quoted = re.search(r"gives the reason: `([^`]+)`", PAGE)
    assert quoted
    assert " ".join(quoted[1].split()) in done.stdout
