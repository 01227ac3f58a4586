"""What comparing two constants gives: known here where one value has one image in memory."""

from __future__ import annotations

from aiosqlc.postgres.catalog.facts import Facts
from aiosqlc.postgres.infer.conditions import FALSE, NULL, TRUE, called
from aiosqlc.postgres.tree import Datum, Node

# Built-in equalities that only one datum meets (those of text under a deterministic collation).
IMAGE_EQUALITIES = frozenset({
    "int2eq", "int4eq", "int8eq", "int24eq", "int28eq", "int42eq", "int48eq", "int82eq", "int84eq",
    "oideq", "booleq", "uuid_eq", "date_eq", "timestamp_eq", "timestamptz_eq", "time_eq",
    "date_eq_timestamp", "timestamp_eq_date", "byteaeq", "nameeq", "nameeqtext", "texteqname",
    "texteq", "chareq", "xideq", "cideq", "xid8eq", "tideq", "pg_lsn_eq", "macaddr_eq",
    "macaddr8_eq", "enum_eq",
})  # fmt: skip
_NUMERIC = "numeric_eq"
# Bits of a numeric's head: NaN and infinities, the short form, and where it keeps its scale.
_SPECIAL, _SHORT, _SHORT_SCALE, _LONG_SCALE = 0xC000, 0x8000, 0x1F80, 0x3FFF
_VARLENA = 4


def compared(node: Node, facts: Facts, subject: Node | None = None) -> str | None:
    """Return the outcome of an equality of two constants of one type; None where it is not known.

    `subject` is what `CASE subject WHEN …` compares: the test has a placeholder for it.
    """
    if node.kind not in {"OPEXPR", "NULLIFEXPR", "DISTINCTEXPR"} or len(node["args"]) != 2:
        return None
    left, right = (
        subject if arg.kind == "CASETESTEXPR" and subject is not None else arg
        for arg in node["args"]
    )
    if left.kind != "CONST" or right.kind != "CONST" or left["consttype"] != right["consttype"]:
        return None
    name = facts.built_in(called(node))
    one_image = (name in IMAGE_EQUALITIES or name == _NUMERIC) and facts.deterministic(
        node["inputcollid"]
    )
    if not facts.holds("constant-comparison", "one value has one image", one_image):
        return None
    if left["constisnull"] or right["constisnull"]:
        both = left["constisnull"] and right["constisnull"]
        known = NULL if node.kind != "DISTINCTEXPR" else TRUE if both else FALSE
    else:
        image = _number if name == _NUMERIC else _image
        known = TRUE if image(left) == image(right) else FALSE
    return _NOT.get(known, known) if node.kind == "DISTINCTEXPR" else known


_NOT = {TRUE: FALSE, FALSE: TRUE}


def _image(node: Node) -> bytes:
    value, width = node["constvalue"], node["constlen"]
    data = value.data if isinstance(value, Datum) else b""
    return data[:width] if width > 0 else data


def _number(node: Node) -> bytes:
    """Return a numeric's image without its scale: 1.0 is 1.00."""
    data = _image(node)[_VARLENA:]
    head = int.from_bytes(data[:2], "little")
    if head & _SPECIAL != _SPECIAL:
        head &= ~(_SHORT_SCALE if head & _SHORT else _LONG_SCALE)
    return head.to_bytes(2, "little") + data[2:]
