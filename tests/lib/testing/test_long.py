"""What is long by nature: a sample in every run, all of it in the long one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

FILE = """
import pytest

def test_plain(): pass

@pytest.mark.parametrize("case", ["one", pytest.param("two", marks=pytest.mark.long)])
def test_cases(case): pass

def test_counted(full): assert full(200, sample=20) == {count}
"""


@pytest.mark.parametrize(
    ("options", "count", "ran"),
    [
        ([], 20, ["test_cases[one]", "test_counted", "test_plain"]),
        (["--long"], 200, ["test_cases[two]", "test_counted"]),
    ],
)
def test_the_long_run_takes_all_of_what_others_take_a_sample(tmp_path, options, count, ran):
    file = tmp_path / "test_some.py"
    file.write_text(FILE.format(count=count))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-rA", "-p", "tests.conftest", *options, file],
        cwd=Path.cwd(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    passed = [line.split("::")[1] for line in done.stdout.splitlines() if line[:6] == "PASSED"]
    assert (done.returncode, sorted(passed)) == (0, ran), done.stdout
