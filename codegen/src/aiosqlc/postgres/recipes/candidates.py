"""SQL expressions to try as the value of a column in test data, the most readable first."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from aiosqlc.ir import SqlType, TypeKind
from aiosqlc.postgres.sampling import Sampler

_MOST_LABELS = 8
_LONGEST = 64
_LETTERS = "translate(left(md5({n}::text), %d), '0123456789abcdef', 'ABCDEFGHIJKLMNOP')"
_TEXTS = frozenset({"text", "varchar", "bpchar", "citext", "name"})
_INTEGERS = frozenset({"int2", "int4", "int8", "oid"})
_NUMBERS = frozenset({"numeric", "float4", "float8", "money"})
_MOMENTS = {
    "date": "(date '2024-01-01' + ({n} % 100000)::int)",
    "timestamp": "(timestamp '2024-01-01 00:00' + {n} * interval '1 minute')",
    "timestamptz": "(timestamptz '2024-01-01 00:00+00' + {n} * interval '1 minute')",
}
_RANGES = {
    "int4": "%s({n}::int, {n}::int + 1)",
    "int8": "%s({n}, {n} + 1)",
    "numeric": "%s({n}::numeric, {n}::numeric + 1)",
    "date": "%s(date '2024-01-01' + {n}::int, date '2024-01-02' + {n}::int)",
    "timestamp": "%s(timestamp '2024-01-01' + {n} * interval '1 hour',"
    " timestamp '2024-01-01 01:00' + {n} * interval '1 hour')",
    "timestamptz": "%s(timestamptz '2024-01-01 00:00+00' + {n} * interval '1 hour',"
    " timestamptz '2024-01-01 01:00+00' + {n} * interval '1 hour')",
}
_OTHERS = {
    "bool": ("false", "true"),
    "uuid": ("md5(%(seed)s || {n})::uuid",),
    "json": ("'{}'::json", "'[]'::json"),
    "jsonb": ("'{}'::jsonb", "'[]'::jsonb"),
    "bytea": ("decode(md5({n}::text), 'hex')", "sha256({n}::text::bytea)", "''::bytea"),
    "time": ("time '09:00'", "time '17:00'"),
    "timetz": ("timetz '09:00+00'",),
    "interval": ("interval '1 day'", "interval '0'"),
    "inet": ("('10.0.0.0'::inet + {n})",),
    "cidr": ("('10.0.0.0'::inet + {n})::cidr",),
    "macaddr": ("'08:00:2b:01:02:03'::macaddr",),
    "xml": ("'<a/>'::xml",),
    "hstore": ("''::hstore",),
    "ltree": ("('n' || {n})::ltree",),
    "tsvector": ("''::tsvector",),
    "tsquery": ("''::tsquery",),
    "point": ("point(0, 0)",),
    "char": ("'a'::\"char\"",),
}


def candidates(
    kind: SqlType, declared: str, place: tuple[str, str], likely: Sequence[str] = ()
) -> Iterator[str]:
    """Yield SQL expressions to try as the value of a column of a type.

    `declared` is the type as a column declaration names it, `place` are the names of the table and
    the column, and `likely` are the constants in the constraints of the column.
    """
    if kind.array_dims:
        yield _constant("{}", declared)
        yield from _sampled(kind, declared, likely)
    elif kind.kind is TypeKind.ENUM:
        yield from (_constant(label, declared) for label in kind.labels[:_MOST_LABELS])
    elif kind.kind is TypeKind.DOMAIN and kind.base is not None:
        for value in candidates(kind.base, _declared(kind.base), place, likely):
            yield f"({value})::{declared}"
    elif kind.kind is TypeKind.RANGE and kind.base is not None:
        if kind.base.name in _RANGES:
            yield _RANGES[kind.base.name] % declared
        yield from (_constant(text, declared) for text in ("empty", "(,)"))
    elif kind.kind is TypeKind.MULTIRANGE:
        yield _constant("{}", declared)
    elif kind.kind is TypeKind.COMPOSITE:
        yield _constant("(" + "," * (len(kind.fields) - 1) + ")", declared)
    elif kind.name in _TEXTS:
        yield from _texts(kind, place[1], likely)
    elif kind.name in _INTEGERS | _NUMBERS:
        yield from _numbers(kind, declared, likely)
    elif kind.name in _MOMENTS:
        yield from _moments(kind.name, declared, likely)
    else:
        seed = literal(f"{'.'.join(place)} ")
        yield from (value.replace("%(seed)s", seed) for value in _OTHERS.get(kind.name, ()))
        yield from _sampled(kind, declared, likely)


def _texts(kind: SqlType, word: str, likely: Sequence[str]) -> Iterator[str]:
    named = " ".join(re.findall(r"[A-Za-z0-9]+", word.lower())) or "text"
    values = [
        f"'{named} ' || {{n}}",
        "'user' || {n} || '@example.org'",
        f"'{named.replace(' ', '-')}-' || {{n}}",
        "{n}::text",
        "lower(md5({n}::text))",
        "'https://example.org/' || {n}",
        "'+49' || (100000000 + {n})",
        f"'{named.split()[0]}:n' || {{n}}",
        f"'{named.split()[0]}.n' || {{n}}",
        *(_LETTERS % length for length in (2, 3, 8)),
    ]
    for value in values:
        if kind.length is None:
            yield f"({value})"
        elif kind.length >= 20 or value in {"{n}::text", values[0]}:
            yield f"right({value}, {kind.length})"
        elif "md5" in value:
            yield f"left({value}, {kind.length})"
    # A condition may name a length: `length(isbn) = 13`.
    for length in [text for text in likely if text.isdecimal() and 0 < int(text) <= _LONGEST]:
        yield f"left(lower(md5({{n}}::text)), {length})"
        yield f"lpad({{n}}::text, {length}, '0')"
    for text in (*likely, "EUR", "DE", "12345", "a:b", "a.b", ""):
        if kind.length is None or len(text) <= kind.length:
            yield _constant(text, "text")


def _numbers(kind: SqlType, declared: str, likely: Sequence[str]) -> Iterator[str]:
    most = "{n}" if kind.name != "int2" else "({n} % 30000)"
    yield f"({most})::{declared}"
    literals = [text for text in likely if re.fullmatch(r"-?\d+(\.\d+)?", text)]
    if kind.name in _INTEGERS:
        literals = [text for text in literals if "." not in text]
    for text in ("1", "0", "2", "10", "100", *literals):
        yield _constant(text, declared)
    yield f"({{n}} % 10)::{declared}"
    for text in literals:
        yield f"({text} + {{n}} % 2)::{declared}"


def _moments(name: str, declared: str, likely: Sequence[str]) -> Iterator[str]:
    first = _MOMENTS[name]
    yield first
    for distance in ("1 day", "1 year", "-1 day"):
        yield f"({first} + interval '{distance}')::{declared}"
    for distance in ("1 hour", "-1 hour", "40 days"):
        yield f"(now() + interval '{distance}')::{declared}"
    yield from (_constant(text, declared) for text in likely if re.match(r"\d{4}-", text))


def _sampled(kind: SqlType, declared: str, likely: Sequence[str]) -> Iterator[str]:
    """Yield a few constants of a type, chosen in the same way as the values of random rows."""
    sampler = Sampler(0)
    drawn = [sampler.value(kind, elements_null=False, likely=likely) for _ in range(12)]
    yield from (_constant(text, declared) for text in dict.fromkeys(drawn) if text is not None)


def literal(text: str) -> str:
    """Return a text as an SQL literal."""
    return "'" + text.replace("'", "''").replace("{n}", "n") + "'"


def _constant(text: str, declared: str) -> str:
    return f"{literal(text)}::{declared}"


def _declared(kind: SqlType) -> str:
    """Return the SQL name of a type, which is the base type of a domain."""
    name = kind.name if kind.schema == "pg_catalog" else f'"{kind.schema}"."{kind.name}"'
    return f"{name}[]" if kind.array_dims else name
