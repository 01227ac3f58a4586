"""Each mistake of the tables gets its remedy, and no wrong remedy."""

from __future__ import annotations

from pathlib import Path

import pytest
from aiosqlc.cli.main import main

from tests.mistakes.table import Mistake, all_mistakes, faults_of

MISTAKES = all_mistakes()


@pytest.mark.parametrize("mistake", MISTAKES, ids=[mistake.name[:70] for mistake in MISTAKES])
def test_a_mistake_is_answered_with_its_remedy(mistake: Mistake) -> None:
    assert faults_of(mistake) == []


def test_an_override_of_nothing_counts_the_queries_that_could_be_written(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = project / "sqlc.yaml"
    config.write_text(
        f"{config.read_text().rstrip()}\n"
        "        overrides: [{column: nothing.id, type: app.Nothing}]\n"
    )
    assert main(["generate", "-f", str(project)]) == 1
    assert "3 of 3 queries" in capsys.readouterr().err
