"""The parts of a release: one version, a heading in the changelog, and a start by an owner."""

from __future__ import annotations

import os
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
VERSION = tomllib.loads((ROOT / "codegen/pyproject.toml").read_text("utf-8"))["project"]["version"]


def release(version: str, folder: Path, changelog: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "CHANGELOG": str(changelog)}
    command = [ROOT / ".ci/release", version, folder]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("version", "heading", "said"),
    [
        ("9.9.9", "## [9.9.9] - 2030-01-01", f"has version {VERSION}, not 9.9.9"),
        (VERSION, "## Unreleased", f"has no heading for {VERSION}"),
        (VERSION, f"## {VERSION}1", f"has no heading for {VERSION}"),
    ],
    ids=["another version", "not in the changelog", "a longer version in the changelog"],
)
def test_nothing_is_built_of(tmp_path: Path, version: str, heading: str, said: str) -> None:
    changelog = tmp_path / "CHANGELOG.md"
    changelog.write_text(f"# Changelog\n\n{heading}\n")
    done = release(version, tmp_path / "dist", changelog)
    assert done.returncode == 1
    assert said in done.stderr
    assert not (tmp_path / "dist").exists()


def test_a_release_is_a_wheel_and_an_sdist_of_that_version(tmp_path: Path) -> None:
    changelog = tmp_path / "CHANGELOG.md"
    changelog.write_text(f"# Changelog\n\n## {VERSION} - 2030-01-01\n")
    done = release(VERSION, tmp_path / "dist", changelog)
    assert done.returncode == 0, done.stderr
    names = {path.name for path in (tmp_path / "dist").iterdir()}
    assert names == {f"aiosqlc-{VERSION}-py3-none-any.whl", f"aiosqlc-{VERSION}.tar.gz"}


def test_only_the_owner_starts_a_release_and_no_token_is_stored() -> None:
    text = (ROOT / ".github/workflows/release.yml").read_text()
    workflow = yaml.safe_load(text)
    assert set(workflow[True]) == {"workflow_dispatch"}  # YAML reads `on` as true
    build, publish = workflow["jobs"]["build"], workflow["jobs"]["publish"]
    assert "github.triggering_actor == github.repository_owner" in build["if"]
    assert "github.actor == github.repository_owner" in build["if"]
    assert publish["needs"] == "build"
    assert publish["environment"] == "release"
    assert publish["permissions"] == {"id-token": "write"}
    assert "secrets." not in text
