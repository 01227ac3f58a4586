"""Every test that the security pages name exists at the named place."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
_FILE_OR_TEST = re.compile(r"`((?:[\w]+/)*test_\w+\.py|test_\w+)`")
# A sentence goes on in the next line; a row of a table, an item and a heading begin one.
_WRAPPED = re.compile(r"(?<!\n)\n(?![\n|#*-])")


@pytest.mark.parametrize(("name", "least"), [("asvs.md", 60), ("attacks.md", 35)])
def test_every_proof_on_a_page_of_security_exists(name: str, least: int) -> None:
    proofs = 0
    page = (ROOT / "docs" / name).read_text()
    for line in _WRAPPED.sub(" ", page).splitlines():
        source = ""
        for named in _FILE_OR_TEST.findall(line):
            if named.endswith(".py"):
                source = (ROOT / "tests" / named).read_text()
            else:
                assert re.search(rf"def {named}\(", source), named
            proofs += 1
    assert proofs > least
