"""If a program is missing, a test that needs it is skipped with a remedy; in CI it fails."""

from __future__ import annotations

import pytest

from devstack.testing.components import program


def test_the_first_program_that_is_installed_is_taken():
    assert program("no-such-program", "sh").endswith("/sh")


@pytest.mark.parametrize(("ci", "outcome"), [("", pytest.skip), ("true", pytest.fail)])
def test_an_absent_program_skips_with_the_remedy_and_fails_in_ci(monkeypatch, ci, outcome):
    monkeypatch.setenv("CI", ci)
    with pytest.raises(
        outcome.Exception, match="no-such-program is not installed: run `make setup"
    ):
        program("no-such-program")
