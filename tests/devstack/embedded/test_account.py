"""A server under another account can read its files, even with a strict umask."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from devstack.embedded.account import let_read


def test_programs_can_be_run_and_files_read_by_others_after_a_careful_installation(tmp_path):
    folder = tmp_path / "bin"
    folder.mkdir(mode=0o700)
    (folder / "server").touch(mode=0o700)
    (folder / "page.html").touch(mode=0o600)
    (folder / "gone").symlink_to("nowhere")
    let_read(folder)
    modes = {
        path.name: stat.S_IMODE(path.stat().st_mode) for path in (folder, *folder.glob("[ps]*"))
    }
    assert modes == {"bin": 0o705, "server": 0o705, "page.html": 0o604}


# Opens the way to a folder, says so, and ends when its input does.
_USES_IT = """
import sys
from pathlib import Path
from devstack.embedded.account import open_way
open_way(Path(sys.argv[1]))
print("open", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def private(tmp_path: Path) -> Path:
    """A folder inside a folder that no other account can enter."""
    folder = tmp_path / "private"
    (folder / "data").mkdir(parents=True)
    folder.chmod(0o700)
    return folder


def using(private: Path) -> subprocess.Popen[str]:
    started = subprocess.Popen(
        [sys.executable, "-c", _USES_IT, str(private / "data")],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert started.stdout is not None
    assert started.stdout.readline() == "open\n"
    return started


def test_what_was_opened_for_a_server_is_closed_at_the_end_unless_another_uses_it(private):
    def is_open() -> bool:
        return bool(private.stat().st_mode & stat.S_IXOTH)

    first = using(private)
    assert is_open()
    first.communicate()
    assert stat.S_IMODE(private.stat().st_mode) == 0o700

    first, second = using(private), using(private)
    second.communicate()  # it has found it open: not its own to close
    assert is_open()
    third = using(private)
    first.communicate()  # somebody else needs it still
    assert is_open()
    third.communicate()


_SERVES = """
import sys
from pathlib import Path
from devstack.embedded.ports import free_port
from devstack.embedded.postgres import Instance, Server
with Server(Instance(Path(sys.argv[1]), free_port(), "its-own-password", {"fsync": "off"})):
    print("served")
"""


def test_a_server_starts_again_although_the_way_to_its_data_was_closed(private):
    for _ in range(2):
        command = [sys.executable, "-c", _SERVES, str(private / "postgres")]
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (ended.stdout, ended.stderr) == ("served\n", "")
        assert stat.S_IMODE(private.stat().st_mode) == 0o700
