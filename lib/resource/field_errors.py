"""Find every invalid field of an input. This slow path runs for refused input only."""

from __future__ import annotations

import re
from itertools import islice
from typing import Any, get_args, get_origin

import msgspec

from lib.errors import FieldError
from lib.resource.messages import sentence

_ENOUGH = 100
_AT = re.compile(r" - at `\$?\.?(?P<path>.*)`$")


def collect(
    raw: Any, spec: type[msgspec.Struct], *, strict: bool, at: str = ""
) -> list[FieldError]:
    """Return one error for each field of `raw` that `spec` refuses, in field order.

    msgspec stops at the first error. This function converts each field alone, also in lists of
    structs. For unknown fields and for the items of a list, it returns only the first few errors,
    because the caller decides about their number.
    """
    if not isinstance(raw, dict):
        return [FieldError(at or "body", "must be an object")]
    problems: list[FieldError] = []
    fields = msgspec.structs.fields(spec)
    for field in fields:
        path = f"{at}.{field.encode_name}" if at else field.encode_name
        if field.encode_name in raw:
            problems += _of_value(raw[field.encode_name], field.type, strict, path)
        elif field.required:
            problems.append(FieldError(path, "is required"))
    if spec.__struct_config__.forbid_unknown_fields:
        known = {field.encode_name for field in fields}
        unknown = (str(name) for name in raw if name not in known)
        problems += [
            FieldError(f"{at}.{name}" if at else name, "is not known")
            for name in islice(unknown, _ENOUGH)
        ]
    return problems


def from_message(message: str) -> FieldError:
    """Return the field and this platform's message for msgspec's `Expected … - at `$.a.b``."""
    path, reason = _split(message)
    return FieldError(path or "body", sentence(reason))


def _of_value(value: Any, kind: Any, strict: bool, path: str) -> list[FieldError]:
    if _is_struct(kind):
        return collect(value, kind, strict=strict, at=path)
    if (
        get_origin(kind) in (list, tuple)
        and isinstance(value, list)
        and _is_struct(get_args(kind)[0])
    ):
        element = get_args(kind)[0]
        found = (
            problem
            for index, entry in enumerate(value)
            for problem in collect(entry, element, strict=strict, at=f"{path}[{index}]")
        )
        return list(islice(found, _ENOUGH))
    try:
        msgspec.convert(value, kind, strict=strict)
    except msgspec.ValidationError as error:
        inside, reason = _split(str(error))
        separator = "" if not inside or inside.startswith("[") else "."
        return [FieldError(f"{path}{separator}{inside}", _friendly(reason, kind))]
    return []


def _is_struct(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def _split(message: str) -> tuple[str, str]:
    """Return the path of the invalid value, and msgspec's reason."""
    found = _AT.search(message)
    return ("", message) if found is None else (found["path"], message[: found.start()])


def _friendly(reason: str, kind: Any) -> str:
    """Return the message that `kind` declares for `pattern` or `multiple_of`, or a default."""
    if "matching regex" in reason or "that's a multiple of" in reason:
        for meta in _metas(kind):
            if meta.extra and "message" in meta.extra:
                return str(meta.extra["message"])
    return sentence(reason, kind)


def _metas(kind: Any) -> list[msgspec.Meta]:
    found = [meta for meta in getattr(kind, "__metadata__", ()) if isinstance(meta, msgspec.Meta)]
    for argument in get_args(kind):
        found += _metas(argument)
    return found
