"""Infer whether a member can be NULL in a JSON document that the query itself builds."""

from __future__ import annotations

from aiosqlc.postgres.infer.conditions import called
from aiosqlc.postgres.infer.outputs import expression_type
from aiosqlc.postgres.infer.prover import Prover
from aiosqlc.postgres.infer.scope import Scope
from aiosqlc.postgres.infer.verdict import Verdict, never
from aiosqlc.postgres.tree import Datum, Node

_TEXT, _JSON, _JSONB, _UNKNOWN = 25, 114, 3802, 705
_NUMBERS = frozenset({20, 21, 23})  # int8, int2, int4
_SCALARS = _NUMBERS | {16, _TEXT}
_VARLENA = 4  # the length word before a text's bytes
# The parts of the jsonpath constant `$.key`: a header, the root with the position of the next item,
# and the key with its length and a final zero byte.
_HEAD, _ROOT, _KEY = 8, b"\x1b", b"\x19"
_QUERY, _VALUE = 1, 2  # JsonExprOp
_CASTS = frozenset({"int2", "int4", "int8", "numeric"})


def infer_member(p: Prover, node: Node, scope: Scope) -> Verdict | None:
    """Infer whether `document -> 'key'`, `->>` or their casts can be NULL.

    Return None for other calls.
    """
    name, args = p.facts.built_in(called(node)), node.list_of("args")
    if name in _CASTS and len(args) == 1 and expression_type(args[0]) == _JSONB:
        inner = args[0]
        if p.facts.built_in(called(inner)) != "jsonb_object_field":
            return None
        value = _member(p, inner["args"][0], _text(inner["args"][1]))
        number = value is not None and expression_type(value) in _NUMBERS
        return _is_value(p, value, scope) if number else None
    if name not in {"jsonb_object_field", "jsonb_object_field_text"}:
        return None
    value = _member(p, args[0], _text(args[1]))
    if not p.facts.holds("json-member", "the document has this member", value is not None):
        return None
    if name == "jsonb_object_field":
        return never("json-member", "the document has this member")
    return _is_value(p, value, scope)


def infer_path(p: Prover, node: Node, scope: Scope) -> Verdict | None:
    """Infer whether JSON_QUERY(document, '$.key') or JSON_VALUE() can be NULL.

    Return None if the document or the path is not supported.
    """
    given, result = node["formatted_expr"], node["returning"]["typid"]
    value = _member(p, given, _path_key(node["path_spec"])) if given is not None else None
    if value is None:
        return None
    if node["op"] == _QUERY:  # a text without quotes may be invalid JSON, and [1] is not a number
        whole = result == _JSONB and not node["omit_quotes"]
        return never("json-member", "the document has this member") if whole else None
    if node["op"] == _VALUE and result == expression_type(value) and result in _SCALARS:
        return _is_value(p, value, scope)
    return None


def _is_value(p: Prover, value: Node | None, scope: Scope) -> Verdict | None:
    """Infer whether a JSON member that is read as text or number can be NULL."""
    if value is None:
        return None
    plain = p.facts.is_built_in_type(expression_type(value)) and expression_type(value) not in {
        _JSON,
        _JSONB,
    }
    if not p.facts.holds("json-member", "the member's SQL value is not json or jsonb", plain):
        return None
    return p.all_of("json-member", [p.infer(value, scope)], "the document has this member")


def _member(p: Prover, document: Node, key: str | None) -> Node | None:
    """Return the value of a key in jsonb_build_object(); for a repeated key, the last value."""
    if document.kind != "FUNCEXPR" or document["funcvariadic"] or key is None:
        return None
    if p.facts.built_in(document["funcid"]) != "jsonb_build_object":
        return None
    args = document.list_of("args")
    keys = [_text(arg) for arg in args[::2]]
    if None in keys or key not in keys:
        return None
    values: dict[str | None, Node] = dict(zip(keys, args[1::2], strict=True))
    return values[key]


def _text(node: Node) -> str | None:
    """Return the text of a constant of type text or unknown, or None for other nodes."""
    value = node["constvalue"] if node.kind == "CONST" and not node["constisnull"] else None
    if not isinstance(value, Datum) or node["consttype"] not in {_TEXT, _UNKNOWN}:
        return None
    bare = value.data[_VARLENA:] if node["consttype"] == _TEXT else value.data.rstrip(b"\0")
    return bare.decode("utf-8", "replace")


def _path_key(node: Node) -> str | None:
    value = node["constvalue"] if node.kind == "CONST" and not node["constisnull"] else None
    if not isinstance(value, Datum):
        return None
    root, rest = value.data[_HEAD : _HEAD + 8], value.data[_HEAD + 8 :]
    length = int.from_bytes(rest[8:12], "little")
    end = 12 + length
    plain = root[:1] == _ROOT and rest[:1] == _KEY and not any(rest[4:8])
    if not plain or len(rest) != end + 1:
        return None
    return rest[12:end].decode("utf-8", "replace")
