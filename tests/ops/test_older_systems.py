"""docs/older-systems.md describes this platform as the code does."""

from __future__ import annotations

import re
from typing import get_args

import pytest
from msgspec import Meta

from devstack.settings import ROOT
from lib.auth.guards import forbidden
from lib.auth.principal import unauthorized
from lib.config import DatabaseSettings
from lib.db import postgres
from lib.resource.lists import MAX_PAGE_SIZE, PageQuery
from services.user.model import account

PAGE = (ROOT / "docs" / "older-systems.md").read_text()


def ours(begins: str) -> str:
    """Return the right cell of the row whose left cell starts with the text."""
    (row,) = (line for line in PAGE.splitlines() if line.startswith(f"| {begins}"))
    return row.split(" | ")[-1]


def meta(type_: object) -> Meta:
    (found,) = (one for one in get_args(type_) if isinstance(one, Meta))
    return found


def repeated(type_: object) -> str:
    """Return how often the pattern of a type allows a repeated character: `7 to 15`."""
    (bounds,) = re.findall(r"\{(\d+),(\d+)\}", meta(type_).pattern or "")
    return " to ".join(bounds)


NAME = meta(account.Name)
FIELDS = DatabaseSettings.model_fields
STATED = {
    "`email` has up to": f"up to {meta(account.Email).max_length} characters,",
    "`phone_number`": f"{repeated(account.Phone)} digits, optionally with `+` first",
    "names: 2 to 30": f"{NAME.min_length} to {NAME.max_length} letters",
    "passwords: 8 to 36": f"{repeated(account.NewPassword)};",
    "`personal_id_number`": f"{repeated(account.PersonalId)} digits",
    "a 401 has a different text for each reason": f"`{unauthorized().message}`",
    "`insufficient rights`": f"`{forbidden().message}`",
    "the default `page_size` is 10": (
        f"default is {PageQuery().page_size}; more than {MAX_PAGE_SIZE} is"
    ),
    "five attempts": (
        f"five attempts to connect at the start, 1 to {len(postgres.CONNECT_WAITS)} seconds"
    ),
    "pools of": f"({FIELDS['db_pool_min'].default}) to `<SVC>_DB_POOL_MAX` "
    f"({FIELDS['db_pool_max'].default})",
}


@pytest.mark.parametrize("row", STATED)
def test_a_difference_is_stated_as_the_code_has_it(row):
    assert STATED[row] in ours(row)


@pytest.mark.parametrize(
    ("row", "label"),
    [
        ("log exporter: labels", "`status`, `method`, `route`"),
        ("`<svc>_errors_total", "`circuit_breaker_state{upstream}`"),
        ("`DELETE` is 200", "204"),
        ("`POST auth/logout` is 200", "204"),
    ],
)
def test_a_difference_that_a_client_or_a_dashboard_meets_has_a_row(row, label):
    assert label in ours(row)
