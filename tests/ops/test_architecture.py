"""The page about the architecture lists the packages of the import contracts."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "ARCHITECTURE.md"
_STEP = re.compile(r"^\d+\. (.*(?:\n   .*)*)", re.MULTILINE)


def layers() -> list[set[str]]:
    """Return the compiler's packages by layer, from the top, as import-linter enforces them."""
    settings = tomllib.loads((ROOT / "codegen" / "pyproject.toml").read_text())
    contracts = settings["tool"]["importlinter"]["contracts"]
    [contract] = [one for one in contracts if one["type"] == "layers"]
    assert contract["exhaustive"], "a package without a layer would be missing on the page, too"
    assert contract["containers"] == ["aiosqlc"]
    return [set(layer.split(" | ")) for layer in contract["layers"]]


def test_the_walk_through_the_compilers_packages_is_the_contract_of_its_layers() -> None:
    _, _, walk = PAGE.read_text().partition("## The compiler's packages\n")
    steps = _STEP.findall(walk.partition("\n## ")[0])
    known = set[str]().union(*layers())
    shown = [set(re.findall(r"`(\w+)`", step)) & known for step in steps]
    assert [names - set().union(*shown[:at]) for at, names in enumerate(shown)] == layers()


def test_the_compiler_has_at_most_ten_layers() -> None:
    assert len(layers()) <= 10
