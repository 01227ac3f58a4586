"""Build Arrow record batches from a row in which the server has joined each column's values."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterable, Iterator
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped, unused-ignore]
from pyarrow import compute  # type: ignore[import-untyped, unused-ignore]

_arrow: Any = pa  # its type stubs are a package of their own
_compute: Any = compute
_CODES = {
    _arrow.int16(): "h",
    _arrow.int32(): "i",
    _arrow.int64(): "q",
    _arrow.float32(): "f",
    _arrow.float64(): "d",
}
_DAYS = 10_957  # from 1970, where Arrow begins to count, to 2000, where the server does
_MICROSECONDS = _DAYS * 86_400_000_000


class ArrowError(ValueError):
    """Raised if the Arrow schema of a query cannot represent the query's result exactly."""


def arrow_schema(*fields: Any) -> pa.Schema:
    """Return an Arrow schema with these fields."""
    schema: pa.Schema = _arrow.schema(fields)
    return schema


def arrow_batch(row: Iterable[Any] | None, schema: pa.Schema) -> pa.RecordBatch:
    """Convert a row whose values are whole columns to a record batch.

    Raises ArrowError for a value that the schema cannot hold, such as infinity in a date. Also
    raises ArrowError if a column has another type than when the code was generated, or NULL
    although it could not have NULL then.
    """
    parts = iter(row or ())
    count, same = next(parts), next(parts)
    if not same:
        raise ArrowError("the type of a column has changed: run `aiosqlc generate` again")
    try:
        fields: Any = schema
        columns = [_column(field.name, field, count, parts) for field in fields]
        batch: pa.RecordBatch = _arrow.RecordBatch.from_arrays(columns, schema=schema)
        batch.validate(full=True)
    except _arrow.ArrowInvalid as error:
        raise ArrowError(str(error)) from error
    return batch


def _column(name: str, field: Any, count: int, parts: Iterator[Any]) -> Any:
    nulls = _nulls(name, count, next(parts)) if field.nullable else None
    present = count if nulls is None else count - nulls.true_count
    kind = field.type
    try:
        if _arrow.types.is_list(kind):
            return _lists(name, kind, count, nulls, parts)
        if kind in (_arrow.string(), _arrow.binary()):
            return _strings(name, kind, count, nulls, parts)
        found = _spread(_fixed(name, kind, present, next(parts) or b""), count, nulls)
        return kind.wrap_array(found) if kind == _arrow.uuid() else found
    except _arrow.ArrowInvalid as error:
        raise ArrowError(f"column `{name}`: {error}") from error


def _nulls(name: str, count: int, flags: bytes | None) -> Any:
    """Return an Arrow array that is true for each NULL, or None if there is no NULL."""
    flags = flags or b""
    nulls = _values(name, _arrow.uint8(), count, flags).cast(_arrow.bool_())
    return nulls if b"\1" in flags else None


def _lists(name: str, kind: Any, count: int, nulls: Any, parts: Iterator[Any]) -> Any:
    if next(parts) > 1:
        raise ArrowError(f"column `{name}`: an array with several dimensions does not fit a list")
    starts, end = _offsets(name, count, next(parts))
    values = _column(name, kind.value_field, end, parts)
    return _arrow.ListArray.from_arrays(starts, values, type=kind, mask=nulls)


def _strings(name: str, kind: Any, count: int, nulls: Any, parts: Iterator[Any]) -> Any:
    (starts, end), data = _offsets(name, count, next(parts)), next(parts) or b""
    if end != len(data):
        raise ArrowError(f"column `{name}`: the lengths of the values do not match the data")
    valid = None if nulls is None else _compute.invert(nulls).buffers()[1]
    buffers = [valid, starts.buffers()[1], _arrow.py_buffer(data)]
    return _arrow.Array.from_buffers(kind, count, buffers)


def _fixed(name: str, kind: Any, count: int, data: bytes) -> Any:
    """Return the values of a type with a fixed length, without the NULLs."""
    if kind in _CODES:
        return _values(name, kind, count, _native(_CODES[kind], data))
    if _arrow.types.is_boolean(kind):
        return _values(name, _arrow.uint8(), count, data).cast(kind)
    if _arrow.types.is_decimal(kind):
        return _decimals(name, kind, count, data)
    if kind == _arrow.uuid():
        return _values(name, kind.storage_type, count, data)
    if _arrow.types.is_date32(kind):
        days = _values(name, _arrow.int32(), count, _native("i", data))
        return _since_1970(name, days, _DAYS, 31).view(kind)
    times = _values(name, _arrow.int64(), count, _native("q", data))
    if _arrow.types.is_time64(kind):
        if count and _compute.max(times).as_py() == 86_400_000_000:
            raise ArrowError(f"column `{name}`: Arrow cannot represent the time 24:00")
        return times.view(kind)
    return _since_1970(name, times, _MICROSECONDS, 63).view(kind)


def _decimals(name: str, kind: Any, count: int, data: bytes) -> Any:
    """Parse decimal numbers; the server sends their digits, with a comma after each number."""
    digits = _compute.split_pattern(_arrow.array([data.decode()]), ",").values[:-1]
    _expect(name, count, len(digits))
    try:
        return digits.cast(kind)
    except _arrow.ArrowInvalid as error:
        if b"NaN" in data or b"Infinity" in data:
            raise
        raise ArrowError(
            f"column `{name}`: a number has more digits than the schema allows:"
            " run `aiosqlc generate` again"
        ) from error


def _since_1970(name: str, values: Any, epoch: int, bits: int) -> Any:
    """Count dates or times from 1970 instead of 2000; raise an error for an infinite one."""
    ends = _compute.min_max(values)
    if ends["min"].as_py() == -(1 << bits) or ends["max"].as_py() == (1 << bits) - 1:
        raise ArrowError(f"column `{name}`: Arrow cannot represent an infinite date or time")
    return _compute.add_checked(values, _arrow.scalar(epoch, values.type))


def _values(name: str, kind: Any, count: int, data: Any) -> Any:
    width = kind.bit_width // 8
    buffer = _arrow.py_buffer(data)
    _expect(name, count * width, buffer.size)
    return _arrow.Array.from_buffers(kind, count, [None, buffer])


def _expect(name: str, expected: int, size: int) -> None:
    """Raise an error if the number of values, or of their bytes, is not the expected number."""
    if size != expected:
        raise ArrowError(
            f"column `{name}`: a value is NULL, but the schema does not allow NULL:"
            " run `aiosqlc generate` again"
        )


def _offsets(name: str, count: int, lengths: bytes | None) -> tuple[Any, int]:
    """Return the starts of the values as an Arrow array, and the end of the last value."""
    found = _values(name, _arrow.int32(), count, _native("i", lengths or b""))
    ends = _compute.cumulative_sum_checked(found)
    starts = _arrow.concat_arrays([_arrow.array([0], _arrow.int32()), ends])
    return starts, starts[count].as_py()


def _native(code: str, data: bytes) -> array[Any]:
    """Return numbers in this machine's byte order; the server sends them in network byte order."""
    values: array[Any] = array(code, data)
    if sys.byteorder == "little":
        values.byteswap()
    return values


def _spread(values: Any, count: int, nulls: Any) -> Any:
    """Insert a NULL at each position at which `nulls` is true."""
    if nulls is None:
        return values
    empty = _arrow.nulls(count, values.type)
    return _compute.replace_with_mask(empty, _compute.invert(nulls), values)
