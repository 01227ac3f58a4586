"""Values of each PostgreSQL type, edges among them, as the row classes and ranges of a driver."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from ipaddress import ip_address, ip_interface, ip_network
from typing import Any

import asyncpg
from hypothesis import strategies as st
from psycopg.types.range import Range

from tests.drivers.running import Subject

Values = st.SearchStrategy[Any]
_TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
_SOME_TEXTS = st.one_of(
    _TEXTS, st.sampled_from(["", "NULL", '"', "\\", "{}", "a,b", " ", "(", "é"])
)
_NUMERICS = st.one_of(
    st.decimals(-(10**20), 10**20, places=5),
    st.sampled_from([Decimal(text) for text in ("NaN", "Infinity", "-Infinity", "1E+20", "1E-20")]),
)
_DATES = st.one_of(st.dates(), st.sampled_from([date.max, date.min]))
_NAIVE = st.one_of(st.datetimes(), st.sampled_from([datetime.max, datetime.min]))  # noqa: DTZ901 - infinity
_FROM, _UNTIL = datetime(2, 1, 1), datetime(9998, 1, 1)  # noqa: DTZ001 - bounds of what has a zone
_AWARE = st.one_of(
    st.datetimes(_FROM, _UNTIL, timezones=st.just(UTC)),
    st.sampled_from([datetime.max, datetime.min]),  # noqa: DTZ901 - infinity
)
_INTERVALS = st.one_of(
    st.timedeltas(timedelta(days=-(10**6)), timedelta(days=10**6)),
    st.sampled_from([timedelta.max, timedelta.min]),
)
_INTS = st.integers(-(2**31), 2**31 - 1)
_ADDRESSES = st.one_of(
    st.ip_addresses(),
    st.sampled_from([ip_interface("10.1.2.3/8"), ip_interface("::1/64"), ip_address("0.0.0.0")]),
)
_NETWORKS = st.sampled_from(
    [ip_network("10.0.0.0/8"), ip_network("::/0"), ip_network("1.2.3.4/32")]
)
_JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**53), 2**53), _TEXTS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXTS, inner, max_size=3),
    max_leaves=5,
).map(json.dumps)


def _lists(values: Values) -> Values:
    return st.lists(values, max_size=4)


def _matrix(values: Values) -> Values:
    return st.integers(1, 3).flatmap(
        lambda width: st.lists(st.lists(values, min_size=width, max_size=width), max_size=3)
    )


PLAIN: dict[str, Values] = {
    "int2": st.integers(-(2**15), 2**15 - 1),
    "int4": _INTS,
    "int8": st.integers(-(2**63), 2**63 - 1),
    "oid": st.integers(0, 2**32 - 1),
    "xid8": st.integers(0, 2**64 - 1),
    "float4": st.floats(width=32),
    "float8": st.floats(),
    "numeric": _NUMERICS,
    "bool": st.booleans(),
    "text": _SOME_TEXTS,
    "varchar": _SOME_TEXTS,
    "bytea": st.binary(max_size=20),
    "uuid": st.uuids(),
    "date": _DATES,
    "time": st.times(),
    "timetz": st.times(timezones=st.just(UTC)),
    "timestamp": _NAIVE,
    "timestamptz": _AWARE,
    "interval": _INTERVALS,
    "json": _JSON,
    "jsonb": st.sampled_from(['{"a": [1, null, "é"]}', "[]", "null", '"x"', "1.50"]),
    "inet": _ADDRESSES,
    "cidr": _NETWORKS,
    "macaddr": st.sampled_from(["08:00:2b:01:02:03"]),
    "percent": st.integers(0, 100),
    "int4[]": _lists(_INTS),
    "int4[][]": _matrix(_INTS),
    "text[]": _lists(_SOME_TEXTS),
    "text[][]": _matrix(_SOME_TEXTS),
    "numeric[]": _lists(_NUMERICS),
    "uuid[]": _lists(st.uuids()),
    "bytea[]": _lists(st.binary(max_size=5)),
    "bool[]": _lists(st.booleans()),
    "float8[]": _lists(st.floats(allow_nan=False)),
    "float4[]": _lists(st.floats(allow_nan=False, width=32)),
    "date[]": _lists(_DATES),
    "timestamptz[]": _lists(_AWARE),
    "interval[]": _lists(_INTERVALS),
    "inet[]": _lists(_ADDRESSES),
    "percent[]": _lists(st.integers(0, 100)),
    "jsonb[]": _lists(st.sampled_from(['{"a": 1}', "[]", '"x, y"'])),
}
_BOUNDS = {
    "int4range": _INTS.filter(lambda value: value < 2**31 - 1),
    "int8range": st.integers(-(2**62), 2**62),
    "numrange": st.decimals(-1000, 1000, places=2),
    "daterange": st.dates(date(2, 1, 1), date(9998, 1, 1)),
    "tsrange": st.datetimes(_FROM, _UNTIL),
    "tstzrange": st.datetimes(_FROM, _UNTIL, timezones=st.just(UTC)),
}
RANGES = (*_BOUNDS, "int4range[]", "int4multirange", "tstzmultirange")
SCHEMA_TYPES = ("mood", "mood[]", "point3", "point3[]")
TYPES = (*PLAIN, *RANGES, *SCHEMA_TYPES)


def values_of(name: str, subject: Subject) -> Values:
    """Return the values that a column of a type may have, including NULL."""
    return st.none() | _present(name, subject)


def _present(name: str, subject: Subject) -> Values:
    if name in PLAIN:
        return PLAIN[name]
    if name.endswith("[]"):
        return _lists(_present(name[:-2], subject))
    models = subject.module("models")
    if name == "mood":
        return st.sampled_from(models.Mood)
    if name == "point3":
        return st.builds(
            models.Point3, st.none() | _INTS, st.none() | _NUMERICS, st.none() | _SOME_TEXTS
        )
    make = _maker(subject.driver)
    if name.endswith("multirange"):
        ranges = _ranges(_BOUNDS[name.replace("multirange", "range")], make, empty=False)
        return st.lists(ranges, max_size=1)
    return _ranges(_BOUNDS[name], make)


def _maker(driver: str) -> Callable[..., Any]:
    return asyncpg.Range if driver in {"asyncpg", "sqlalchemy"} else _psycopg_range


def _psycopg_range(lower: Any = None, upper: Any = None, *, empty: bool = False) -> Range[Any]:
    return Range(empty=True) if empty else Range(lower, upper, "[)" if lower is not None else "()")


def _ranges(bounds: Values, make: Callable[..., Any], *, empty: bool = True) -> Values:
    ordered = st.tuples(bounds, bounds).map(sorted).filter(lambda pair: pair[0] < pair[1])
    found = ordered.map(lambda pair: make(*pair))
    open_ended = bounds.map(lambda lower: make(lower, None))
    return st.one_of(found, open_ended, *([st.just(make(empty=True))] if empty else []))
