"""Knows what may stand in generated code as a type or a function that the user names."""

from __future__ import annotations

import ast
import keyword
import re

_PARTS = (
    ast.Expression, ast.Name, ast.Attribute, ast.Subscript, ast.Tuple, ast.List, ast.Constant,
    ast.BinOp, ast.BitOr, ast.Load,
)  # fmt: skip
_DOTTED = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")


def is_type(text: str) -> bool:
    """Whether the text is a type and nothing that runs: `dict[str, app.models.Prefs] | None`."""
    try:
        tree = ast.parse(text, mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    starts_as_type = isinstance(tree.body, ast.Name | ast.Attribute | ast.Subscript | ast.BinOp)
    return starts_as_type and all(isinstance(node, _PARTS) for node in ast.walk(tree))


def is_dotted(text: str) -> bool:
    """Return whether the text names something in a module, or a module: `app.models.decode`."""
    parts = text.split(".")
    return _DOTTED.fullmatch(text) is not None and not any(map(keyword.iskeyword, parts))
