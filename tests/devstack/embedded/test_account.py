"""What a demoted server may read: what it needs, also where a careful umask kept it from others."""

from __future__ import annotations

import stat

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
