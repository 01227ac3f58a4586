"""JSON Schemas for Python annotations, and conversion of annotated values from and to JSON.

`msgspec` does both. A value without a JSON form in msgspec (network addresses, ranges, bit strings
…) is sent as the text that Python prints. Such values are only supported in results.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from ipaddress import (
    IPv4Address,
    IPv4Interface,
    IPv4Network,
    IPv6Address,
    IPv6Interface,
    IPv6Network,
)
from types import UnionType
from typing import Any, Final, Union, get_args, get_origin

import msgspec

# Classes whose constructors parse text, so that JSON text is accepted for them.
_FROM_TEXT: Final = (
    IPv4Address,
    IPv4Interface,
    IPv4Network,
    IPv6Address,
    IPv6Interface,
    IPv6Network,
)
_NOT_FINITE: Final = ["NaN", "Infinity", "-Infinity"]


class NoJsonFormError(Exception):
    """Raised for an annotation whose values cannot be represented in JSON.

    The message names the class.
    """


def without(hint: Any, sentinel: str) -> Any:
    """Return a type; from a union, remove the class that is named `sentinel`.

    `SequenceNotStr`, a sequence type that excludes `str`, becomes `Sequence`.
    """
    if getattr(get_origin(hint), "__name__", "") == "SequenceNotStr":
        return Sequence[get_args(hint)[0]]  # type: ignore[misc] # known only at run time
    if get_origin(hint) not in {Union, UnionType}:
        return hint
    kept = tuple(
        without(item, sentinel)
        for item in get_args(hint)
        if getattr(item, "__name__", "") != sentinel
    )
    return Union[kept]  # noqa: UP007 - the members are known only at run time


def input_schema(hints: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the schema of each argument, and the definitions that the schemas share.

    Raises `NoJsonFormError` for an annotation whose values JSON cannot represent.
    """
    schemas, shared = msgspec.json.schema_components(
        list(hints.values()), schema_hook=_incoming, ref_template="#/$defs/{name}"
    )
    return dict(zip(hints, schemas, strict=True)), shared


def output_schema(hint: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the schema of a result, and the definitions that the schema uses."""
    (schema,), shared = msgspec.json.schema_components(
        [hint], schema_hook=_outgoing, ref_template="#/$defs/{name}"
    )
    return _with_not_finite(schema), _with_not_finite(shared)


def from_json(value: Any, hint: Any) -> Any:
    """Convert an argument to the annotated type. Raises `msgspec.ValidationError`."""
    return msgspec.convert(value, hint, dec_hook=_from_text)


def from_setting(text: str, hint: Any) -> Any:
    """Convert the text of a bound value to the annotated type, but never to None.

    Raises `msgspec.ValidationError`, `ValueError` or `NotImplementedError` if the text does not fit
    the type.
    """
    return msgspec.convert(text, without(hint, "NoneType"), strict=False, dec_hook=_from_text)


def to_json(value: Any) -> Any:
    """Convert a result to JSON values; numbers that are not finite become text."""
    return _finite(msgspec.to_builtins(value, enc_hook=str))


def _incoming(kind: Any) -> dict[str, Any]:
    if kind in _FROM_TEXT:
        return {"type": "string"}
    raise NoJsonFormError(getattr(kind, "__name__", str(kind)))


def _outgoing(_: Any) -> dict[str, Any]:
    return {"type": "string"}


def _from_text(kind: type, value: Any) -> Any:
    if kind in _FROM_TEXT and isinstance(value, str):
        return kind(value)
    raise NotImplementedError


def _with_not_finite(schema: Any) -> Any:
    """Return a schema that also accepts the texts for infinity and NaN in place of a number."""
    if isinstance(schema, list):
        return [_with_not_finite(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("type") == "number":
        return {"anyOf": [schema, {"enum": _NOT_FINITE}]}
    return {key: _with_not_finite(item) for key, item in schema.items()}


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return value
