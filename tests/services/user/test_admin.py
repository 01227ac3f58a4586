"""The operator's command that adds the first administrator."""

from __future__ import annotations

import asyncio
import io

import asyncpg
import pytest

from services.user import admin


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ((), ("Admin", "")),
        (("--name", "Ann Lee"), ("Ann", "Lee")),
        (("--name", " Mary Ann  Lee "), ("Mary Ann", "Lee")),
    ],
)
async def test_the_first_administrator_is_called_what_the_operator_says(
    new_database, monkeypatch, capsys, options, name
) -> None:
    url = await new_database("user")
    monkeypatch.setenv("USER_DATABASE_URL", url)
    monkeypatch.setattr("sys.stdin", io.StringIO("correct-Horse-9-battery\n"))
    assert await asyncio.to_thread(admin.main, ["boss@example.com", *options]) == 0
    assert capsys.readouterr().out.split()[-1] == "added"
    connection = await asyncpg.connect(url)
    try:
        row = await connection.fetchrow("SELECT first_name, last_name, role FROM account")
    finally:
        await connection.close()
    assert tuple(row) == (*name, "ADMIN")


@pytest.mark.parametrize("name", ["", "x" * 51])
def test_a_name_that_no_account_can_have_is_refused(monkeypatch, capsys, name) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("correct-Horse-9-battery\n"))
    assert admin.main(["boss@example.com", "--name", name]) == 2
    assert "not a valid name" in capsys.readouterr().err
