"""The locked requirements install without a compiler on every machine of the README."""

from __future__ import annotations

import pytest

from devstack.settings import ROOT
from tools.wheels import MACHINES, Machine, Package, Wheel, locked, missing, record, recorded

# Pure Python all the same: setuptools makes a wheel of each in a second, without a compiler.
SOURCES = {"aiohttp-apispec", "nkeys", "python-etcd", "ydiff"}
LOCKS = ("requirements.lock", "requirements-dev.lock")
WHEELS = recorded((ROOT / "requirements-wheels.txt").read_text())
LINUX = Machine((3, 13), "Linux", "x86_64")


def test_record_of_wheels_has_the_packages_of_the_lock_and_no_others():
    packages = locked((ROOT / "requirements-dev.lock").read_text())
    assert set(WHEELS) == {f"{one.name}=={one.version}" for one in packages}


@pytest.mark.parametrize("machine", MACHINES, ids=str)
@pytest.mark.parametrize("lock", LOCKS)
def test_locked_packages_have_wheels_on(machine, lock):
    assert set(missing(locked((ROOT / lock).read_text()), WHEELS, machine)) <= SOURCES


def package(marker: str = "") -> Package:
    return Package("kv", "1.0", marker, frozenset({"a" * 12}))


@pytest.mark.parametrize(
    ("tag", "machine"),
    [
        ("py3-none-any", LINUX),
        ("py3-none-manylinux_2_28_x86_64", LINUX),
        ("cp311-abi3-manylinux2014_x86_64", LINUX),
        ("cp313-cp313-manylinux_2_17_x86_64.manylinux2014_x86_64", LINUX),
        ("py3-none-macosx_11_0_arm64", Machine((3, 11), "Darwin", "arm64")),
        ("cp314-cp314-macosx_10_15_universal2", Machine((3, 14), "Darwin", "arm64")),
    ],
)
def test_wheel_fits(tag, machine):
    assert missing([package()], {"kv==1.0": [Wheel(tag, "a" * 12)]}, machine) == []


@pytest.mark.parametrize(
    ("tag", "machine"),
    [
        ("cp312-cp312-manylinux2014_x86_64", LINUX),  # an older Python's
        ("cp313-cp313t-manylinux2014_x86_64", LINUX),  # the free-threaded build's
        ("py3-none-manylinux_2_28_x86_64", Machine((3, 13), "Linux", "aarch64")),
        ("py3-none-manylinux_2_39_x86_64", LINUX),  # a newer C library's
        ("py3-none-macosx_11_0_x86_64", Machine((3, 13), "Darwin", "arm64")),
    ],
)
def test_wheel_of_another_machine_counts_as_none(tag, machine):
    assert missing([package()], {"kv==1.0": [Wheel(tag, "a" * 12)]}, machine) == ["kv"]


def test_wheel_that_the_lock_does_not_hash_counts_as_none():
    assert missing([package()], {"kv==1.0": [Wheel("py3-none-any", "b" * 12)]}, LINUX) == ["kv"]


def test_package_for_other_systems_needs_no_wheel_here():
    assert missing([package("sys_platform == 'win32'")], {}, LINUX) == []


def test_record_names_wheels_and_no_host():
    pylock = """
[[packages]]
name = "Key_Value"
version = "1.0"
[[packages.wheels]]
url = "https://files.example.org/packages/ab/key_value-1.0-py3-none-any.whl"
hashes = { sha256 = "0123456789abcdef" }
[[packages.wheels]]
url = "https://files.example.org/packages/ab/key_value-1.0-cp313-cp313-win_amd64.whl"
hashes = { sha256 = "fedcba9876543210" }
"""
    text = record(pylock)
    assert "example" not in text
    assert recorded(text) == {"key-value==1.0": [Wheel("py3-none-any", "0123456789ab")]}
