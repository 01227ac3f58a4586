"""A new project from this repository: `make start-project` names it, in a copy."""

from __future__ import annotations

import json
import re
import subprocess
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.guide import copied
from tests.tools.in_a_copy import digests, done, run, stack


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy that every test leaves unchanged."""
    return copied(tmp_path_factory.mktemp("copy"))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["Acme"], "'Acme' is not a valid project name: use 2 to 20 of a-z and 0-9"),
        (["acme-shop"], "'acme-shop' is not a valid project name"),
        ([""], "'' is not a valid project name"),
        (["user"], "user is the name of a service: choose another name"),
        (["gateway"], "gateway is already used as a word in "),
        (["marketplace"], "marketplace is already the name of the project"),
        (["acme", "--holder", "A\nB"], "holder= must be one line of 2 to 100 characters"),
        (["acme", "--apply", "yes"], "apply=yes is neither 0 nor 1"),
    ],
)
def test_a_name_that_cannot_be_is_refused_in_one_sentence(
    untouched: Path, arguments: list[str], said: str
) -> None:
    refused = run(untouched, "tools.scaffold", "start", *arguments)
    assert refused.returncode == 1
    assert refused.stderr.startswith(said)
    assert len(refused.stderr.splitlines()) == 1


def test_without_apply_it_says_which_files_would_change_and_changes_none(untouched: Path) -> None:
    before = digests(untouched)
    said = done(untouched, "tools.scaffold", "start", "acme")
    assert "  pyproject.toml: 1 occurrence\n" in said
    assert "dashboards/marketplace.yml: 2 occurrences, and the file is renamed\n" in said
    assert "nothing was changed" in said
    assert digests(untouched) == before


def git(root: Path, *words: str) -> str:
    named = ("-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "core.hooksPath=")
    return subprocess.run(
        ["git", *named, *words], cwd=root, check=True, capture_output=True, text=True
    ).stdout


@pytest.mark.long
@pytest.mark.timeout(1800)  # all pages and a whole platform, on a machine that may be busy
def test_the_project_has_its_name_runs_and_takes_later_fixes(tmp_path: Path, run_dir: Path) -> None:
    copy = copied(tmp_path / "copy")
    git(copy, "init", "-q", "-b", "upstream")
    git(copy, "add", "--all")
    git(copy, "commit", "-q", "-m", "base")
    git(copy, "checkout", "-q", "-b", "main")
    done(copy, "tools.scaffold", "start", "acme", "--holder", "Acme Ltd", "--apply", "1")

    # Not the API documents: their version is that of the package, which make setup installs.
    for check in (
        ["tools.rendered", "check"],
        ["ruff", "format", "--check", "--quiet", "."],
        ["ruff", "check", "--quiet", "."],
        [
            "pytest", "-n0", "-q", "tests/ops/test_network_policies.py",
            "tests/ops/test_deployment.py", "tests/observability/test_grafana.py",
        ],
    ):  # fmt: skip
        done(copy, *check)
    old = re.compile(r"(?<!order/)marketplace(/service|/gateway|-[a-z]|\.example)", re.IGNORECASE)
    listed = git(copy, "ls-files", "--cached", "--others", "--exclude-standard").splitlines()
    left = [name for name in listed if (copy / name).is_file() and not name.startswith("codegen/")
            and old.search((copy / name).read_text(errors="replace"))]  # fmt: skip
    assert left == []
    assert (copy / "README.md").read_text().startswith("# Acme platform\n")
    assert "Acme Ltd" in (copy / "NOTICE").read_text()
    assert (copy / "LICENSE").read_text() == (Path(__file__).parents[2] / "LICENSE").read_text()

    git(copy, "add", "--all")
    git(copy, "commit", "-q", "-m", "acme")
    git(copy, "checkout", "-q", "upstream")
    fixed = copy / "lib" / "clock.py"
    fixed.write_text(fixed.read_text() + "# A later fix.\n")
    git(copy, "commit", "-q", "--all", "-m", "fix")
    git(copy, "checkout", "-q", "main")
    git(copy, "merge", "-q", "--no-edit", "upstream")
    assert fixed.read_text().endswith("# A later fix.\n")

    with stack(copy, run_dir) as url:
        password = (run_dir / "secrets" / "demo_admin").read_text().strip()
        signed = _post(f"{url}/api/users/v1/auth/login",
                       {"email": "admin@example.com", "password": password})  # fmt: skip
        made = _post(f"{url}/api/users/v1/auth/totp", {}, signed["access_token"])
    assert "issuer=Acme" in made["uri"]


def _post(url: str, body: dict[str, str], token: str = "") -> Any:
    headers = {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    asked = urllib.request.Request(url, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(asked) as answer:
        return json.load(answer)["data"]
