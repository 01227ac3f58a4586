"""At each place, the type of a parameter is the server's, and its value acts like a literal.

`python -m tests.parameters` compares all of them, or `--n` of them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from aiosqlc.postgres.typed import QueryTyper
from msgspec.structs import replace

from tests.conftest import Full
from tests.parameters.comparing import compare
from tests.sampling import sample

PARTS = 6


@pytest.mark.parametrize("part", sample(1, range(PARTS)))
def test_a_parameter_is_what_the_server_takes_wherever_it_stands(
    part: int, full: Full, tmp_path: Path
) -> None:
    tally = compare(tmp_path, 20261125, full(0, sample=120), (part, PARTS))
    assert tally.pairs > full(5_000, sample=120), tally.report()
    assert tally.found == [], tally.report()


def test_what_the_process_remembers_is_compared_too(tmp_path: Path) -> None:
    first, again = (compare(tmp_path / name, 5, 40) for name in ("first", "again"))
    assert (again.described, again.found) == (first.described, [])


@pytest.mark.parametrize(
    ("claimed", "element_not_null"), [("uuid", True), ("text", True), ("numeric", False)]
)
def test_comparing_finds_a_wrong_claim(
    claimed: str, element_not_null: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    type_of = QueryTyper._param

    def broken(*given: Any) -> Any:
        param = type_of(*given)
        return replace(
            param,
            type=replace(param.type, schema="pg_catalog", name=claimed),
            element_not_null=element_not_null,
        )

    monkeypatch.setattr(QueryTyper, "_param", broken)
    assert len(compare(tmp_path, 7, 25).found) > 10
