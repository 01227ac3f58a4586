"""Find the files of a wheel without an import, because an import may run much code."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path


def folder_of(package: str) -> Path:
    """Return the folder of an installed package.

    Raises RuntimeError, which names the remedy, if the package is not installed.
    """
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise RuntimeError(f"the package {package} is not installed: run `make setup`")
    return Path(spec.origin).parent
