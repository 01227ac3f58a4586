"""The adapter beside MySQL code passes the strictest checkers, as the code beside it does."""

from __future__ import annotations

from pathlib import Path

from aiosqlc.emit.adapter import ADAPTER

from tools.realworld.typecheck import type_errors

_ROOT = Path(__file__).resolve().parents[3]


def test_the_adapter_passes_mypy_and_pyright_at_their_strictest(tmp_path: Path) -> None:
    package = tmp_path / "p0"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "adapter.py").write_text(ADAPTER)
    assert type_errors(tmp_path, _ROOT) == []
