"""Lets queries whose rows have one shape share one class, under each query's own name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from aiosqlc.plan.model import PyField, PyFunction


def share_shapes(functions: Iterable[PyFunction]) -> Iterator[PyFunction]:
    """Make a row class with the fields of an earlier one of its module another name of that."""
    first: dict[tuple[PyField, ...], str] = {}
    for function in functions:
        row = function.row.cls if function.row else None
        classes = []
        for cls in function.own_classes:
            known = first.setdefault(cls.fields, cls.name) if cls == row else cls.name
            classes.append(cls if known == cls.name else replace(cls, alias=known))
        yield replace(function, own_classes=tuple(classes))
