"""Generate random values from small sets, so that values are often equal and conditions match."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Sequence

from aiosqlc.ir import SqlType, TypeKind

_INTEGERS = ["0", "1", "2", "3", "5", "-1"]
_NUMBERS = ["0", "1.5", "2", "-3.25", "NaN"]
_UUIDS = [f"00000000-0000-7000-8000-00000000000{n}" for n in range(4)]
_DAYS = ["2024-01-01", "2024-02-29", "1999-12-31", "infinity"]
_MOMENTS = ["2024-01-01 00:00", "2024-02-29 12:30", "1999-12-31 23:59:59.5", "infinity"]
_JSON = ["{}", "[]", "null", '{"k": null}', '{"k": 1, "name": "x"}', "[1, null]", '"s"', "true"]
_VALUES: dict[str, list[str]] = {
    **dict.fromkeys(["int2", "int4", "int8", "oid"], _INTEGERS),
    **dict.fromkeys(["numeric", "float4", "float8"], _NUMBERS),
    "money": ["0", "1.5"],
    "bool": ["true", "false"],
    "uuid": _UUIDS,
    "date": _DAYS,
    **dict.fromkeys(["timestamp", "timestamptz"], _MOMENTS),
    "time": ["00:00", "12:30", "23:59:59.5"],
    "timetz": ["00:00+00", "12:30+02"],
    "interval": ["0", "1 day", "1 month", "-2 hours"],
    **dict.fromkeys(["json", "jsonb"], _JSON),
    "bytea": ["\\x", "\\x00ff", "\\x" + "ab" * 32],
    "inet": ["10.0.0.1", "::1"],
    "cidr": ["10.0.0.0/8"],
    "macaddr": ["08:00:2b:01:02:03"],
    "bit": ["0", "1"],
    "varbit": ["", "101"],
    "point": ["(0,0)", "(1,2)"],
    "tsvector": ["", "fat:1 cat:2"],
    "tsquery": ["fat & cat"],
    "xml": ["<a/>"],
    "char": ["a", "b"],
}
_TEXTS = ["", "a", "b", "x y", "Straße"]
# Texts that CHECK constraints often require: addresses, codes, numbers, dotted names, hashes.
_FORMS = ["ada@example.org", "EUR", "DE", "12345", "+4930123456", "a:b", "a.b", "ab" * 16]
_LITERAL = re.compile(r"'((?:[^']|'')*)'")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_MOST_WORDS = 40


class Sampler:
    """Generates random values; some are literals of the user's SQL texts `seen`."""

    def __init__(self, seed: int, seen: Iterable[str] = ()) -> None:
        self.random: random.Random = random.Random(seed)  # noqa: S311 - test data
        words = {w.replace("''", "'") for text in seen for w in _LITERAL.findall(text)}
        self._texts: list[str] = (
            _TEXTS + sorted(w for w in words if len(w) <= _MOST_WORDS)[:_MOST_WORDS]
        )

    def value(
        self, kind: SqlType, *, elements_null: bool = True, likely: Sequence[str] = ()
    ) -> str | None:
        """Return a value of a type as text, or None if the type is unsupported.

        `likely` are constants that the value will be compared with.
        """
        if kind.array_dims:
            return self._array(kind, elements_null=elements_null)
        if kind.kind is TypeKind.ENUM:
            return self.random.choice(kind.labels) if kind.labels else None
        if kind.kind is TypeKind.DOMAIN and kind.base is not None:
            return self.value(kind.base, likely=likely)
        if kind.kind is TypeKind.RANGE:
            return self.random.choice(["empty", "(,)"])
        if kind.kind is TypeKind.MULTIRANGE:
            return self.random.choice(["{}", "{(,)}"])
        if kind.kind is TypeKind.COMPOSITE:
            return "(" + "," * (len(kind.fields) - 1) + ")"
        values = _VALUES.get(kind.name)
        if values is not None and likely and self.chance(0.5):
            number = values in (_INTEGERS, _NUMBERS)
            fitting = [word for word in likely if not number or _NUMBER.fullmatch(word)]
            return self.random.choice(fitting or values)
        if values is None:
            words = self._texts
            if likely and self.chance(0.7):
                words = [*likely, *_FORMS]
            if kind.length is not None:
                words = [w for w in words if len(w) <= kind.length] or [""]
            return self.random.choice(words)
        return self.random.choice(values)

    def chance(self, of: float) -> bool:
        """Return True with the probability `of`, and otherwise False."""
        return self.random.random() < of

    def _array(self, kind: SqlType, *, elements_null: bool) -> str | None:
        """Return an array with its declared number of dimensions, or an empty array."""
        item = SqlType(
            kind.schema, kind.name, kind.kind, 0, kind.labels, kind.base, kind.fields,
            length=kind.length,
        )  # fmt: skip
        values = [self.value(item) for _ in range(self.random.randrange(3))]
        words = [
            '"' + v.replace("\\", "\\\\").replace('"', '\\"') + '"' for v in values if v is not None
        ]
        if elements_null and self.chance(0.3):
            words.append("NULL")
        inner = "{" * (kind.array_dims - 1) + ",".join(words) + "}" * (kind.array_dims - 1)
        return "{" + inner + "}" if words else "{}"
