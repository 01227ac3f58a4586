"""The extension for VS Code: it starts the server, and its package is complete.

The editor itself is not started, because its test host is downloaded from its vendor's server. The
README of the extension describes how to try it in a real editor.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.lsp.editor import editor
from tests.lsp.test_edits import FILES
from tests.lsp.test_features import QUERIES
from tests.projects import write_project
from tests.servers.programs import program

ROOT = Path(__file__).parents[2]
EXTENSION = ROOT / "editors" / "vscode"
BIN = Path(sys.prefix) / "bin"


def test_the_lock_names_no_registry_and_every_package_has_a_hash() -> None:
    packages = json.loads((EXTENSION / "package-lock.json").read_text())["packages"]
    assert len(packages) > 100
    for name, package in packages.items():
        assert "resolved" not in package, name
        assert not name or "integrity" in package, name
    assert "omit-lockfile-registry-resolved=true" in (EXTENSION / ".npmrc").read_text()


async def test_the_command_that_the_extension_starts_by_default_is_the_server(
    tmp_path: Path,
) -> None:
    manifest = json.loads((EXTENSION / "package.json").read_text())
    command = manifest["contributes"]["configuration"]["properties"]["aiosqlc.command"]["default"]
    path = write_project(tmp_path, FILES) / "queries.sql"
    # The editor's library appends how it means to talk.
    command = [str(BIN / command[0]), *command[1:], "--stdio"]
    async with editor(tmp_path, command=command) as desk:
        await desk.open(path)
        desk.type(path, QUERIES.replace("b.title", "b.titel"))
        assert [item.code for item in await desk.settled(path)] == ["E311"]


@pytest.mark.long
async def test_the_package_is_built_of_locked_parts_and_starts_the_server_of_the_workspace(
    tmp_path: Path,
) -> None:
    node, npm = program("node"), program("npm")
    extension, project = tmp_path / "vscode", tmp_path / "project"
    skipped = shutil.ignore_patterns("node_modules", "dist")
    shutil.copytree(EXTENSION, extension, ignore=skipped)
    environ = {**os.environ, "npm_config_cache": str(tmp_path / "cache")}
    for command in ([npm, "ci", "--ignore-scripts"], [npm, "run", "package"]):
        subprocess.run(command, cwd=extension, env=environ, check=True, timeout=500)
    with zipfile.ZipFile(extension / "dist" / "aiosqlc.vsix") as package:
        assert sorted(package.namelist()) == [
            "[Content_Types].xml", "extension.vsixmanifest", "extension/dist/extension.js",
            "extension/package.json", "extension/readme.md",
        ]  # fmt: skip
        wanted = set(re.findall(r'require\("([\w:/-]+)"\)', text_of(package)))
    assert "vscode" in wanted
    project.mkdir()
    path = write_project(project, FILES) / "queries.sql"
    (project / ".venv").symlink_to(sys.prefix)
    asked = f"require('./dist/launch.js').launch(['aiosqlc', 'lsp'], [{json.dumps(str(project))}])"
    said = subprocess.run(
        [node, "-p", f"JSON.stringify({asked})"],
        cwd=extension, check=True, capture_output=True, text=True,
    )  # fmt: skip
    launch = json.loads(said.stdout)
    assert launch["command"] == str(project / ".venv" / "bin" / "aiosqlc")
    command = [launch["command"], *launch["args"], "--stdio"]
    async with editor(project, command=command) as desk:
        assert await desk.open(path) == []


def text_of(package: zipfile.ZipFile) -> str:
    return package.read("extension/dist/extension.js").decode()
