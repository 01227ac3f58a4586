"""SQL expressions to try as the value of a column in test data, the most readable first."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal

from msgspec.structs import replace

from aiosqlc.analysis.recipes import cycles
from aiosqlc.ir import SqlType, TypeKind
from aiosqlc.postgres.sampling import Sampler

_MOST_LABELS = 8
_LONGEST = 64
_SHORT = 3
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_SIGNS = f"0123456789{_LETTERS}{_LETTERS.lower()}"
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
    "bool": ("false", "true", "({n} % 2 = 0)"),
    "uuid": ("md5(%(seed)s || {n})::uuid",),
    "json": ("'{}'::json", "'[]'::json"),
    "jsonb": ("'{}'::jsonb", "'[]'::jsonb", "jsonb_build_object('n', {n})", "to_jsonb({n})"),
    "bytea": ("decode(md5({n}::text), 'hex')", "sha256({n}::text::bytea)", "''::bytea"),
    "time": ("time '09:00'", "time '17:00'", "(time '00:00' + {n} * interval '1 second')"),
    "timetz": ("timetz '09:00+00'", "(timetz '00:00+00' + {n} * interval '1 second')"),
    "interval": ("interval '1 day'", "interval '0'", "({n} * interval '1 minute')"),
    "inet": ("('10.0.0.0'::inet + {n})",),
    "cidr": ("('10.0.0.0'::inet + {n})::cidr",),
    "macaddr": ("lpad(to_hex({n}), 12, '0')::macaddr",),
    "macaddr8": ("lpad(to_hex({n}), 16, '0')::macaddr8",),
    "pg_lsn": ("('0/' || to_hex({n} % 4294967296))::pg_lsn",),
    "xid8": ("{n}::text::xid8",),
    "xml": ("'<a/>'::xml",),
    "hstore": ("''::hstore",),
    "ltree": ("('n' || {n})::ltree",),
    "tsvector": ("''::tsvector", "('n' || {n})::tsvector"),
    "tsquery": ("''::tsquery", "('n' || {n})::tsquery"),
    "point": ("point(0, 0)",),
    "char": ("'a'::\"char\"", 'chr((33 + {n} % 94)::int)::"char"'),
}


def candidates(
    kind: SqlType, declared: str, place: tuple[str, str], likely: Sequence[str] = ()
) -> Iterator[str]:
    """Yield SQL expressions to try as the value of a column of a type.

    `declared` is the type as a column declaration names it, `place` are the names of the table and
    the column, and `likely` are the constants in the constraints of the column.
    """
    if kind.array_dims:
        yield from _arrays(kind, declared, place, likely)
    elif kind.kind is TypeKind.ENUM:
        yield from (_constant(label, declared) for label in kind.labels[:_MOST_LABELS])
        labels = ", ".join(map(literal, kind.labels))
        yield f"(array[{labels}])[{{n}} % {len(kind.labels)} + 1]::{declared}"
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
        if kind.name in {"bit", "varbit"}:
            size = re.search(r"\((\d+)\)", declared)
            bits = size[1] if size else "64"
            yield f"{{n}}::bit({bits})::{declared}"
        seed = literal(f"{'.'.join(place)} ")
        yield from (value.replace("%(seed)s", seed) for value in _OTHERS.get(kind.name, ()))
        yield from _sampled(kind, declared, likely)


def _arrays(
    kind: SqlType, declared: str, place: tuple[str, str], likely: Sequence[str]
) -> Iterator[str]:
    yield _constant("{}", declared)
    element = candidates(replace(kind, array_dims=0), declared.removesuffix("[]"), place)
    for value in (value for value in element if "{n}" in value):
        yield f"array[{value}]::{declared}"
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
    ]
    if kind.length is not None and kind.length <= _SHORT:
        yield _spelled(_SIGNS, kind.length)  # more values than with digits alone
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
        yield f"right(lpad({{n}}::text, greatest({length}, length({{n}}::text)), '0'), {length})"
        if int(length) <= _SHORT:
            yield _spelled(_SIGNS, int(length))
    for count in (2, 3, 8):
        if kind.length is None or count <= kind.length:
            yield _spelled(_LETTERS, count)
    for text in (*likely, "EUR", "DE", "12345", "a:b", "a.b", ""):
        if kind.length is None or len(text) <= kind.length:
            yield _constant(text, "text")


def _spelled(signs: str, length: int) -> str:
    """Return an expression for a text of some length that counts through all texts of `signs`."""
    base = len(signs)
    places = [base**power for power in reversed(range(length))]
    parts = (f"substr('{signs}', ({{n}} / {p} % {base})::int + 1, 1)" for p in places)
    return f"({' || '.join(parts)})"


def _numbers(kind: SqlType, declared: str, likely: Sequence[str]) -> Iterator[str]:
    if kind.name == "int2":
        yield f"({{n}} % 32768)::{declared}"
    else:
        yield f"({{n}})::{declared}"
    literals = [text for text in likely if re.fullmatch(r"-?\d+(\.\d+)?", text)]
    if kind.name in _INTEGERS:
        literals = [text for text in literals if "." not in text]
    for text in ("1", "0", "2", "10", "100", *literals):
        yield _constant(text, declared)
    places = kind.scale or 0 if kind.name == "numeric" else 0
    bounds = [Decimal(text) for text in literals]
    if kind.name == "numeric" and kind.precision is not None:
        most = Decimal(10) ** (kind.precision - places)
        bounds += [1 - most, Decimal(0), most]
        bounds = [bound for bound in bounds if -most <= bound <= most]
    elif kind.name == "int2":
        bounds += [Decimal(-32_768), Decimal(32_767)]
    for text in literals:
        yield f"({text} + {{n}})::{declared}"
        yield f"({text} - {{n}})::{declared}"
    for value in cycles(bounds, places, "({n} / %d %% %d)::numeric / %d"):
        yield f"({value})::{declared}"
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
