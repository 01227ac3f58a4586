"""Types that MariaDB determines only when it runs a query, and that PREPARE may report wrongly.

MariaDB derives the fractional digits of a time, and the type of a digest, from constant arguments.
If an argument is a sub-select, it becomes a constant after the sub-select has run; this changes the
function's type. The length of a digest (`SHA2(x, ?)`) may also be a parameter; for an unsupported
length, the result is bytes.
"""

from __future__ import annotations

from sqlglot import exp

from aiosqlc.mysql.functions import arguments, name_of
from aiosqlc.mysql.reader import Reader
from aiosqlc.mysql.relations import Schema
from aiosqlc.mysql.syntax import mentions

# The argument that determines the type, and the kinds of values that the result may be. Times
# passed as parameters have all their digits.
_LATE = {
    "TIME_TO_SEC": (0, frozenset({"decimal"})),
    "UNIX_TIMESTAMP": (0, frozenset({"decimal"})),
    "SHA2": (1, frozenset({"text", "bytes"})),
}


def settled_late(sql: str, reader: Reader | None, schema: Schema) -> frozenset[str]:
    """Return the kinds of values (`types.family`) whose type may change when the query runs."""
    if reader is None:
        named = [kinds for name, (_, kinds) in _LATE.items() if mentions(sql, name)]
        views = [relation.settled_late for relation in schema.relations]
        return frozenset[str]().union(*named, *views)
    found = frozenset[str]()
    for level in reader.levels.values():
        for source in level.sources:
            found |= source.relation.settled_late if source.relation else frozenset()
    for node in reader.tree.root.walk():
        place, kinds = _LATE.get(name_of(node), (0, frozenset[str]()))
        argument = _argument(node, place) if kinds else []
        given = "bytes" in kinds and any(isinstance(n, exp.Placeholder) for n in argument)
        if given or any(_is_made(inner, reader) for inner in argument):
            found |= kinds
    return found


def _argument(node: exp.Expr, place: int) -> list[exp.Expr]:
    return [inner for argument in arguments(node)[place : place + 1] for inner in argument.walk()]


def _is_made(node: exp.Expr, reader: Reader) -> bool:
    """Return whether an expression is a sub-select, or a derived column that may contain one."""
    if not isinstance(node, exp.Column):
        return isinstance(node, exp.Query)
    level = reader.level_of(node)
    found = level.resolve(node) if level else None
    return found is None or found[1].relation is None or found[1].relation.is_view
