"""Guides are followed as written; every page with commands has a test, or a reason for none."""

from __future__ import annotations

import base64
import os
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from devstack.settings import ROOT
from devstack.testing.components import program
from tests.guide import copied, follow, with_environment
from tests.ops.test_docs import PAGES

LISTED = tomllib.loads((ROOT / "tests/ops/guides.toml").read_text())
BLOCK = re.compile(
    r"^(#+) (?P<heading>[^\n]+)$|^ *```(?P<kind>\w*)\n.*?^ *```$", re.MULTILINE | re.DOTALL
)
COMMANDS = ("", "sh", "bash", "console")


def with_commands() -> set[tuple[str, str]]:
    """Return the pages and headings that have a block of commands."""
    found = set()
    for page in PAGES:
        heading = ""
        for block in BLOCK.finditer(page.read_text(encoding="utf-8")):
            if block["heading"]:
                heading = block["heading"]
            elif block["kind"] in COMMANDS:
                found.add((page.relative_to(ROOT).as_posix(), heading))
    return found


def listed(page: str, heading: str) -> list[str]:
    """Return the entries of a page: for the whole page, for the heading, or for its folder."""
    names = (page, f"{page}#{heading}", page.rpartition("/")[0])
    return [name for part in LISTED.values() for name in part if name in names]


def test_every_page_with_commands_has_a_test_or_a_reason_for_none() -> None:
    found = with_commands()
    assert sorted(f"{page}#{heading}" for page, heading in found if not listed(page, heading)) == []
    used = [name for page, heading in found for name in listed(page, heading)]
    assert sorted({name for part in LISTED.values() for name in part} - set(used)) == []
    assert sorted(set(LISTED["executed"]) & set(LISTED["not-executed"])) == []


@pytest.mark.parametrize(("page", "test"), LISTED["executed"].items())
def test_the_test_of_a_page_names_it(page: str, test: str) -> None:
    assert Path(page.partition("#")[0]).name.removesuffix(".md") in (ROOT / test).read_text()


def test_the_commands_for_signing_keys_make_a_pair(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "keys.md").read_text()
    (commands,) = re.findall(r"^```\n(openssl genpkey .*?)^```$", page, re.MULTILINE | re.DOTALL)
    said = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", commands], cwd=tmp_path, check=True, capture_output=True
    ).stdout.split()
    private, public = map(base64.b64decode, said)
    made = Ed25519PrivateKey.from_private_bytes(private).public_key()
    assert made.public_bytes_raw() == public


@pytest.fixture
def copy() -> Iterator[Path]:
    """A copy of the repository that servers under another account can read."""
    with tempfile.TemporaryDirectory(prefix="guide-") as folder:
        Path(folder).chmod(0o755)
        yield with_environment(copied(Path(folder)))


@pytest.mark.long
@pytest.mark.timeout(1800)  # two compilations and tests on two engines, on a machine that is busy
def test_an_endpoint_and_a_column_are_added_as_the_page_says(copy: Path) -> None:
    program("mariadbd")
    follow(ROOT / "docs" / "add-an-endpoint.md", copy, seconds=900)
    for check in (
        ["tools.specs", "check"],
        ["tools.rendered", "check"],
        ["tools.grants", "check", "department"],
        ["aiosqlc", "check", "--lock", "-f", "sql/department/sqlc.yaml"],
        ["ruff", "format", "--check", "--quiet", "services", "tests"],
        ["ruff", "check", "--quiet", "services", "tests"],
        ["mypy", "services/department"],
    ):
        done = subprocess.run(
            [sys.executable, "-m", *check], cwd=copy, env={**os.environ, "PYTHONPATH": str(copy)},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
