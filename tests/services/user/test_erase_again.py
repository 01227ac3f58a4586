"""The command that repeats deletions reads its whole list before it changes anything."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest

from services.user import erase_again

ANN = "01890000-0000-7000-8000-00000000a001"


def test_a_list_is_read_with_the_time_of_each_deletion() -> None:
    found = erase_again.read([f"{ANN}|2026-03-01 12:34:56.789+00\n"])
    assert found == {UUID(ANN): datetime(2026, 3, 1, 12, 34, 56, 789000, tzinfo=UTC)}


@pytest.mark.parametrize(
    "line", ["", ANN, f"{ANN}|", f"{ANN}|soon", f"{ANN}|2026-03-01 12:00:00", "x|2026-03-01+00"]
)
def test_a_line_that_is_none_is_named_and_nothing_is_done(line: str) -> None:
    with pytest.raises(ValueError, match=r"^line 2 is not `id\|time of the deletion`$"):
        erase_again.read([f"{ANN}|2026-03-01 12:00:00+00", line])


def test_a_wrong_list_is_one_sentence_from_the_command(monkeypatch, capsys) -> None:
    monkeypatch.setattr("sys.stdin", ["nonsense"])
    assert erase_again.main([]) == 1
    assert capsys.readouterr().err == "line 1 is not `id|time of the deletion`\n"
