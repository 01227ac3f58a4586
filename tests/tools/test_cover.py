"""Coverage is summed by package."""

from __future__ import annotations

from tools.cover import table


def summary(*counts: int) -> dict[str, dict[str, int]]:
    names = ("num_statements", "covered_lines", "num_branches", "covered_branches")
    return {"summary": dict(zip(names, counts, strict=True))}


def test_lines_and_branches_are_summed_by_package():
    files = {
        "lib/http/app.py": summary(10, 10, 4, 1),
        "lib/http/middleware/auth.py": summary(30, 20, 4, 3),
        "lib/ids.py": summary(5, 5, 0, 0),
        "src/aiosqlc/parse/scanner.py": summary(5, 0, 2, 0),
    }
    assert [line.split() for line in table(files)[1:]] == [
        ["aiosqlc.parse", "5", "0.0", "2", "0.0"],
        ["lib", "5", "100.0", "0", "-"],
        ["lib.http", "40", "75.0", "8", "50.0"],
        ["all", "50", "70.0", "10", "40.0"],
    ]
