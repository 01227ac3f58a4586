"""Parse the server's node trees, in the text format of any server version.

The text is the output of `debug_print_rewritten`. This module does not know the fields of nodes, so
it also reads the new fields of a newer server. A node is parsed when it is first used, and equal
texts in a tree become one node object. Two nodes are equal if their texts are equal without source
positions. `located` returns nodes with source positions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Self

_LINE = 78  # the server breaks lines after at most this many bytes
_NUMBERS = r"\([ioxb](?: -?\d+)*\)"
# Brackets; a bracketed text without nesting, or with number lists only, is one match. The single
# brackets are alternatives, not a class, because the search is faster if all begin with a literal.
_BRACKETS = re.compile(
    rf"\\.|\([^(){{}}\\]*+\)|\{{[^(){{}}\\]*+(?:{_NUMBERS}[^(){{}}\\]*+)*+\}}|\(|\)|\{{|\}}",
    re.DOTALL | re.ASCII,
)
# The server escapes a blank, newline or tab in a name, but no other white space.
_WORD = re.compile(r"(?:\\.|[^ \n\t(){}\\])+", re.DOTALL | re.ASCII)
_UNESCAPE = re.compile(r"\\(.)", re.DOTALL | re.ASCII)
# Differences between two uses of an expression that do not affect its meaning.
_PLACE = re.compile(
    r" :(?:location|varnosyn|varattnosyn|stmt_location|stmt_len|list_start|list_end|rellockmode)"
    r" -?\d+",
    re.ASCII,
)
_NUMBER = re.compile(r"-?\d+", re.ASCII)
_DATUM = re.compile(r"(-?\d+) \[([ \d-]*)\]", re.ASCII)
_NODE = "{"
_MOST_TOKENS = 50_000
_MOST_NODES = 5_000  # most nodes of earlier trees that are shared with later trees
# A field without nested nodes: a word, a number list or a datum.
_FLAT = re.compile(
    rf" :(\w+) ({_NUMBERS}|(?:\\.|[^ \n\t(){{}}\\])+(?: \[[^\]]*\])?)", re.DOTALL | re.ASCII
)
_NUMBERED = frozenset("ioxb")


class Datum:
    """A constant's value: the bytes that the server stores, and the length that the tree states."""

    __slots__ = ("data", "length")

    def __init__(self, length: int, data: bytes) -> None:
        self.length = length
        self.data = data


class Node(dict[str, Any]):
    """A node of a parse tree: its kind, and its fields by name, parsed at first use.

    Values are int, str, bool, None, Node, list, frozenset (a bitmap set) or Datum. `text` is the
    node's text from the server, which can be searched without parsing. `memo` is a cache in which
    callers store data about the node.
    """

    __slots__ = ("_doc", "_start", "kind", "memo", "text")

    def __init__(self, doc: _Document, start: int, text: str) -> None:
        self._doc: _Document | None = doc
        self._start = start
        self.text = text
        self.kind = text[1 : text.find(" ")]  # without fields, up to the closing bracket
        self.memo: dict[str, Any] | None = None

    def _read(self) -> Self:
        doc, self._doc = self._doc, None
        if doc is not None:
            doc.read_fields(self._start, self)
        return self

    def __missing__(self, name: str) -> Any:
        if self._doc is None:
            raise KeyError(name)
        return self._read()[name]

    def __contains__(self, name: object) -> bool:
        return dict.__contains__(self._read(), name)

    def get(self, name: str, default: Any = None) -> Any:
        """Return a field's value, or the default if this server version's nodes lack the field."""
        return dict.get(self if self._doc is None else self._read(), name, default)

    def list_of(self, name: str) -> list[Any]:
        """Return the value of a list field; it is an empty list if the server writes `<>`."""
        return self[name] or []

    def names(self) -> list[str]:
        """Return the names of all fields, in the server's order."""
        return list(self._read())

    def children(self) -> list[tuple[str, Any]]:
        """Return the fields that may contain nodes, with their values."""
        return [item for item in dict.items(self._read()) if item[1].__class__ in (Node, list)]

    def has(self, kind: str) -> bool:
        """Return whether this node or one of its descendants has the kind `kind`."""
        return f"{{{kind} " in self.text

    def __bool__(self) -> bool:
        return True  # checked before its fields are parsed

    def __eq__(self, other: object) -> bool:
        return self is other or (other.__class__ is Node and self.text == other.text)

    def __hash__(self) -> int:  # type: ignore[override]  # it never changes
        return hash(self.text)

    def __repr__(self) -> str:
        return self.text


class _Document:
    """The text of one tree, with the positions of its brackets.

    `partner` maps each opening bracket to its closing bracket. `inside` maps an opening bracket to
    the opening brackets directly within it, if there are any. Brackets of number lists in a node
    without nested nodes are not recorded.
    """

    __slots__ = ("inside", "nodes", "partner", "text")

    def __init__(self, text: str, nodes: dict[str, Node]) -> None:
        self.text = text
        self.nodes = nodes
        self.partner: dict[int, int] = {}
        self.inside: dict[int, list[int]] = {}
        partner, inside = self.partner, self.inside
        opened: list[tuple[int, list[int]]] = []
        siblings: list[int] = []
        for match in _BRACKETS.finditer(text):
            at, end = match.span()
            char = text[at]
            if end - at > 1:
                if char != "\\":
                    partner[at] = end - 1
                    siblings.append(at)
            elif char in "{(":
                siblings.append(at)
                opened.append((at, siblings))
                siblings = inside[at] = []
            else:
                start, siblings = opened.pop()
                partner[start] = at

    def read_node(self, at: int) -> Node:
        key = self.text[at : self.partner[at] + 1]
        node = self.nodes.get(key)
        if node is None:
            node = self.nodes[key] = Node(self, at, key)
        return node

    def read_fields(self, start: int, node: Node) -> None:
        """Add the fields of the node whose text begins at `start`."""
        text, at = self.text, start + 1 + len(node.kind)
        for child in self.inside.get(start, ()):
            flat, _, name = text[at : child - 1].rpartition(" :")
            if flat:
                _add_flat(flat, node)
            node[name] = self.read_node(child) if text[child] == _NODE else self.read_list(child)
            at = self.partner[child] + 1
        if at < self.partner[start]:
            _add_flat(text[at : self.partner[start]], node)

    def read_list(self, at: int) -> Any:
        text, end = self.text, self.partner[at]
        if text[at + 1] in _NUMBERED and text[at + 2] in " )":
            return _TOKENS[text[at : end + 1]]
        values: list[Any] = []
        start, at = at, at + 1
        for child in self.inside.get(start, ()):
            if child - at > 1:
                values += _words(text[at:child])
            values.append(self.read_node(child) if text[child] == _NODE else self.read_list(child))
            at = self.partner[child] + 1
        if end > at:
            values += _words(text[at:end])
        return values


def _add_flat(text: str, node: Node) -> None:
    """Add the fields in a text without nested nodes to a node."""
    if "\\" not in text:
        try:
            node.update(map(_FIELDS.__getitem__, text.split(" :")[1:]))
        except _OddFieldError:
            pass
        else:
            return
    for name, token in _FLAT.findall(text):
        node[name] = _TOKENS[token]


def _words(text: str) -> list[Any]:
    """Return the values in a part of a list's text that contains no nested nodes."""
    return [_TOKENS[word] for word in _WORD.findall(text)]


class _OddFieldError(Exception):
    """Raised if a text is not exactly one field of a node."""


class _Fields(dict[str, tuple[str, Any]]):
    """A cache of parsed fields by their text, because trees repeat the same few texts."""

    def __missing__(self, text: str) -> tuple[str, Any]:
        match = _FLAT.fullmatch(f" :{text}")
        if match is None:
            raise _OddFieldError
        field = match[1], _TOKENS[match[2]]
        if len(self) < _MOST_TOKENS:
            self[text] = field
        return field


class _Tokens(dict[str, Any]):
    """A cache of parsed values by their text, because trees repeat the same few words."""

    def __missing__(self, token: str) -> Any:
        value = _new_value(token)
        if len(self) < _MOST_TOKENS:
            self[token] = value
        return value


_TOKENS = _Tokens()
_FIELDS = _Fields()
_CONSTANTS: dict[str, Any] = {"<>": None, "true": True, "false": False}


def _new_value(token: str) -> Any:
    if token in _CONSTANTS:
        return _CONSTANTS[token]
    if _NUMBER.fullmatch(token):
        return int(token)
    if token[0] == "(":
        numbers = [int(word) for word in token[2:-1].split()]
        return frozenset(numbers) if token[1] == "b" else numbers
    if token[-1] == "]" and (datum := _DATUM.fullmatch(token)):
        return Datum(int(datum[1]), bytes(int(byte) & 255 for byte in datum[2].split()))
    if token[0] == '"' and len(token) > 1:
        token = token[1:-1]
    return _UNESCAPE.sub(r"\1", token) if "\\" in token else token


def unwrap(dump: str) -> str:
    """Remove the line breaks that the server inserts into a tree's text.

    The server normally breaks a line at a blank, which is restored. A full line without a blank is
    a part of a longer word.
    """
    lines = dump.split("\n")
    if dump.isascii() and all(" " in line[1:] for line in lines if len(line) == _LINE):
        return " ".join(lines).strip()
    parts: list[str] = []
    for line in lines:
        parts.append(line)
        full = (
            len(line) == _LINE
            if line.isascii()
            else len(line.encode(errors="surrogateescape")) == _LINE
        )
        parts.append("" if full and " " not in line[1:] else " ")
    return "".join(parts).strip()


class Reader:
    """Parses trees; equal nodes of recent trees are the same object.

    Nodes from the catalog are cached as long as the reader exists. Nodes from queries are cached
    until there are too many.
    """

    def __init__(self) -> None:
        self._catalog: dict[str, Node] = {}
        self._queries: dict[str, Node] = {}

    def read(self, dump: str) -> list[Node]:
        """Parse the server's output for one statement, and return the rewritten queries in it.

        A rewrite rule can turn a statement into several queries, or into none.
        """
        if len(self._queries) > _MOST_NODES:
            # Breaks reference cycles, so that the nodes are freed immediately.
            self._queries.clear()
        return _read(without_places(unwrap(dump)), self._queries)

    def read_text(self, text: str) -> list[Node]:
        """Parse a tree from the catalog, where the text has no line breaks."""
        return _read(without_places(text), self._catalog)


def _read(text: str, nodes: dict[str, Node]) -> list[Node]:
    if not text or text == "<>":
        return []
    document = _Document(text, nodes)
    if text[0] == "{":
        return [document.read_node(0)]
    values = document.read_list(0)
    return [value for value in values if isinstance(value, Node)]


@lru_cache(maxsize=4)  # a tree is parsed, and compared soon after
def without_places(text: str) -> str:
    """Return a tree's text without the fields that say where a node is in the query's text."""
    return _PLACE.sub("", text)


def located(dump: str) -> list[Node]:
    """Parse the server's output; keep the fields that say where a node is in the query's text."""
    return _read(unwrap(dump), {})


def walk(value: Any) -> Iterator[Node]:
    """Yield every node in a value, starting with the value itself."""
    stack = [value]
    while stack:
        value = stack.pop()
        if isinstance(value, Node):
            yield value
            stack.extend(inner for _, inner in value.children())
        elif isinstance(value, list):
            stack.extend(value)
