"""The help texts of the benchmarks."""

from __future__ import annotations

import subprocess
import sys

import pytest

from codegen.tests.sampling import sample
from devstack.settings import ROOT

BENCHES = sorted(path.parent.name for path in (ROOT / "bench").glob("*/__main__.py"))


@pytest.mark.parametrize("name", sample(1, BENCHES))
def test_every_benchmark_answers_help_with_its_usage(name) -> None:
    call = [sys.executable, "-m", f"bench.{name}", "--help"]
    told = subprocess.run(call, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert (told.returncode, told.stdout[:7]) == (0, "usage: "), told.stderr
