"""The quick hunt: a fixed seed and one of the moment, a few thousand executions each."""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest

from lib.testing.components import program
from tests.codegen.fuzz_mysql.hunt import hunt


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    program("mariadbd", "mysqld")
    return tmp_path_factory.mktemp("mysql")


@pytest.mark.parametrize("seed", [1, secrets.randbelow(10**9)], ids=["fixed", "random"])
def test_no_row_refutes_a_claim(cache: Path, seed: int) -> None:
    report = hunt(4000, seed, cache)
    assert not report.false, report.false[:3]
    assert report.executions >= 4000
    assert report.claimed > 0.6 * report.never_null


def test_a_broken_rule_is_caught(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The hunt can fail: without the outer joins' NULLs it finds false claims."""
    monkeypatch.setattr(
        "aiosqlc.mysql.scope.Level.is_not_null", lambda _level, _source, output: output.not_null
    )
    assert hunt(4000, 1, cache).false
