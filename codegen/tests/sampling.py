"""Slow test tables: every run uses their first rows, and the long run uses all."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest


def sample(first: int, rows: Iterable[Any]) -> list[Any]:
    """Return the rows for `parametrize`; those after the `first` few are marked `long`."""
    return [
        pytest.param(
            *(row if isinstance(row, tuple) else (row,)),
            marks=() if number < first else pytest.mark.long,
        )
        for number, row in enumerate(rows)
    ]
