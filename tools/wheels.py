"""Check that the locked requirements have wheels for each machine, and list those that do not.

`python -m tools.wheels FILE` reads a lock file in the format of PEP 751. It prints the record that
`make lock` stores beside the lock files: a line for each wheel, under its package.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from itertools import product
from pathlib import Path
from typing import Final

import msgspec
from packaging.markers import Marker, default_environment
from packaging.requirements import Requirement
from packaging.tags import Tag, compatible_tags, cpython_tags, mac_platforms, parse_tag
from packaging.utils import canonicalize_name

_HASH: Final = 12  # digits of a wheel's hash: enough to find it in the lock
# Wheels for other systems are not recorded: nothing asks for them.
_RECORDED: Final = re.compile(
    r"-(any|(many)?linux[\w.]*_(x86_64|aarch64)|macosx_[\w.]+_(arm64|universal2))$", re.ASCII
)


class Wheel(msgspec.Struct, frozen=True):
    """A wheel in the package index: its tag (PEP 425) and the first digits of its hash."""

    tag: str
    digest: str


class Package(msgspec.Struct, frozen=True):
    """A locked package: the machines that need it, and the hashes of its files."""

    name: str
    version: str
    marker: str
    hashes: frozenset[str]


class Machine(msgspec.Struct, frozen=True):
    """A type of machine that must install the requirements without a compiler."""

    python: tuple[int, int]
    system: str
    architecture: str

    def __str__(self) -> str:
        version = ".".join(map(str, self.python))
        return f"Python {version} on {self.system} {self.architecture}"

    @property
    def environment(self) -> dict[str, str]:
        """Return the values of environment markers on this machine."""
        version = ".".join(map(str, self.python))
        return {
            **{name: str(value) for name, value in default_environment().items()},
            "python_version": version,
            "python_full_version": f"{version}.0",
            "implementation_version": f"{version}.0",
            "sys_platform": self.system.lower(),
            "platform_system": self.system,
            "platform_machine": self.architecture,
        }

    def tags(self) -> frozenset[Tag]:
        """Return the wheel tags that the machine can install."""
        platforms = list(self._platforms())
        both = (
            cpython_tags(self.python, platforms=platforms),
            compatible_tags(self.python, f"cp{self.python[0]}{self.python[1]}", platforms),
        )
        return frozenset(tag for tags in both for tag in tags)

    def _platforms(self) -> Iterator[str]:
        if self.system == "Darwin":
            yield from mac_platforms((14, 0), self.architecture)
            return
        # The C library of Ubuntu 22.04; those of Debian 12 and Red Hat 9 are not older.
        for minor in range(34, 4, -1):
            yield f"manylinux_2_{minor}_{self.architecture}"
        yield f"manylinux2014_{self.architecture}"
        if self.architecture == "x86_64":
            yield from ("manylinux2010_x86_64", "manylinux1_x86_64")
        yield f"linux_{self.architecture}"


MACHINES: Final = [
    Machine(python, *machine)
    for python, machine in product(
        [(3, 11), (3, 12), (3, 13), (3, 14)],
        [("Linux", "x86_64"), ("Linux", "aarch64"), ("Darwin", "arm64")],
    )
]


def record(pylock: str) -> str:
    """Return the record of the wheels in `pylock`, the text of a lock file (PEP 751).

    The record has no host names.
    """
    lines = [
        "# Written by `make lock`: the wheels of the locked packages on Linux and macOS, and the",
        "# first digits of their hashes. Tests read here which machines need a compiler.",
    ]
    for package in tomllib.loads(pylock)["packages"]:
        lines.append(f"{canonicalize_name(package['name'])}=={package['version']}")
        wheels = (
            ("-".join(wheel["url"].removesuffix(".whl").split("-")[-3:]), wheel["hashes"]["sha256"])
            for wheel in package.get("wheels", ())
        )
        lines += [
            f"    {tag} {digest[:_HASH]}" for tag, digest in sorted(wheels) if _RECORDED.search(tag)
        ]
    return "\n".join(lines) + "\n"


def recorded(text: str) -> dict[str, list[Wheel]]:
    """Parse a record, and return its wheels by `name==version`."""
    found: dict[str, list[Wheel]] = {}
    wheels: list[Wheel] = []
    for line in text.splitlines():
        if line.startswith("    "):
            wheels.append(Wheel(*line.split()))
        elif not line.startswith("#"):
            wheels = found.setdefault(line, [])
    return found


def locked(text: str) -> list[Package]:
    """Parse the text of a lock file, which lists pinned requirements with their files' hashes."""
    packages = []
    for entry in re.split(r"(?m)^(?=[A-Za-z0-9])", text)[1:]:
        first, *hashes = [line.strip(" \\") for line in entry.splitlines()]
        wanted = Requirement(first)
        packages.append(
            Package(
                canonicalize_name(wanted.name),
                next(iter(wanted.specifier)).version,
                str(wanted.marker or ""),
                frozenset(line.removeprefix("--hash=sha256:")[:_HASH] for line in hashes),
            )
        )
    return packages


def missing(
    packages: Iterable[Package], wheels: Mapping[str, list[Wheel]], machine: Machine
) -> list[str]:
    """Return the packages that lack a wheel for a machine that needs them."""
    tags = machine.tags()

    def fits(package: Package) -> bool:
        return any(
            wheel.digest in package.hashes and not tags.isdisjoint(parse_tag(wheel.tag))
            for wheel in wheels.get(f"{package.name}=={package.version}", ())
        )

    return [
        package.name
        for package in packages
        if (not package.marker or Marker(package.marker).evaluate(machine.environment))
        and not fits(package)
    ]


if __name__ == "__main__":
    sys.stdout.write(record(Path(sys.argv[1]).read_text()))
