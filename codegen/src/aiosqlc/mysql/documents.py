"""Infer the shape of a JSON value (members, types, nullability) from the SQL that builds it.

MySQL and MariaDB write some values differently. MariaDB may write a nested document as a text. If
the query needs a temporary table, MariaDB writes the result of a condition as 0 or 1. The generated
decoders accept both servers' forms, so both servers have the same shape.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from msgspec.structs import replace
from sqlglot import exp

from aiosqlc.analysis.json_shapes import (
    ANY,
    EMPTY,
    EMPTY_OBJECT,
    NULL,
    array_of,
    either,
    handed_on,
    object_of,
    part,
    text_of,
)
from aiosqlc.ir import JsonKind, JsonShape, SqlType, TypeKind
from aiosqlc.mysql import types
from aiosqlc.mysql.expressions import type_of
from aiosqlc.mysql.facts import IF_NOT_TRUE, IF_TRUE, Facts, facts_of, under
from aiosqlc.mysql.functions import name_of
from aiosqlc.mysql.nullness import Proof, infer
from aiosqlc.mysql.scope import Level, unwrap

if TYPE_CHECKING:
    from aiosqlc.mysql.reader import Reader

_CONSTANTS = {"[]": EMPTY, "{}": EMPTY_OBJECT}
# An empty list, an empty object or NULL. MariaDB expects a text without characters, too.
_EITHER_EMPTY = JsonShape(JsonKind.ANY)
_EMPTIES = frozenset({EMPTY, EMPTY_OBJECT, _EITHER_EMPTY})
# Functions whose result is a text, although the name begins with JSON.
_TEXTS = frozenset({"JSON_UNQUOTE", "JSON_VALUE", "JSON_TYPE", "JSON_EXTRACT_SCALAR"})
# The kinds of scalars (`types.family`) that both servers write alike, up to the decoders.
_NUMBERS = frozenset({"integer", "decimal", "float", "double"})
# MariaDB writes leading zeros, raw bytes and JSON that is cut off, which are not valid JSON.
_UNREADABLE = frozenset({"year", "bit", "json"})
_MOMENTS = frozenset({"date", "datetime", "timestamp", "time"})
# Expressions that always return the type that `type_of` infers, even if it is a date or a time.
_SETTLED = (exp.Column, exp.Coalesce, exp.Min, exp.Max, exp.If, exp.Case, exp.Subquery, exp.Cast)
_CLOCKS = frozenset({
    "CURDATE", "CURRENT_DATE", "CURRENT_TIMESTAMP", "LAST_DAY", "LOCALTIMESTAMP", "NOW", "SYSDATE",
    "UTC_DATE", "UTC_TIMESTAMP",
})  # fmt: skip
_MADE = frozenset({"JSON_OBJECT", "JSON_ARRAY", "JSON_ARRAYAGG", "JSON_OBJECTAGG"})
# Inside a document they are never NULL. Alone they are NULL if they exceed max_allowed_packet.
_NEVER_NULL = frozenset({"JSON_OBJECT", "JSON_ARRAY"})
# Functions whose type depends on their argument's value: integers or decimal numbers. (MariaDB
# may also write the result of EXISTS as a text.)
_LATE = frozenset({"TIME_TO_SEC", "UNIX_TIMESTAMP"})
# Functions that pass a Boolean on as it is, on MariaDB.
_ROUNDING = (exp.Round, exp.Ceil, exp.Floor)
_ROUNDED = frozenset({"ROUND", "TRUNCATE", "CEIL", "CEILING", "FLOOR"})
_DEEPEST = 30


def document(node: exp.Expr, proof: Proof, reader: Reader, depth: int = 0) -> JsonShape | None:
    """Return the JSON shape of an expression; the shape allows for JSON `null`, but not SQL NULL.

    Returns ANY for JSON of unknown structure. Returns None for a value that is not JSON, or that
    the server may write as invalid JSON.
    """
    node = unwrap(node)
    if depth > _DEEPEST:
        return ANY
    made = _Documents(proof, reader, depth + 1)
    if isinstance(node, exp.Column):
        found = proof.level.resolve(node)
        return handed_on(found[2].shape) if found else ANY
    if isinstance(node, exp.Subquery | exp.Query):
        outputs = reader.sub_select(node, proof.level).outputs
        return handed_on(outputs[0].shape) if outputs and len(outputs) == 1 else ANY
    if isinstance(node, exp.Coalesce):
        return handed_on(made.either((node.this, *node.expressions)))
    if isinstance(node, exp.If | exp.Case):
        return handed_on(made.branches(node))
    return made.called(node)


def listed(node: exp.Expr, proof: Proof, reader: Reader) -> JsonShape | None:
    """Return the JSON shape of a result column, or of the stored member that the column returns."""
    made = _Documents(proof, reader, 0)
    if not reader.has_json:
        return None
    if not made.may_be_json(node):
        return made.text(node)
    return _whole(document(node, proof, reader))


def _whole(shape: JsonShape | None) -> JsonShape | None:
    """Return a JSON shape, or None for that of `[]` or `{}`.

    MariaDB's temporary tables truncate these values.
    """
    return None if shape in _EMPTIES else shape


def is_document(shape: JsonShape | None) -> bool:
    """Return whether a result column with this JSON shape gets a generated type."""
    if shape is None or shape.kind is JsonKind.ANY:
        return False
    return shape.kind is JsonKind.STORED or not shape.nullable


def has_zeros(node: exp.Expr, level: Level, reader: Reader) -> bool:
    """Return whether the server may write a number with leading zeros, as ZEROFILL demands."""
    if not reader.schema.has_padded:
        return False
    for column in node.find_all(exp.Column):
        found = (reader.level_of(column) or level).resolve(column)
        if found is not None and found[2].padded:
            return True
    return False


class _Documents:
    """Infers the shapes of the JSON values of one SELECT or other statement."""

    def __init__(self, proof: Proof, reader: Reader, depth: int) -> None:
        self.proof = proof
        self.reader = reader
        self.depth = depth

    def called(self, node: exp.Expr) -> JsonShape | None:
        """Return the JSON shape of a function's result."""
        name = name_of(node)
        if name == "JSON_OBJECT":
            return self.object(node.expressions)
        if name == "JSON_ARRAY":
            items = [self.value(item) for item in node.expressions]
            return _tuple(items) if items else EMPTY
        if name == "JSON_ARRAYAGG":
            return self.list(node.expressions)
        if name == "JSON_OBJECTAGG":
            return self.map(node.expressions)
        if isinstance(node, exp.JSONExtract):
            return self.part(node)
        if isinstance(node, exp.Cast) and node.to.this.value == "JSON":
            return document(node.this, self.proof, self.reader, self.depth) or ANY
        return ANY if self.may_be_json(node) else None

    def object(self, args: Sequence[exp.Expr]) -> JsonShape | None:
        """Return the JSON shape of JSON_OBJECT."""
        pairs = _pairs(args)
        if not pairs:
            return EMPTY_OBJECT
        members = [(_key(key), self.value(value)) for key, value in pairs]
        known = [(key, value) for key, value in members if value is not None]
        return object_of(known) if len(known) == len(members) else None

    def list(self, args: Sequence[exp.Expr]) -> JsonShape | None:
        """Return the JSON shape of JSON_ARRAYAGG."""
        if len(args) != 1:
            return ANY
        item = self._per_row().value(_without_order(args[0]))
        return None if item is None else array_of(item)

    def map(self, args: Sequence[exp.Expr]) -> JsonShape | None:
        """Return the JSON shape of JSON_OBJECTAGG."""
        pairs = _pairs(args)
        if len(pairs) != 1:
            return ANY
        item = self._per_row().value(pairs[0][1])
        return None if item is None else JsonShape(JsonKind.MAP, members=(("", item),))

    def part(self, node: exp.JSONExtract | exp.JSONExtractScalar) -> JsonShape | None:
        """Return the JSON shape of the member or element at a constant path."""
        found = document(node.this, self.proof, self.reader, self.depth) or ANY
        path = node.expression
        if node.expressions or not isinstance(path, exp.JSONPath):
            return ANY
        first = found.kind is JsonKind.STORED and not found.path
        for place in path.expressions[1:]:
            found = _inside(found, place)
        if first and found.path:
            found = replace(found, nullable=infer(node.this, self.proof).null)
        return found

    def text(self, node: exp.Expr) -> JsonShape | None:
        """Return the shape of a stored JSON member that is read as text and always exists."""
        inner = node.expressions[0] if name_of(node) == "JSON_UNQUOTE" else node
        if not isinstance(inner, exp.JSONExtract | exp.JSONExtractScalar):
            return None
        found = self.part(inner)
        return text_of(found) if found and found.path and not found.nullable else None

    def either(self, nodes: Iterable[exp.Expr]) -> JsonShape | None:
        """Return the common JSON shape of alternative expressions."""
        return _common([self._alternative(node, self.proof) for node in nodes])

    def branches(self, node: exp.If | exp.Case) -> JsonShape | None:
        """Return the common JSON shape of the branches of IF or CASE."""
        return _common([self._alternative(*branch) for branch in _branches(node, self.proof)])

    def _alternative(self, node: exp.Expr, proof: Proof) -> JsonShape | None:
        """Return the JSON shape of a branch of IF or CASE; `'[]'` and NULL fit any list's shape."""
        node = unwrap(node)
        if isinstance(node, exp.Null):
            return NULL
        if isinstance(node, exp.Literal):
            return _CONSTANTS.get(node.name) if node.is_string else None
        return document(node, proof, self.reader, self.depth)

    # --- values in JSON ---------------------------------------------------------------------------

    def value(self, node: exp.Expr) -> JsonShape | None:
        """Return the shape of the JSON value that an expression is converted to.

        Returns None if the server may write invalid JSON.
        """
        node = unwrap(node)
        if isinstance(node, exp.Null):
            return ANY
        made = document(node, self.proof, self.reader, self.depth)
        if made is not None:
            return self._nested(node, made) if _whole(made) else None
        kind = type_of(node, self.proof.level, self.reader)
        found = self._scalar(node, kind) if kind else ANY
        if found is None or found.kind is JsonKind.ANY:
            return found
        return replace(found, nullable=infer(node, self.proof).null)

    def _nested(self, node: exp.Expr, made: JsonShape) -> JsonShape:
        """Return the JSON shape of a value that is placed inside another JSON document.

        The servers write the value as a text, unless a JSON function returns it. A decoder can
        recognize JSON in a text only if the JSON is a list or an object.
        """
        name = name_of(node)
        direct = name in _MADE or isinstance(node, exp.JSONExtract)
        if made.kind is JsonKind.ANY or (made.kind is JsonKind.SCALAR and not direct):
            return ANY
        null = made.nullable or (name not in _NEVER_NULL and infer(node, self.proof).null)
        return replace(made, nullable=null, type=made.type if direct else types.TEXT)

    def _scalar(self, node: exp.Expr, kind: SqlType) -> JsonShape | None:
        family = types.family(kind)
        zeros = has_zeros(node, self.proof.level, self.reader)
        if family == "bytes" or zeros or any(map(_is_cut, node.walk())):
            return None
        if kind.name in _UNREADABLE:
            return ANY if isinstance(node, exp.Placeholder) else None
        scalar = JsonShape(JsonKind.SCALAR, type=_bare(kind))
        if family in _NUMBERS:
            late = any(name_of(n) in _LATE or isinstance(n, exp.Exists) for n in node.walk())
            return ANY if late or any(map(self._rounds_boolean, node.walk())) else scalar
        if family in _MOMENTS:
            return scalar if isinstance(node, _SETTLED) or name_of(node) in _CLOCKS else ANY
        if family == "text":
            return ANY if self.may_be_json(node) else scalar
        return ANY

    def _rounds_boolean(self, node: exp.Expr) -> bool:
        """Return whether ROUND, CEIL or FLOOR may get a Boolean, which MariaDB writes as `true`."""
        if not isinstance(node, _ROUNDING) and name_of(node) not in _ROUNDED:
            return False
        rounded = next(iter(node.args.values()), None)
        rounded = rounded[0] if isinstance(rounded, list) and rounded else rounded
        if not isinstance(rounded, exp.Expr):
            return False
        kind = type_of(unwrap(rounded), self.proof.level, self.reader)
        return kind is None or _bare(kind) == types.BOOL

    def may_be_json(self, node: exp.Expr) -> bool:
        """Return whether MariaDB may insert a value as JSON into a document, and not as a text."""
        if name_of(node) in _TEXTS:
            return False
        return any(self._is_json(inner) for inner in node.walk())

    def _is_json(self, node: exp.Expr) -> bool:
        name = name_of(node)
        if name.startswith("JSON") and name not in _TEXTS:
            return True
        if not isinstance(node, exp.Column):
            return False
        level = self.reader.level_of(node) or self.proof.level
        found = level.resolve(node)
        return found is not None and found[2].shape is not None

    def _per_row(self) -> _Documents:
        """Return the object that infers shapes for an aggregate's argument.

        An argument is evaluated only for existing rows.
        """
        around = self.reader.levels[id(self.proof.level.node)]  # without the facts of a branch
        level = replace(around, bare_is_null=False)
        proof = replace(self.proof, level=level, given=frozenset())
        return _Documents(proof, self.reader, self.depth)


def _branches(node: exp.If | exp.Case, proof: Proof) -> Iterator[tuple[exp.Expr, Proof]]:
    """Yield each branch of CASE or IF with a `Proof` that knows the branch's condition."""
    level, is_slice = proof.level, proof.is_slice
    ifs = [node] if isinstance(node, exp.If) else node.args["ifs"]
    plain = isinstance(node, exp.If) or node.args.get("this") is None
    otherwise: Facts = frozenset()
    for branch in ifs:
        facts: Facts = facts_of(level, branch.this, IF_TRUE, is_slice) if plain else frozenset()
        yield branch.args["true"], _given(proof, otherwise | facts)
        if plain:
            otherwise |= facts_of(level, branch.this, IF_NOT_TRUE, is_slice)
    last = node.args.get("false" if isinstance(node, exp.If) else "default")
    if last is not None:
        yield last, _given(proof, otherwise)


def _given(proof: Proof, facts: Facts) -> Proof:
    return replace(proof.knowing(facts), level=under(proof.level, facts, proof.is_slice))


def _common(found: Sequence[JsonShape | None]) -> JsonShape | None:
    """Return the values' common JSON shape: None without JSON values, ANY if only some are JSON."""
    known = [shape for shape in found if shape is not None]
    if {NULL, *_EMPTIES}.issuperset(known):
        different = set(known)
        if len(known) < len(found) or different == {NULL}:
            return None
        return known[0] if len(different) == 1 else _EITHER_EMPTY
    return either(iter(known)) if len(known) == len(found) else ANY


def _pairs(args: Sequence[exp.Expr]) -> list[tuple[exp.Expr, exp.Expr]]:
    """Return the keys and values of JSON_OBJECT or JSON_OBJECTAGG."""
    return list(zip(args[::2], args[1::2], strict=False))


def _key(node: exp.Expr) -> str:
    """Return an object's key if it is a text constant, or '' for any other expression."""
    return node.name if isinstance(node, exp.Literal) and node.is_string else ""


def _tuple(items: Sequence[JsonShape | None]) -> JsonShape | None:
    known = [item for item in items if item is not None]
    if len(known) < len(items):
        return None
    return JsonShape(JsonKind.TUPLE, members=tuple(("", item) for item in known))


def _without_order(node: exp.Expr) -> exp.Expr:
    """Return the argument of JSON_ARRAYAGG without DISTINCT, ORDER BY and LIMIT."""
    while isinstance(node, exp.Order | exp.Limit):
        node = node.this
    if isinstance(node, exp.Distinct) and len(node.expressions) == 1:
        return _without_order(node.expressions[0])
    return node


def _inside(shape: JsonShape, place: exp.Expr) -> JsonShape:
    """Return the JSON shape of the member or element that one step of a JSON path finds.

    A path does not lead into a text that contains JSON.
    """
    if shape.type is not None:
        return ANY
    if isinstance(place, exp.JSONPathKey) and isinstance(place.this, str):
        return part(shape, place.this, None)
    at = place.this if isinstance(place, exp.JSONPathSubscript) else None
    return part(shape, None, at) if isinstance(at, int) and at >= 0 else ANY


def _is_cut(node: exp.Expr) -> bool:
    """Return whether MariaDB truncates a number like `2e10` (20000000000) in temporary tables."""
    return isinstance(node, exp.Literal) and not node.is_string and "e" in node.name.lower()


def _bare(kind: SqlType) -> SqlType:
    """Return a scalar's type without attributes that are not visible in its JSON value."""
    if kind.kind is TypeKind.ENUM:
        return kind
    is_bool = kind.name == types.BOOL.name and kind.length == types.BOOL.length
    return types.BOOL if is_bool else SqlType("", kind.name)
