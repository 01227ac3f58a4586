"""Check whether a value and all nested values match a type annotation."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from enum import Enum
from functools import lru_cache
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints, is_typeddict

# Subclasses that are not accepted in place of the class: bool for int, datetime for date.
_NOT_MEANT: dict[type, type] = {int: bool, date: datetime}


# Cached, because evaluating a function's annotations takes longer than most calls of it.
hints_of: Callable[[Any], dict[str, Any]] = lru_cache(maxsize=2_000)(get_type_hints)
"""Return the evaluated annotations of a function or class. Raises their exceptions."""


def unlike(value: object, hint: Any, where: str = "result") -> str:
    """Say where a value or a nested value first has a wrong type, or return '' if none has."""
    if hint is Any or hint is object:
        return ""
    if hint is None or hint is NoneType:
        return "" if value is None else f"{where} is {value!r}, not None"
    origin = get_origin(hint)
    if origin in {Union, UnionType}:
        found = [unlike(value, item, where) for item in get_args(hint)]
        return "" if "" in found else found[0]
    if origin is Literal:
        return "" if value in get_args(hint) else f"{where} is {value!r}"
    if origin is tuple and isinstance(value, tuple) and Ellipsis not in get_args(hint):
        kinds = get_args(hint)
        if len(kinds) != len(value):
            return f"{where} has {len(value)} values, not {len(kinds)}"
        fields_of = zip(value, kinds, strict=True)
        found = [unlike(each, kind, f"{where}[{at}]") for at, (each, kind) in enumerate(fields_of)]
        return next((text for text in found if text), "")
    if origin in {list, tuple} and isinstance(value, list | tuple):
        item = (get_args(hint) or (Any,))[0]
        found = [unlike(each, item, f"{where}[]") for each in value]
        return next((text for text in found if text), "")
    if is_typeddict(hint):
        return _unlike_document(value, hint, where)
    kind = origin or hint
    if value is None:
        return f"{where} is None, but {getattr(kind, '__name__', kind)} is the declared type"
    if not isinstance(kind, type):
        return ""
    if not isinstance(value, kind) or type(value) is _NOT_MEANT.get(kind):
        return f"{where} is {type(value).__name__} {value!r}, not {kind.__name__}"
    if isinstance(value, Enum) or type(value) is not kind:
        return ""
    fields = getattr(kind, "__dataclass_fields__", None)
    if fields:
        hints = hints_of(kind)
        found = [unlike(getattr(value, name), hints[name], f"{where}.{name}") for name in fields]
        return next((text for text in found if text), "")
    return ""


def _unlike_document(value: object, hint: Any, where: str) -> str:
    """Say where a value first differs from a TypedDict, or return '' if it does not differ."""
    if not isinstance(value, dict):
        return f"{where} is {type(value).__name__} {value!r}, not {hint.__name__}"
    if missing := sorted(hint.__required_keys__ - value.keys()):
        return f"{where} has no {missing[0]!r}, which {hint.__name__} requires"
    hints = hints_of(hint)
    found = [
        unlike(value[name], kind, f"{where}[{name!r}]")
        for name, kind in hints.items()
        if name in value
    ]
    return next((text for text in found if text), "")
