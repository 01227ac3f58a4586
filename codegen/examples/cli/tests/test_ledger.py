"""The ledger, as it is typed."""

from __future__ import annotations

from pathlib import Path

import pytest
from ledger.__main__ import main

PAYMENTS = """\
date,account,amount,note
2030-01-02,rent,-700.00,January
2030-01-03,work,2500.00,
2030-02-02,rent,-700.00,February
"""


@pytest.fixture
def payments(database_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("DATABASE_URL", database_url)
    path = tmp_path / "payments.csv"
    path.write_text(PAYMENTS)
    return path


def test_payments_are_booked_and_shown(payments: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import", str(payments)]) == 0
    assert capsys.readouterr().out.split() == [
        *("3", "entries", "booked", "rent", "-1400.00", "2", "work", "2500.00", "1"),
    ]
    assert main(["show", "rent"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "2030-01-02       -700.00  January",
        "2030-02-02       -700.00  February",
    ]


def test_a_file_with_a_mistake_changes_nothing(
    payments: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    payments.write_text(f"{PAYMENTS}2030-02-30,work,1,\n")
    assert main(["import", str(payments)]) == 1
    assert "nothing was booked" in capsys.readouterr().err
    assert main(["balances"]) == 0
    assert capsys.readouterr().out == ""
