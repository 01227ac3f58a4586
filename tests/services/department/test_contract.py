"""Both engines return equal rows for equal departments, with any texts."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest
from msgspec.structs import astuple

from lib.db.errors import CheckViolationError, UniqueViolationError
from lib.db.like import contains
from lib.ids import new_id
from services.department.store import departments, writes
from tests.services.calling import by_hand

ROWS = [
    ("Alpha", None),
    ("beta", "50% off_ street\\1"),
    ("Gamma", "'; DROP TABLE department; --"),
    ("Élan", "über"),
    ("Elan", "Ünter"),
    ("zeta 10", "%s"),
    ("zeta 9", "😀"),
]


@pytest.fixture
async def db(new_engine_database):
    async with by_hand(await new_engine_database("department")) as opened:
        for number, (name, address) in enumerate(ROWS):
            await writes(opened).add_department(id=UUID(int=number), name=name, address=address)
        yield opened


async def test_a_row_comes_back_as_it_went_in(db) -> None:
    for number, (name, address) in enumerate(ROWS):
        row = await departments(db).get_department(id=UUID(int=number))
        assert astuple(row)[:4] == (UUID(int=number), name, address, 1)
        assert row.created_at == row.updated_at
        assert abs((datetime.now(UTC) - row.created_at).total_seconds()) < 60
    assert await departments(db).get_department(id=new_id()) is None


async def test_names_are_in_one_order(db) -> None:
    expected = ["Alpha", "beta", "Elan", "Gamma", "zeta 10", "zeta 9", "Élan"]
    page = {"search": None, "page_size": 9, "skip": 0}
    rows, total = await departments(db).list_departments_by_name(**page)
    assert ([row.name for row in rows], total) == (expected, len(ROWS))
    page = {"search": None, "page_size": 2, "skip": 1}
    rows, total = await departments(db).list_departments_by_name_desc(**page)
    assert ([row.name for row in rows], total) == (expected[::-1][1:3], len(ROWS))


async def test_a_search_finds_the_same(db, subtests) -> None:
    for search, found in [
        ("ALPHA", {"Alpha"}),
        ("a", {"Alpha", "beta", "Gamma", "Élan", "Elan", "zeta 10", "zeta 9"}),
        ("%", {"beta", "zeta 10"}),
        ("_", {"beta"}),
        ("\\", {"beta"}),
        ("elan", {"Elan"}),
        ("ÉLAN", {"Élan"}),
        ("ü", {"Élan", "Elan"}),
        ("'; drop", {"Gamma"}),
        ("😀", {"zeta 9"}),
        ("nothing", set()),
    ]:
        with subtests.test(search=search):
            wanted = contains(search)
            page = {"search": wanted, "page_size": 9, "skip": 0}
            rows, total = await departments(db).list_departments_by_age(**page)
            assert ({row.name for row in rows}, total) == (found, len(found))


async def test_a_name_is_taken_whatever_its_case(db, subtests) -> None:
    for name in ["alpha", "BETA", "éLAN"]:
        with subtests.test(name=name):
            with pytest.raises(UniqueViolationError) as refused:
                await writes(db).add_department(id=new_id(), name=name, address=None)
            assert refused.value.constraint == "department_name_key"


async def test_the_schema_refuses_the_same(db, subtests) -> None:
    for name, address, constraint in [
        ("", None, "department_name_check"),
        (" x", None, "department_name_check"),
        ("x", "", "department_address_check"),
    ]:
        with subtests.test(name=name):
            with pytest.raises(CheckViolationError) as refused:
                await writes(db).add_department(id=new_id(), name=name, address=address)
            assert refused.value.constraint == constraint


async def test_a_change_makes_the_next_version(db) -> None:
    for version in (1, 2):
        assert (await writes(db).lock_department(id=UUID(int=0))).version == version
        await writes(db).change_department(id=UUID(int=0), name="Alpha", address=None)
    await writes(db).remove_department(id=UUID(int=0))
    assert await writes(db).lock_department(id=UUID(int=0)) is None


async def test_a_transaction_that_fails_leaves_nothing(db) -> None:
    async def add_twice() -> None:
        async with db.transaction() as tx:
            await writes(tx).add_department(id=new_id(), name="New", address=None)
            await writes(tx).add_department(id=new_id(), name="new", address=None)

    with pytest.raises(UniqueViolationError):
        await add_twice()
    page = {"search": None, "page_size": 1, "skip": 99}
    assert await departments(db).list_departments_by_name(**page) == ([], len(ROWS))
