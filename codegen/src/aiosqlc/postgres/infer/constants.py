"""Evaluate constant expressions on the server, if they use only built-in functions."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from decimal import Decimal

from aiosqlc.postgres.catalog.facts import FIRST_USER_OID, Facts
from aiosqlc.postgres.infer.conditions import FALSE, NULL, TRUE, Outcomes, called
from aiosqlc.postgres.infer.outputs import expression_type
from aiosqlc.postgres.tree import Node

# Each value is the server's text or NULL.
Values = frozenset[str | None]

MANY_ROWS = 1000
_COUNTED = "(select count(*) from (select {} limit 1000) t)"
_MOST = 24  # most combinations of arguments that are tried
_TEXT, _VARCHAR, _TEXT_ARRAY = 25, 1043, 1009
_ARRAY_HEAD = 24  # length, dimensions, place of NULLs, element type, size and first index
_VARLENA = 4  # the length word before a value of variable length
# The types whose constants are decoded. Their texts do not depend on a clock or a setting, unlike
# `date 'today'`, `timestamptz '2024-01-01 00:00'` and `'t'::regclass`.
_INTEGERS = frozenset({"int2", "int4", "int8"})
_TEXTS = frozenset({"text", "varchar", "bpchar"})
# Text comparisons that do not depend on the collation if it is deterministic.
_BYTEWISE = frozenset({"texteq", "textne", "bpchareq", "bpcharne"})
_PASSED_ON = frozenset({"RELABELTYPE", "NAMEDARGEXPR", "COLLATEEXPR"})
_INTEGER_OIDS = frozenset({20, 21, 23})  # int8, int2, int4
_TO_INT8 = frozenset({481, 754})  # int8(int4), int8(int2)
_OUTCOMES = {"t": TRUE, "f": FALSE, None: NULL}
# The first two bytes of a numeric: masks for special values, the short form, and its parts.
_SPECIAL, _SHORT, _NEGATIVE = 0xC000, 0x8000, 0x4000
_WORDS = {0xC000: "NaN", 0xD000: "Infinity", 0xF000: "-Infinity"}


def outcomes_of(node: Node, facts: Facts, subject: Node | None = None) -> Outcomes | None:
    """Return the possible outcomes of a condition on constants, or None if they are unknown.

    `subject` is the operand x of `CASE x WHEN …`. A condition of this CASE contains a placeholder
    for x.
    """
    values = values_of(node, facts, subject)
    return None if values is None else frozenset(_OUTCOMES[value] for value in values)


def values_of(node: Node, facts: Facts, subject: Node | None = None) -> Values | None:
    """Return all values that an expression can have, whatever the tables contain.

    Return None if they are unknown. If the condition of a CASE is not constant, each result of the
    CASE is possible.
    """
    if subject is not None and node.has("CASETESTEXPR"):
        return _values(node, facts, subject)
    if node.memo is None:
        node.memo = {}
    if "values" not in node.memo:
        node.memo["values"] = _values(node, facts, None)
    found: Values | None = node.memo["values"]
    return found


def constant_int(node: Node | None) -> int | None:
    """Return the value of an integer constant, or None for any other node.

    The constant may be inside a cast, because the server converts the 1 of `LIMIT 1` by `int8(1)`.
    """
    while node is not None and node.kind == "FUNCEXPR" and len(node.list_of("args")) == 1:
        if node["funcid"] not in _TO_INT8:
            return None
        node = node["args"][0]
    if node is None or node.kind != "CONST" or node["constisnull"]:
        return None
    if node["consttype"] not in _INTEGER_OIDS:
        return None
    width = node["constlen"]
    return int.from_bytes(node["constvalue"].data[:width], "little", signed=True)


def text_array(node: Node) -> tuple[str, ...] | None:
    """Return the elements of a constant `text[]`, or None for any other expression.

    An array with several dimensions or a NULL element also gives None.
    """
    if node.kind == "ARRAYEXPR" and not node["multidims"]:
        texts = [text_constant(item) for item in node.list_of("elements")]
        return None if None in texts else tuple(text for text in texts if text is not None)
    if node.kind != "CONST" or node["constisnull"] or node["consttype"] != _TEXT_ARRAY:
        return None
    data: bytes = node["constvalue"].data
    dimensions, nulls, _, count = (
        int.from_bytes(data[at : at + 4], "little") for at in range(4, 20, 4)
    )
    if dimensions == 0:
        return ()
    if dimensions != 1 or nulls:
        return None
    found, at = [], _ARRAY_HEAD
    for _ in range(count):
        length = int.from_bytes(data[at : at + _VARLENA], "little") >> 2  # two bits are flags
        found.append(data[at + _VARLENA : at + length].decode())
        at += length + -length % 4  # elements are aligned
    return tuple(found)


def text_constant(node: Node) -> str | None:
    """Return the value of a constant of the type text, or None for any other expression.

    A varchar constant that is used as text also counts.
    """
    kind = _TEXT
    while node.kind == "RELABELTYPE" and node["resulttype"] == kind:
        node, kind = node["arg"], _VARCHAR
    if node.kind != "CONST" or node["constisnull"] or node["consttype"] != kind:
        return None
    found: bytes = node["constvalue"].data
    return found[_VARLENA:].decode()


def rows_of(node: Node, facts: Facts) -> int | None:
    """Return the number of rows of a set-returning function with constant arguments.

    Return None for any other node. The result `MANY_ROWS` means this number of rows or more.
    """
    if node.kind != "FUNCEXPR" or not node["funcretset"]:
        return None
    counts = _called(node, facts, None, _COUNTED.format)
    return int(next(iter(counts)) or 0) if counts and len(counts) == 1 else None


def _values(node: Node, facts: Facts, subject: Node | None) -> Values | None:
    if node.kind == "CONST":
        return _constant(node, facts)
    if node.kind == "CASETESTEXPR":
        return values_of(subject, facts) if subject is not None else None
    if node.kind in _PASSED_ON:
        return values_of(node["arg"], facts, subject)
    if node.kind == "CASEEXPR":
        return _case(node, facts)
    if node.get("funcretset") or node.get("opretset"):
        return None
    return _called(node, facts, subject, str)


def _case(node: Node, facts: Facts) -> Values | None:
    """Return the values that a CASE can have.

    If the condition of a branch is not constant, the branch is possible.
    """
    found, always = Values(), frozenset({TRUE})
    for when in node["args"]:
        possible = outcomes_of(when["expr"], facts, node["arg"])
        if possible is not None and TRUE not in possible:
            continue
        result = values_of(when["result"], facts)
        if result is None or possible == always:
            return None if result is None else found | result
        found |= result
    otherwise = values_of(node["defresult"], facts)
    return None if otherwise is None else found | otherwise


def _called(
    node: Node, facts: Facts, subject: Node | None, around: Callable[[str], str]
) -> Values | None:
    """Evaluate a call on the server for each combination of values that its arguments can have."""
    form = _form(node, facts)
    if form is None:
        return None
    write, arguments = form
    alternatives = []
    for argument in arguments:
        entry = facts.types.get(expression_type(argument))
        values = values_of(argument, facts, subject)
        if values is None or entry is None or entry.schema != "pg_catalog":
            return None
        alternatives.append([f'{_quoted(value)}::pg_catalog."{entry.name}"' for value in values])
    calls = sorted(around(write(list(given))) for given in itertools.product(*alternatives))
    return facts.calculated(calls) if len(calls) <= _MOST else None


def _form(node: Node, facts: Facts) -> tuple[Callable[[list[str]], str], list[Node]] | None:
    """Return the operands of a node, and a function that writes its SQL from their SQL texts."""
    if node.kind == "ARRAYEXPR":
        return lambda a: f"array[{', '.join(a)}]", node.list_of("elements")
    if node.kind == "COALESCEEXPR":
        return lambda a: f"coalesce({', '.join(a)})", node["args"]
    if node.kind == "BOOLEXPR":
        word = node["boolop"]
        return lambda a: f"(not {a[0]})" if word == "not" else f"({f' {word} '.join(a)})", node[
            "args"
        ]
    if node.kind == "SUBSCRIPTINGREF":
        plain = node["refassgnexpr"] is None and not node.list_of("reflowerindexpr")
        if not plain or not facts.is_array(node["refcontainertype"]):
            return None
        arguments = [node["refexpr"], *node.list_of("refupperindexpr")]
        return lambda a: f"({a[0]})" + "".join(f"[{place}]" for place in a[1:]), arguments
    function = facts.functions.get(called(node))
    if function is None or function.oid >= FIRST_USER_OID or node.get("funcvariadic"):
        return None
    # The result of chr() depends on the database's encoding, which may differ in production.
    settled = function.volatility == "i" and function.name != "chr"
    if not facts.holds(
        "constant-expression", "all functions of the expression are immutable", settled
    ):
        return None
    collation = node["inputcollid"]
    alike = not collation or (function.name in _BYTEWISE and facts.deterministic(collation))
    if not facts.holds("constant-expression", "no collation affects the result", alike):
        return None
    if node.kind == "NULLIFEXPR":
        return lambda a: f"nullif({a[0]}, {a[1]})", node["args"]
    if node.kind == "DISTINCTEXPR":
        return lambda a: f"({a[0]} is distinct from {a[1]})", node["args"]
    if node.kind in {"FUNCEXPR", "OPEXPR"}:
        return lambda a: f'pg_catalog."{function.name}"({", ".join(a)})', node.list_of("args")
    return None


def _quoted(value: str | None) -> str:
    if value is None:
        return "null"
    escaped = value.replace("\\", "\\\\").replace("'", "''")
    return f"E'{escaped}'"


def _constant(node: Node, facts: Facts) -> Values | None:
    name = facts.type_name(node["consttype"]) if facts.is_built_in_type(node["consttype"]) else ""
    if node["constisnull"]:
        return frozenset({None})
    data = node["constvalue"].data
    if name == "bool":
        return frozenset({"t" if any(data) else "f"})
    if name in _INTEGERS:
        return frozenset({str(int.from_bytes(data[: node["constlen"]], "little", signed=True))})
    if name in _TEXTS:
        return frozenset({data[_VARLENA:].decode("utf-8", "surrogateescape")})
    if name == "numeric":
        return frozenset({_number(data[_VARLENA:])})
    return None


def _number(data: bytes) -> str:
    """Decode a numeric value: a header, the weight of the first digit, and base-10,000 digits."""
    words = [int.from_bytes(data[at : at + 2], "little") for at in range(0, len(data), 2)]
    head = words[0]
    if head & _SPECIAL == _SPECIAL:
        return _WORDS[head]
    if head & _SHORT:
        negative, scale, digits = head & 0x2000, head >> 7 & 0x3F, words[1:]
        weight = (head & 0x3F) - (head & 0x40)
    else:
        negative, scale, digits = head & _NEGATIVE, head & 0x3FFF, words[2:]
        weight = words[1] - (words[1] >> 15 << 16)
    whole = sum(digit * 10000**place for place, digit in enumerate(reversed(digits)))
    exponent = 4 * (weight + 1 - len(digits))
    return f"{Decimal((int(bool(negative)), tuple(map(int, str(whole))), exponent)):.{scale}f}"


def has_field(row: Node, number: int) -> bool:
    """Return whether a field of a constant row is not NULL, by the NULL bits in its header."""
    data = row["constvalue"].data
    count, flags = (int.from_bytes(data[at : at + 2], "little") for at in (18, 20))
    marks = int.from_bytes(data[23 : 23 + (count % 2048 + 7) // 8], "little")
    return number <= count % 2048 and (not flags & 1 or bool(marks >> number - 1 & 1))
