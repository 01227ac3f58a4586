"""Find programs without a wheel: a test without one is skipped, or fails with `CI=true`."""

from __future__ import annotations

import os
import shutil

import pytest

_PATH = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"))


def program(*names: str) -> str:
    """Return the path of the first program that is installed, such as `program("chromium")`."""
    for name in names:
        if found := shutil.which(name, path=_PATH):
            return found
    reason = f"{names[0]} is not installed: install it with the system's package manager"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
