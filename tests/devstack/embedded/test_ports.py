"""Free ports: concurrent processes never get the same port."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from devstack.settings import ROOT

# The two functions stand alone, because the compiler's tests import nothing of the platform.
FILES = ("devstack/embedded/ports.py", "codegen/tests/servers/ports.py")
# Two of six ports, which no other test selects; the process stays until its input ends.
SCRIPT = """
import runpy, sys, tempfile
tempfile.tempdir = sys.argv[2]
free_port = runpy.run_path(sys.argv[1])["free_port"]
free_port.__globals__.update(_FIRST=19880, _LAST=19886)
print(free_port(), free_port(), flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("others", FILES)
def test_processes_side_by_side_take_ports_of_their_own(others: str, tmp_path: Path) -> None:
    started = [_process(file, tmp_path) for file in (FILES[0], others, FILES[1])]
    try:
        ports = [port for process in started for port in _line(process).split()]
    finally:
        for process in started:
            process.communicate("", timeout=30)
    assert sorted(map(int, ports)) == list(range(19880, 19886))


def test_a_port_is_free_again_after_its_process_was_killed(tmp_path: Path) -> None:
    for _ in range(4):  # of two ports each
        process = _process(FILES[0], tmp_path)
        assert len(_line(process).split()) == 2
        process.kill()
        process.communicate(timeout=30)


def _process(file: str, folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT, Path(ROOT, file), folder],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()
