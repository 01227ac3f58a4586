"""The search passes arguments like a caller; a value of another type disproves nothing."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from aiosqlc.ir import SqlType, TypedParam
from aiosqlc.mysql import types

from tests.fuzz_mysql.values import choices

_SORTS = ("int", "text", "dec", "time", "clock", "net")


@pytest.mark.parametrize(
    ("kind", "python"),
    [
        (types.BIGINT, int),
        (types.BOOL, bool),
        (types.DECIMAL, Decimal),
        (types.DOUBLE, float),
        (types.VARCHAR, str),
        (types.UUID, str),
        (types.VARBINARY, bytes),
        (types.DATE, date),
        (types.DATETIME, datetime),
        (types.TIME, timedelta),
        (SqlType("", "year"), int),
    ],
)
def test_a_parameter_gets_values_of_its_type_whatever_it_stands_for(
    kind: SqlType, python: type
) -> None:
    param = TypedParam(1, "x", kind, not_null=True)
    assert {type(value) for sort in _SORTS for value in choices(param, sort)} == {python}
