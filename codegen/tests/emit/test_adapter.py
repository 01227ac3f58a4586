"""The adapters for MySQL pass the strictest checkers, like the generated code."""

from __future__ import annotations

from pathlib import Path

from aiosqlc.drivers import DRIVERS
from aiosqlc.source import Dialect

from tools.realworld.typecheck import type_errors

_ROOT = Path(__file__).resolve().parents[2]


def test_the_adapters_pass_mypy_and_pyright_at_their_strictest(tmp_path: Path) -> None:
    for driver in DRIVERS[Dialect.MYSQL].values():
        package = tmp_path / f"p_{driver.name.replace('-', '_')}"
        package.mkdir()
        (package / "__init__.py").write_text("")
        (package / "adapter.py").write_text(driver.adapter_source())
        if source := driver.session_source(".adapter"):
            (package / "session.py").write_text(source)
    assert type_errors(tmp_path, _ROOT) == []
