"""Follow a page as written in a copy of the repository: write its files and run its commands.

The text before a block names its use: "Write `file`" and "Append this query to `file`" for a text,
"Change `file`" for a `diff`. Blocks of `sh` are commands.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

from devstack.settings import ROOT

_BLOCK = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_TO = re.compile(r"\b(Write|Append \w+ (?:\w+ )?to|Change) `([\w./-]+)`")


def copied(to: Path) -> Path:
    """Copy the files under version control, in the state of the working tree."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, to / name)
    return to


def with_environment(root: Path) -> Path:
    """Let a copy use this environment, so that `make` installs nothing there."""
    (root / ".venv").symlink_to(Path(sys.prefix))
    for name in ("requirements.lock", "requirements-dev.lock", "pyproject.toml"):
        os.utime(root / name, (0, 0))
    os.utime(root / "codegen" / "pyproject.toml", (0, 0))
    return root


def follow(page: Path, root: Path, *, seconds: float) -> None:
    """Follow a page in `root`, block by block."""
    text = page.read_text(encoding="utf-8")
    behind = 0
    for block in _BLOCK.finditer(text):
        before, kind, body = text[behind : block.start()], block[1], textwrap.dedent(block[2])
        behind = block.end()
        if kind == "sh":
            _run(body, root, seconds)
            continue
        asked = _TO.findall(before)
        assert asked, f"what is to be done with this? {body}"
        verb, name = asked[-1]
        file = root / name
        if verb == "Write":
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(body, encoding="utf-8")
        elif verb.startswith("Append"):
            gap = "\n\n" if file.suffix == ".py" else "\n"
            file.write_text(file.read_text(encoding="utf-8") + gap + body, encoding="utf-8")
        else:
            _change(file, body)


def _run(commands: str, root: Path, seconds: float) -> None:
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", commands], cwd=root, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=seconds,
        env={**os.environ, "PYTHONPATH": str(root)},
    )  # fmt: skip
    assert done.returncode == 0, f"{commands}\n{done.stdout[-6000:]}"


def _change(file: Path, diff: str) -> None:
    """Replace the lines with `-` by the lines with `+`; the other lines must exist."""
    lines = diff.splitlines()
    old = "".join(f"{line[1:]}\n" for line in lines if not line.startswith("+"))
    new = "".join(f"{line[1:]}\n" for line in lines if not line.startswith("-"))
    text = file.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{file.name} has {text.count(old)} times:\n{old}"
    file.write_text(text.replace(old, new), encoding="utf-8")
