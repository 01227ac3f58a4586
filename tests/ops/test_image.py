"""The contents of the production image: only what runs there."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from setuptools import find_packages

from devstack.settings import ROOT

IMPORT_ALL = """
import importlib, pkgutil, sys
for package in ("lib", "services", "observability"):
    for module in pkgutil.walk_packages(importlib.import_module(package).__path__, package + "."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
print(*sorted({name.split(".")[0] for name in sys.modules} & {"devstack", "tools", "aiosqlc"}))
"""


def copied() -> dict[str, str]:
    """Return the files that the service image copies from this folder: source → place."""
    stage = (ROOT / "Dockerfile").read_text().split(" AS service\n")[1].split("\nFROM ")[0]
    lines = [line.split() for line in stage.splitlines() if line.startswith("COPY ")]
    return {source: to for _, source, to in (line for line in lines if len(line) == 3)}


@pytest.fixture
def image(tmp_path: Path) -> Path:
    for source, to in copied().items():
        path = tmp_path / to
        path.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / source).is_dir():
            shutil.copytree(ROOT / source, path)
        else:
            shutil.copy(ROOT / source, path)
    return tmp_path


def test_everything_in_the_image_runs_without_what_serves_development(image):
    said = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL],
        cwd=image, env={"PYTHONPATH": str(image)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (said.stderr, said.stdout.strip()) == ("", "")
    assert not {"devstack", "tools", "tests", "codegen"} & {path.name for path in image.iterdir()}


def test_the_wheel_holds_what_the_image_holds():
    config = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    packages = find_packages(str(ROOT), include=config["packages"]["find"]["include"])
    assert {name.split(".")[0] for name in packages} == {"lib", "services", "observability"}
