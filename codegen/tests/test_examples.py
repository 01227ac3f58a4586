"""The examples stay small, and the page about them names each example."""

from __future__ import annotations

from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"
EACH = sorted(path.parent for path in EXAMPLES.glob("*/sqlc.yaml"))
MOST_LINES = 150


@pytest.mark.parametrize("example", EACH, ids=lambda path: path.name)
def test_an_example_is_read_in_one_go_and_has_tests(example: Path) -> None:
    written = [path for path in example.glob("*/*.py") if path.parent.name != "tests"]
    assert 0 < sum(len(path.read_text().splitlines()) for path in written) <= MOST_LINES
    assert list(example.glob("tests/test_*.py"))
    assert f"[`{example.name}`]" in (EXAMPLES / "README.md").read_text()
