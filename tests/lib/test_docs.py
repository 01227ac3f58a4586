"""The examples in docs/lib: they parse, and what they import exists."""

from __future__ import annotations

import ast
import importlib
import re
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import pytest

PAGES = sorted((Path(__file__).resolve().parents[2] / "docs" / "lib").glob("*.md"))
BLOCK = re.compile(r"```python\n(.*?)```", re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_examples_use_what_exists(page: Path) -> None:
    for block in BLOCK.findall(page.read_text(encoding="utf-8")):
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.ImportFrom) and node.module is not None:
                module = importlib.import_module(node.module)
                for name in node.names:
                    assert _has(module, name.name), f"{node.module} has no {name.name}"


def _has(module: ModuleType, name: str) -> bool:
    """Whether it defines the name, or is a package with a module of that name, imported or not."""
    if hasattr(module, name):
        return True
    return hasattr(module, "__path__") and find_spec(f"{module.__name__}.{name}") is not None


def test_there_are_pages() -> None:
    assert len(PAGES) >= 10
