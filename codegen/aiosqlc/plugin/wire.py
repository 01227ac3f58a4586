"""sqlc's plugin messages in protobuf's wire format, decoded to what its JSON format holds.

A dozen messages of strings, flags and numbers: the tables below are their whole definition.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5
_LONGEST_VARINT = 10


class WireError(ValueError):
    """The bytes are not the message they should be."""


@dataclass(frozen=True, slots=True)
class _Field:
    """A field: its name in JSON, and `text`, `flag`, `number` or the name of a message."""

    name: str
    kind: str
    repeated: bool = False


_TEXT, _FLAG, _NUMBER = "text", "flag", "number"
_MESSAGES: dict[str, dict[int, _Field]] = {
    "Request": {
        1: _Field("settings", "Settings"),
        2: _Field("catalog", "Catalog"),
        3: _Field("queries", "Query", repeated=True),
        4: _Field("sqlc_version", _TEXT),
        5: _Field("plugin_options", _TEXT),
        6: _Field("global_options", _TEXT),
    },
    "Settings": {
        1: _Field("version", _TEXT),
        2: _Field("engine", _TEXT),
        3: _Field("schema", _TEXT, repeated=True),
        4: _Field("queries", _TEXT, repeated=True),
    },
    "Catalog": {
        1: _Field("comment", _TEXT),
        2: _Field("default_schema", _TEXT),
        3: _Field("name", _TEXT),
        4: _Field("schemas", "Schema", repeated=True),
    },
    "Schema": {
        1: _Field("comment", _TEXT),
        2: _Field("name", _TEXT),
        3: _Field("tables", "Table", repeated=True),
        4: _Field("enums", "Enum", repeated=True),
        5: _Field("composite_types", "CompositeType", repeated=True),
    },
    "CompositeType": {1: _Field("name", _TEXT), 2: _Field("comment", _TEXT)},
    "Enum": {
        1: _Field("name", _TEXT),
        2: _Field("vals", _TEXT, repeated=True),
        3: _Field("comment", _TEXT),
    },
    "Table": {
        1: _Field("rel", "Identifier"),
        2: _Field("columns", "Column", repeated=True),
        3: _Field("comment", _TEXT),
    },
    "Identifier": {
        1: _Field("catalog", _TEXT),
        2: _Field("schema", _TEXT),
        3: _Field("name", _TEXT),
    },
    "Column": {
        1: _Field("name", _TEXT),
        3: _Field("not_null", _FLAG),
        4: _Field("is_array", _FLAG),
        5: _Field("comment", _TEXT),
        6: _Field("length", _NUMBER),
        7: _Field("is_named_param", _FLAG),
        8: _Field("is_func_call", _FLAG),
        9: _Field("scope", _TEXT),
        10: _Field("table", "Identifier"),
        11: _Field("table_alias", _TEXT),
        12: _Field("type", "Identifier"),
        13: _Field("is_sqlc_slice", _FLAG),
        14: _Field("embed_table", "Identifier"),
        15: _Field("original_name", _TEXT),
        16: _Field("unsigned", _FLAG),
        17: _Field("array_dims", _NUMBER),
    },
    "Query": {
        1: _Field("text", _TEXT),
        2: _Field("name", _TEXT),
        3: _Field("cmd", _TEXT),
        4: _Field("columns", "Column", repeated=True),
        5: _Field("params", "Parameter", repeated=True),
        6: _Field("comments", _TEXT, repeated=True),
        7: _Field("filename", _TEXT),
        8: _Field("insert_into_table", "Identifier"),
    },
    "Parameter": {1: _Field("number", _NUMBER), 2: _Field("column", "Column")},
}
_ABSENT: dict[str, Any] = {_TEXT: "", _FLAG: False, _NUMBER: 0}


def decode_request(data: bytes) -> dict[str, Any]:
    """Return sqlc's request as its JSON format has it. Raises `WireError`."""
    return _message(memoryview(data), "Request")


def encode_response(files: Sequence[tuple[str, str]]) -> bytes:
    """Return sqlc's response: the files' names and contents."""
    return b"".join(
        _delimited(1, _delimited(1, name.encode()) + _delimited(2, text.encode()))
        for name, text in files
    )


def _message(data: memoryview, kind: str) -> dict[str, Any]:
    fields = _MESSAGES[kind]
    found: dict[str, Any] = {
        field.name: [] if field.repeated else _ABSENT.get(field.kind) for field in fields.values()
    }
    for number, raw in _raw_fields(data):
        field = fields.get(number)
        if field is None:
            continue  # of a newer sqlc
        value = _value(raw, field)
        if field.repeated:
            found[field.name].append(value)
        else:
            found[field.name] = value
    return found


def _value(raw: int | memoryview, field: _Field) -> object:
    if isinstance(raw, int):
        if field.kind not in {_FLAG, _NUMBER}:
            message = f"`{field.name}` holds a number"
            raise WireError(message)
        return bool(raw) if field.kind == _FLAG else raw - ((raw >> 63) << 64)
    if field.kind == _TEXT:
        try:
            return bytes(raw).decode()
        except UnicodeDecodeError as error:
            message = f"`{field.name}` is not UTF-8"
            raise WireError(message) from error
    if field.kind not in _MESSAGES:
        message = f"`{field.name}` holds no number"
        raise WireError(message)
    return _message(raw, field.kind)


def _raw_fields(data: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Yield each field's number with its value; of fixed-width ones, which sqlc has not, none."""
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        width = {_FIXED64: 8, _FIXED32: 4}.get(tag & 7)
        if tag & 7 == _VARINT:
            number, at = _varint(data, at)
            yield tag >> 3, number
            continue
        if tag & 7 == _LENGTH:
            size, at = _varint(data, at)
        elif width is not None:
            size = width
        else:
            message = f"an unknown wire type, {tag & 7}"
            raise WireError(message)
        if at + size > len(data):
            message = "the message ends early"
            raise WireError(message)
        if tag & 7 == _LENGTH:
            yield tag >> 3, data[at : at + size]
        at += size


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    value = 0
    for shift, byte in enumerate(data[at : at + _LONGEST_VARINT]):
        value |= (byte & 0x7F) << (7 * shift)
        if byte < 0x80:
            return value & 0xFFFF_FFFF_FFFF_FFFF, at + shift + 1
    message = "the message ends early"
    raise WireError(message)


def _delimited(number: int, content: bytes) -> bytes:
    return _number(number << 3 | _LENGTH) + _number(len(content)) + content


def _number(value: int) -> bytes:
    parts = bytearray()
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*parts, value])
