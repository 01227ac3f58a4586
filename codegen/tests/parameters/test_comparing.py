"""Each place of a parameter: its type is the server's, and a value of it does what a literal does.

`python -m tests.parameters` compares all of them, or `--n` of them.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiosqlc.postgres.typed import Typist

from tests.parameters.comparing import compare

PARTS = 6


# A sample. All positions are compared by `python -m tests.parameters`, which still reports
# functions of several types that we refuse (E313) where the server prefers one of them.
def test_a_parameter_is_what_the_server_takes_wherever_it_stands(tmp_path: Path) -> None:
    tally = compare(tmp_path, 20261125, 120, (0, PARTS))
    assert tally.pairs > 120, tally.report()
    assert tally.found == [], tally.report()


@pytest.mark.parametrize(
    ("claimed", "element_not_null"), [("uuid", True), ("text", True), ("numeric", False)]
)
def test_comparing_finds_a_wrong_claim(
    claimed: str, element_not_null: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    type_of = Typist._param

    def broken(*given: Any) -> Any:
        param = type_of(*given)
        return replace(
            param,
            type=replace(param.type, schema="pg_catalog", name=claimed),
            element_not_null=element_not_null,
        )

    monkeypatch.setattr(Typist, "_param", broken)
    assert len(compare(tmp_path, 7, 25).found) > 10
