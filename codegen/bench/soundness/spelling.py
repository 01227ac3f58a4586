"""Read types as tools write them: Python's annotations and TypeScript's types."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from dataclasses import replace

from bench.soundness.model import ANY, Kind

_LISTS = {"list", "Sequence", "List"}
_SCALARS = {
    **{name: name for name in ("int", "float", "bool", "str", "bytes", "date", "datetime", "time")},
    "Decimal": "Decimal",
    "UUID": "UUID",
    "timedelta": "timedelta",
    "memoryview": "bytes",
}
_ANY = {"Any", "object"}


_GENERIC_CLASS = re.compile(r"^(\s*class \w+)\[\w+\]", re.MULTILINE)
_ALIAS = re.compile(r"^(\s*)type \w+ = .*$", re.MULTILINE)


def module_of(text: str) -> ast.Module:
    """Parse a module that may use the type parameters and aliases of Python 3.12."""
    return ast.parse(_ALIAS.sub(r"\1pass", _GENERIC_CLASS.sub(r"\1", text)))


def in_python(text: str, names: Mapping[str, Kind] | None = None) -> Kind:
    """Return the type of an annotation; `names` are the classes that it may refer to.

    An unknown name is `any`: nothing is said of its values.
    """
    return _of_node(ast.parse(text, mode="eval").body, names or {})


def _of_node(node: ast.expr, names: Mapping[str, Kind]) -> Kind:
    if isinstance(node, ast.Constant):
        if node.value is None:
            return Kind("none", nullable=True)
        return in_python(node.value, names) if isinstance(node.value, str) else ANY
    if isinstance(node, ast.BinOp):
        return union(_of_node(node.left, names), _of_node(node.right, names))
    name = _name_of(node.value if isinstance(node, ast.Subscript) else node)
    if isinstance(node, ast.Subscript):
        inner = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        return _generic(name, inner, names)
    if name in names:
        return names[name]
    return Kind(_SCALARS[name]) if name in _SCALARS else _bare(name)


def _bare(name: str) -> Kind:
    if name in _LISTS:
        return Kind("list", items=(ANY,))
    return Kind("map", items=(ANY,)) if name == "dict" else ANY


def _generic(name: str, inner: list[ast.expr], names: Mapping[str, Kind]) -> Kind:
    if name == "Literal":
        values = [ast.literal_eval(item) for item in inner]
        kinds = {type(value).__name__ for value in values}
        return Kind(kinds.pop() if len(kinds) == 1 else "any", values=tuple(map(str, values)))
    items = [_of_node(item, names) for item in inner]
    if name == "Optional":
        return replace(items[0], nullable=True)
    if name in {"Annotated", "NotRequired", "Required"}:
        return items[0]
    if name in _LISTS:
        return Kind("list", items=(items[0],))
    if name == "tuple":
        return Kind("tuple", items=tuple(items))
    return Kind("map", items=(items[-1],)) if name in {"dict", "Mapping"} else ANY


def _name_of(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def union(one: Kind, other: Kind) -> Kind:
    """Return the type whose values are those of both."""
    if "none" in (one.name, other.name):
        return replace(other if one.name == "none" else one, nullable=True)
    if "any" in (one.name, other.name):
        return ANY
    nullable = one.nullable or other.nullable
    if one.name == other.name and one.values and other.values:
        return replace(one, values=one.values + other.values, nullable=nullable)
    parts = [p for k in (one, other) for p in (k.items if k.name == "union" else (k,))]
    return Kind("union", nullable, tuple(replace(part, nullable=False) for part in parts))


_TOKEN = re.compile(
    r"""\s*('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|-?\d[\d.]*|[\w$.]+|\[\]|.)""", re.DOTALL
)


def in_typescript(text: str, names: Mapping[str, Kind] | None = None) -> Kind:
    """Return the type of a TypeScript type. An unknown name is `any`."""
    return _Reader(_TOKEN.findall(text), names or {}).union()


class _Reader:
    """Reads a type from tokens, by recursive descent."""

    def __init__(self, tokens: list[str], names: Mapping[str, Kind]) -> None:
        self._tokens = [token for token in tokens if token.strip()]
        self._names = names

    def _next(self) -> str:
        return self._tokens[0] if self._tokens else ""

    def _take(self) -> str:
        return self._tokens.pop(0) if self._tokens else ""

    def union(self) -> Kind:
        if self._next() == "|":
            self._take()
        found = self._listed()
        while self._next() in {"|", "&"}:
            self._take()
            found = union(found, self._listed())
        return found

    def _listed(self) -> Kind:
        found = self._one()
        while self._next() == "[]":
            self._take()
            found = Kind("list", items=(found,))
        return found

    def _one(self) -> Kind:
        token = self._take()
        if token == "(":
            inner = self.union()
            self._take()
            return inner
        if token == "{":
            return self._object()
        if token == "[":
            return self._tuple()
        if token in {"null", "undefined", "void"}:
            return Kind("none", nullable=True)
        if token[:1] in "'\"":
            return Kind("string", values=(token[1:-1],))
        if token[:1].isdigit() or token[:1] == "-":
            return Kind("number", values=(token,))
        if token in {"true", "false"}:
            return Kind("boolean", values=(token,))
        if self._next() == "<":
            return self._generic(token)
        if token in {"string", "number", "boolean", "Date", "bigint", "Buffer"}:
            return Kind(token)
        return self._names.get(token, ANY)

    def _generic(self, name: str) -> Kind:
        self._take()
        inner = [self.union()]
        while self._next() == ",":
            self._take()
            inner.append(self.union())
        self._take()
        if name in {"Array", "ReadonlyArray"}:
            return Kind("list", items=(inner[0],))
        return Kind("map", items=(inner[-1],)) if name == "Record" else ANY

    def _tuple(self) -> Kind:
        items = []
        while self._next() not in {"]", ""}:
            items.append(self.union())
            if self._next() == ",":
                self._take()
        self._take()
        return Kind("tuple", items=tuple(items))

    def _object(self) -> Kind:
        keys, items, absent = [], [], set()
        while self._next() not in {"}", ""}:
            key = self._take().strip("'\"")
            if key in {";", ","}:
                continue
            if self._next() == "?":
                self._take()
                absent.add(key)
            self._take()  # the colon
            keys.append(key)
            items.append(self.union())
        self._take()
        return Kind("object", items=tuple(items), keys=tuple(keys), absent=frozenset(absent))


def spelled(kind: Kind) -> str:
    """Return a type in few words, for a report."""
    inside = [spelled(item) for item in kind.items]
    joined = ", ".join(inside)
    text = kind.name
    if kind.name in {"list", "map"}:
        text = f"{kind.name}[{joined}]"
    elif kind.name == "tuple":
        text = f"({joined})"
    elif kind.name == "union":
        text = " | ".join(inside)
    elif kind.name == "object":
        pairs = zip(kind.keys, inside, strict=True)
        text = "{" + ", ".join(f"{key}: {item}" for key, item in pairs) + "}"
    if kind.values:
        text = f"{text} in {', '.join(kind.values)}"
    return f"{text} or null" if kind.nullable and kind.name != "any" else text
