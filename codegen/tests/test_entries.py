"""Many entries of one configuration: common parts are created once."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import pytest
from aiosqlc.emit import format as layout
from aiosqlc.pipeline.compile import compile_project
from aiosqlc.postgres import Analyzer, schema_order

from tests.projects import loaded

ENTRY = """\
  - engine: postgresql
    schema: schema.sql
    queries: q{n}.sql
    gen:
      python: {{out: out{n}}}
"""


@pytest.mark.parametrize("schema", ["create table t (id int)", "create table t (id int); oops"])
def test_entries_of_one_schema_share_a_server_and_apply_it_once_failed_or_not(
    schema: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = sys.modules[Analyzer.__module__]
    calls: list[str] = []

    def counting(module: ModuleType, name: str) -> None:
        original = getattr(module, name)
        monkeypatch.setattr(module, name, lambda *a, **k: calls.append(name) or original(*a, **k))

    counting(module, "embedded_server")
    counting(schema_order, "apply_schema")
    counting(layout, "_format")
    (tmp_path / "schema.sql").write_text(f"{schema}; -- {tmp_path.name}")
    for n in range(3):
        (tmp_path / f"q{n}.sql").write_text(f"-- name: Q{n} :many\nselect id from t;\n")
    config = tmp_path / "sqlc.yaml"
    config.write_text('version: "2"\nsql:\n' + "".join(ENTRY.format(n=n) for n in range(3)))
    compiled = compile_project(loaded(tmp_path), keep_going=True)
    assert compiled.written == 3
    assert sorted(calls) == ["_format", "apply_schema", "embedded_server"]
