"""Each mistake of the tables names its remedy, and no wrong one."""

from __future__ import annotations

import pytest

from tests.codegen.mistakes.table import Mistake, all_mistakes, faults_of

MISTAKES = all_mistakes()


@pytest.mark.parametrize("mistake", MISTAKES, ids=[mistake.name[:70] for mistake in MISTAKES])
def test_a_mistake_is_answered_with_its_remedy(mistake: Mistake) -> None:
    assert faults_of(mistake) == []
