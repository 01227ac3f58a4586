"""The two commands of the README, and the compiler, on every Python of this machine."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from tests.ops import fresh_machine

pytestmark = pytest.mark.long


@cache
def found() -> dict[str, str]:
    return fresh_machine.pythons()


@pytest.mark.timeout(900)
@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13", "3.14"])
def test_platform_and_compiler_install_start_answer_and_stop_on(version: str, tmp_path: Path):
    if version not in found():
        pytest.skip(f"there is no Python {version} here")
    seconds = fresh_machine.smoke(found()[version], tmp_path)
    assert set(seconds) == set(fresh_machine.STEPS)
