"""Compare the syntax trees of two texts that should be the same query in MySQL."""

from __future__ import annotations

from collections.abc import Sequence

from aiosqlc.mysql.syntax import parse


def unproved(pairs: Sequence[tuple[str, str, str]]) -> dict[str, str]:
    """Return, by query name, why two texts do not have the same syntax tree in sqlglot.

    A server could not decide this, because it describes the columns of a statement and not its
    syntax tree.
    """
    found: dict[str, str] = {}
    for name, old, new in pairs:
        one, other = parse(old), parse(new)
        if one is None or other is None:
            found[name] = (
                "the parser sqlglot does not support this syntax, so the formatting cannot be "
                "checked"
            )
        elif one.root != other.root:
            found[name] = "the formatted query would be parsed differently"
    return found
