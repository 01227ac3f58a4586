"""The examples in docs/lib parse, and their imports and calls exist."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from pkgutil import resolve_name
from types import ModuleType

import pytest

PAGES = sorted((Path(__file__).resolve().parents[2] / "docs" / "lib").glob("*.md"))
BLOCK = re.compile(r"```python\n(.*?)```", re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_examples_use_what_exists(page: Path) -> None:
    for block in BLOCK.findall(page.read_text(encoding="utf-8")):
        tree = ast.parse(block)
        imported = {
            alias.name: resolve_name(f"{node.module}.{alias.name}")
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                module = imported.get(node.value.id)
                if isinstance(module, ModuleType):
                    assert hasattr(module, node.attr), f"{module.__name__} has no {node.attr}"


def test_there_are_pages() -> None:
    assert len(PAGES) >= 10
