"""The messages of the embedded PostgreSQL if it cannot start."""

from __future__ import annotations

import pytest

from devstack.embedded.postgres import _reason

FULL = """\
2026-11-22 15:22:48 UTC [1] FATAL:  could not write to file "base/4/1": No space left on device
2026-11-22 15:22:48 UTC [1] HINT:  Check free disk space.
child process exited with exit code 1
initdb: removing contents of data directory "/data"
"""
OWNER = (
    'initdb: error: could not change permissions of directory "/data": Operation not permitted\n'
)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (FULL, FULL.splitlines()[0].replace("  ", " ")),
        (OWNER, OWNER.strip()),
        ("something else\nand more\n", "something else"),
        ("", "it said nothing"),
    ],
)
def test_the_reason_of_a_failed_first_run_is_one_line(said, reason):
    assert _reason(said) == reason
