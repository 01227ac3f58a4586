"""Every case folder compiles to exactly its expected files."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.golden import CASES, compile_case, expected_of, rewrite
from tests.servers.postgres import TestPostgres

NAMES = sorted(path.parent.name for path in CASES.glob("[!.]*/queries*"))


@pytest.mark.parametrize("name", NAMES)
def test_the_case_compiles_to_what_it_says(
    name: str, tmp_path: Path, postgres_server: TestPostgres, update_goldens: bool
) -> None:
    case = CASES / name
    produced = compile_case(case, tmp_path, postgres_server.create_empty())
    if update_goldens:
        rewrite(case, produced)
    assert produced == expected_of(case)
