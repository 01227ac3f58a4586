"""The output of the stack reaches its reader, and a missing reader does not stop the stack."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from devstack.console import Console
from devstack.settings import ROOT


class Terminal(io.StringIO):
    """A terminal that shows the output, in colours if possible."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("environ", "is_colored"),
    [
        ({"TERM": "xterm"}, True),
        ({"TERM": "dumb"}, False),
        ({"TERM": ""}, False),
        ({"TERM": "xterm", "NO_COLOR": "1"}, False),
    ],
)
def test_colours_are_for_terminals_that_know_them(monkeypatch, environ, is_colored):
    monkeypatch.delenv("NO_COLOR", raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "stdout", Terminal())
    Console(["user"]).relay("user", "hello")
    assert ("\x1b" in sys.stdout.getvalue()) is is_colored


def test_each_of_several_lines_is_under_its_program(capsys):
    Console(["user", "order"]).relay("user", "one\ntwo")
    assert capsys.readouterr().out == "user  | one\nuser  | two\n"


def test_a_full_disk_under_the_output_does_not_stop_the_stack(monkeypatch):
    full = Path("/dev/full").open("w")  # noqa: SIM115 - it cannot be closed in order
    monkeypatch.setattr(sys, "stdout", full)
    console = Console(["user"])
    console.say("lost")
    console.say("lost, too")
    with suppress(OSError):  # what was lost is tried once more
        full.close()


def test_a_terminal_that_knows_no_arrow_gets_a_question_mark(monkeypatch):
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    Console(["user"]).relay("user", "→ naïve")
    assert raw.getvalue() == b"user | ? na?ve\n"


def test_without_standard_files_there_are_some_all_the_same():
    """Otherwise, sockets would get the numbers of these files, and the output too."""
    code = (
        "import os, sys; from devstack.__main__ import _make_ready; _make_ready(); print('lost');"
        "from devstack.console import Console; Console(['user']).say('lost');"
        "sys.exit(sum(os.path.samestat(os.fstat(n), os.stat(os.devnull)) for n in range(3)))"
    )
    command = 'exec "$0" -c "$1" <&- >&- 2>&-'
    done = subprocess.run(["sh", "-c", command, sys.executable, code], cwd=ROOT, check=False)
    assert done.returncode == 3


def test_a_low_limit_of_open_files_is_raised_as_far_as_it_may_be():
    code = (
        "import resource; from devstack.__main__ import _make_ready; _make_ready();"
        "print(resource.getrlimit(resource.RLIMIT_NOFILE))"
    )
    for limits, found in (("ulimit -Sn 256", "(16384, "), ("ulimit -n 256", "(256, 256)")):
        done = subprocess.run(
            ["bash", "-c", f'{limits}; exec "$0" -c "$1"', sys.executable, code],
            cwd=ROOT, env=os.environ, capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert done.stdout.startswith(found)
