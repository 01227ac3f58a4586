"""Messages for invalid values, which do not reveal the decoder to callers."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from enum import Enum
from typing import Any, Final, Literal, get_args, get_origin

_KINDS: Final = {
    "int": "a whole number",
    "float": "a number",
    "decimal": "a decimal number",
    "bool": "true or false",
    "str": "text",
    "bytes": "text in base64",
    "array": "a list",
    "object": "an object",
    "null": "null",
    "uuid": "a UUID",
    "datetime": "a time such as 2026-01-31T12:00:00Z",
    "date": "a date such as 2026-01-31",
    "time": "a time such as 12:00:00Z",
    "duration": "a duration such as PT1H30M",
}
_PARTS: Final = {
    "str": ("character", "characters"),
    "bytes": ("byte", "bytes"),
    "array": ("entry", "entries"),
    "object": ("member", "members"),
}
_BOUNDS: Final = {">=": "at least", "<=": "at most", ">": "more than", "<": "less than"}
_MOST_CHOICES: Final = 20


def sentence(reason: str, kind: Any = None) -> str:
    """Return the message for a value of type `kind` that msgspec refused with `reason`."""
    for pattern, words in _FORMS:
        if found := pattern.fullmatch(reason):
            return words(found, kind)
    return "is not valid"


def _length(found: re.Match[str], _: Any) -> str:
    what, bound, number = found["what"], found["bound"], int(found["n"])
    if (bound, number) == (">=", 1):
        return "must not be empty"
    one, many = _PARTS[what]
    return f"must have {_BOUNDS[bound]} {number} {one if number == 1 else many}"


def _entries(found: re.Match[str], _: Any) -> str:
    return f"must have {found['bound'] or ''}{found['n']} entries"


def _range(found: re.Match[str], _: Any) -> str:
    return f"must be {_BOUNDS[found['bound']]} {found['n'].removesuffix('.0')}"


def _type(found: re.Match[str], _: Any) -> str:
    names = found["what"].split(" | ")
    return f"must be {' or '.join(_KINDS.get(name, 'something else') for name in names)}"


def _one_of(_: re.Match[str], kind: Any) -> str:
    choices = list(_choices(kind))
    if 0 < len(choices) <= _MOST_CHOICES:
        return f"must be one of {', '.join(choices)}"
    return "is not one of the allowed values"


def _choices(kind: Any) -> Iterator[str]:
    """Yield the values of the enums and literals in a type."""
    if isinstance(kind, type) and issubclass(kind, Enum):
        yield from (str(member.value) for member in kind)
    elif get_origin(kind) is Literal:
        yield from map(str, get_args(kind))
    else:
        for argument in get_args(kind):
            yield from _choices(argument)


def _always(words: str) -> Callable[[re.Match[str], Any], str]:
    return lambda found, _: found.expand(words)


def not_json(what: str, error: Exception) -> str:
    """Return the message for the input `what` that could not be parsed."""
    if isinstance(error, RecursionError):
        return f"{what} is nested too deeply"
    if isinstance(error, UnicodeDecodeError):
        return f"{what} is not UTF-8"
    found = _BYTE.search(str(error))
    return f"{what} is not JSON (byte {found[1]})" if found else f"{what} is not complete JSON"


_BYTE: Final = re.compile(r"\(byte (\d+)\)")
_FORMS: Final = [
    (re.compile(pattern, re.DOTALL), words)
    for pattern, words in (
        (r"Expected `(?P<what>\w+)` of length (?P<bound>[<>]=) (?P<n>\d+)", _length),
        (
            r"Expected `array` of (?P<bound>at \w+ )?length (?P<n>\d+(?: to \d+)?)(?:, got \d+)?",
            _entries,
        ),
        (r"Expected `\w+` (?P<bound>[<>]=?) (?P<n>[-+.\de]+)", _range),
        (r"Expected `\w+` that's a multiple of (.+)", _always(r"must be a multiple of \1")),
        (r"Expected `\w+` matching regex .*", _always("does not have the right format")),
        (r"Expected `\w+` with a timezone component", _always("must have a time zone")),
        (r"Expected `\w+` with no timezone component", _always("must not have a time zone")),
        (r"Expected `(?P<what>[^`]+)`(?:, got `.*`)?", _type),
        (r"Invalid UUID(?: bytes)?", _always("is not a UUID")),
        (r"Invalid RFC3339 encoded (?P<what>\w+)", _type),
        (r"Invalid ISO8601 (?P<what>duration)", _type),
        (r"Invalid base64 encoded string", _always(f"must be {_KINDS['bytes']}")),
        (r"Invalid decimal string", _always(f"must be {_KINDS['decimal']}")),
        (r"Invalid (?:enum )?value .*", _one_of),
        (r".* out of range ?|Invalid epoch timestamp", _always("is out of range")),
        (r"Object missing required field `(.*)`", _always(r"must have the field \1")),
        (r"Object contains unknown field `(.*)`", _always(r"must not have the field \1")),
    )
]
