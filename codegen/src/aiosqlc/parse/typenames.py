"""Check the types and functions that users specify for generated code."""

from __future__ import annotations

import ast
import builtins
import keyword
import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Final

BARE: Final[Mapping[str, tuple[str, str]]] = {
    "Any": ("typing", "Any"),
    "Literal": ("typing", "Literal"),
    "Decimal": ("decimal", "Decimal"),
    "UUID": ("uuid", "UUID"),
    "date": ("datetime", "date"),
    "datetime": ("datetime", "datetime"),
    "time": ("datetime", "time"),
    "timedelta": ("datetime", "timedelta"),
}
"""The type names that are valid without a module, with the imports they need."""
_LIKE = 0.8  # similarity from which a user's class counts as a misspelled type of Python
LISTS: Final = frozenset(
    {"list", "Sequence", "Collection", "Iterable", "tuple", "set", "frozenset"}
)

_PARTS = (
    ast.Expression, ast.Name, ast.Attribute, ast.Subscript, ast.Tuple, ast.List, ast.Constant,
    ast.BinOp, ast.BitOr, ast.Load,
)  # fmt: skip
_DOTTED = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")


def is_type(text: str) -> bool:
    """Return whether a text is a type annotation such as `dict[str, app.models.Prefs] | None`."""
    try:
        tree = ast.parse(text, mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    starts_as_type = isinstance(tree.body, ast.Name | ast.Attribute | ast.Subscript | ast.BinOp)
    return starts_as_type and all(isinstance(node, _PARTS) for node in ast.walk(tree))


def unknown_type(text: str) -> str:
    """Return the first bare name in a type that is not a known type, or ''."""
    nodes = list(ast.walk(ast.parse(text, mode="eval")))
    modules = [id(node.value) for node in nodes if isinstance(node, ast.Attribute)]
    bare = [n.id for n in nodes if isinstance(n, ast.Name) and id(n) not in modules]
    known = {*BARE, *LISTS}
    return next((name for name in bare if name not in known and not hasattr(builtins, name)), "")


def type_hint(name: str) -> str:
    """Return a hint for an unknown bare type name: a similar known name, or a dotted form."""
    known = [*BARE, "str", "int", "float", "bool", "bytes", "list", "dict"]
    like = get_close_matches(name, known, n=1, cutoff=_LIKE)
    if like:
        return f"did you mean `{like[0]}`?"
    return f"write the module before the type name, as in `app.models.{name}`"


def is_dotted(text: str) -> bool:
    """Return whether a text is the dotted path of a module or its member: `app.models.decode`."""
    parts = text.split(".")
    return _DOTTED.fullmatch(text) is not None and not any(map(keyword.iskeyword, parts))
