"""The page of the manual equals the committed result, and our part can be reproduced."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter

import pytest
from aiosqlc.postgres import Analyzer
from aiosqlc.servers.postgres.embedded import embedded_server

from bench.soundness import page
from bench.soundness.__main__ import slice_of
from bench.soundness.comparing import CATEGORIES
from bench.soundness.peers import ours
from bench.soundness.replay import replay
from bench.soundness.results import FOLDER, REFUTED, RESULTS, refutation, renewed, total

RESULT = json.loads((FOLDER / RESULTS).read_text())
ROWS = [json.loads(line) for line in (FOLDER / REFUTED).read_text().splitlines()]


def test_page_has_the_tables_of_the_committed_result() -> None:
    text = page.PAGE.read_text()
    inside = text.partition(page.START)[2].partition(page.END)[0]
    assert inside.strip() == page.table(RESULT)


def test_page_counts_the_tools_that_it_names() -> None:
    assert len(RESULT["tools"]) == 8
    assert RESULT["absent"] == {}
    assert not [tool["failed"] for tool in RESULT["tools"] if tool["failed"]]
    assert RESULT["queries"]["random"] + RESULT["queries"]["json"] >= 2000


def test_no_claim_of_ours_is_false() -> None:
    own = next(tool for tool in RESULT["tools"] if tool["name"] == ours.NAME)
    assert total(own)["false"] == {}
    assert RESULT["json"]["tools"][ours.NAME]["false"] == 0


def test_committed_refutations_are_of_queries_of_this_repository() -> None:
    assert len({row["id"] for row in ROWS}) == len(ROWS)
    assert {row["category"] for row in ROWS} <= set(CATEGORIES)
    assert all(re.match(r"(random-\d+|examples/|cases/)", row["suite"]) for row in ROWS)
    counted = Counter((row["peer"], row["category"]) for row in ROWS)
    for tool in RESULT["tools"]:
        false = total(tool)["false"]
        for category in CATEGORIES:
            assert counted[tool["name"], category] <= false.get(category, 0)


@pytest.mark.long
def test_our_counts_for_a_slice_are_those_of_the_result() -> None:
    with Analyzer() as analyzer, embedded_server() as server:
        found = slice_of(analyzer, server, RESULT["seed"])
    assert {count["wrong"] for count in found.values()} == {0}
    # After a change of the grammar or of the proofs: `python -m bench.soundness slice`.
    assert found == RESULT["slice"]


def test_null_of_a_refutation_comes_again() -> None:
    row = next(r for r in ROWS if r["category"] == "null" and r["suite"].startswith("random-"))
    found = refutation(row["id"])
    assert found is not None
    with Analyzer() as analyzer:
        shown = replay(analyzer, found)
    assert row["sql"] in shown
    assert row["observed"] in shown
    assert re.search(r"\bNULL\b", shown.partition("observed:")[2].partition("\n")[2])


def test_unknown_refutation_is_one_sentence() -> None:
    command = [sys.executable, "-m", "bench.soundness", "replay", "nothing"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert "no refutation has the ID nothing" in done.stderr


def test_a_run_of_one_tool_renews_its_figures_only() -> None:
    first, second = RESULT["tools"][0]["name"], RESULT["tools"][1]["name"]
    rows = [row for r in ROWS if (row := refutation(r["id"]))]
    tool = {**RESULT["tools"][1], "seconds": -1.0}
    new = {**RESULT, "tools": [tool], "json": {"queries": 0, "tools": {}}}
    found, left = renewed((RESULT, rows), (new, []))
    assert [t["seconds"] for t in found["tools"] if t["name"] == second] == [-1.0]
    assert next(t for t in found["tools"] if t["name"] == first) == RESULT["tools"][0]
    assert found["json"] == RESULT["json"]
    assert {row.peer for row in rows} - {row.peer for row in left} == {second}
    with pytest.raises(ValueError, match="`seed` differs"):
        renewed((RESULT, rows), ({**new, "seed": -1}, []))
