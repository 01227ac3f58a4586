"""Programs without a wheel. If one is missing, a test is skipped; in CI it fails with a remedy."""

from __future__ import annotations

import os
import shutil

import pytest

_PATH = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"))


def program(*names: str) -> str:
    """Return the path of the first program that is installed, such as `program("chromium")`.

    If none is installed, the test is skipped. With `CI=true` the test fails instead.
    """
    for name in names:
        if found := shutil.which(name, path=_PATH):
            return found
    reason = f"{names[0]} is not installed: run `make setup-system` as root on Debian"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
