"""Find the name of a query by its text, even if the text was expanded for several rows."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, TypeVar

T = TypeVar("T")

# A row of values whose functions nest up to two deep, such as `(%s, lower(trim(%s)))`.
_CALL: Final = r"\([^()]*+\)"
_NESTED: Final = rf"\((?:[^()]++|{_CALL})*+\)"
_REPEATED: Final = re.compile(rf"(\((?:[^()]++|{_NESTED})*+\))(?:, \1)+")


def found_by_text(named: Mapping[str, T], query: str) -> T | None:
    """Return the value in `named` for a query's text, or None if the text is not in `named`.

    On MySQL, a bulk statement repeats the row of its VALUES, so the text depends on the number of
    rows. Such a text belongs to the statement with one row.
    """
    return named.get(query) or named.get(_REPEATED.sub(r"\1", query, count=1))
