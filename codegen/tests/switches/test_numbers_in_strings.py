"""A `$5` in a string is text: it never counts as a parameter."""

from __future__ import annotations

from pathlib import Path

import pytest
from aiosqlc.cli.main import main


def _query(count: int) -> str:
    filters = "\n".join(f"  AND id <> @f{n} -- :if f{n}" for n in range(count))
    head = "-- name: Label :many\nSELECT id, 'costs $5' AS label FROM author WHERE true"
    return f"{head}\n{filters}\n;\n"


@pytest.mark.parametrize(("count", "code"), [(3, 0), (9, 1)])
def test_a_number_in_a_string_stays_or_is_refused(
    count: int, code: int, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "queries" / "label.sql").write_text(_query(count))
    assert main(["generate", "-f", str(project)]) == code
    if code:
        assert "write no `$1` in a string" in capsys.readouterr().err
    else:
        assert "costs $5" in (project / "store" / "label.py").read_text()
        assert "numbered" not in (project / "store" / "label.py").read_text()
