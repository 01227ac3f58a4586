"""Trees that the tests write, and an engine with the facts of a test."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from aiosqlc.relational.port import Pessimist
from aiosqlc.relational.tree import (
    Column,
    Command,
    Condition,
    Constant,
    Derived,
    Equality,
    Expr,
    From,
    JoinItem,
    Key,
    KeyPart,
    Leaf,
    Limit,
    Query,
    Source,
    Table,
    UniqueKey,
)

INT = ("integers", "int")
TEXT = ("texts", "text")
ALL = frozenset({"limit", "one-row", "unique-key", "group-keys", "set-operation-rows", "some-row"})
UNLIMITED = Limit(exact=True, some=True, from_first=True)


class Adopting(Pessimist):
    """An engine without facts, in which every rule is enabled."""

    applies = ALL


class Knowing(Adopting):
    """An engine with a key of one integer column per table, which trusts every collation."""

    def __init__(self, *, without: str = "", predicate: tuple[str, ...] = ()) -> None:
        self.applies = ALL - {without}
        self.predicate = predicate

    def keys(self, table: Table) -> tuple[UniqueKey, ...]:
        del table
        part = KeyPart(column=1, cls=INT)
        return (UniqueKey(name="t_pkey", parts=(part,), predicate=self.predicate),)

    def deterministic(self, collation: object) -> bool:
        del collation
        return True

    def implies(self, condition: object, predicate: object, source: int) -> bool:
        del source
        return condition == predicate


def col(source: int, column: int, *absent: int, level: int = 0) -> Column:
    """Make a column of a source; `absent` are the joins that may have omitted it."""
    return Column(source=source, column=column, level=level, absent=frozenset(absent))


def equal(left: Expr, right: Expr | None = None, cls: tuple[str, str] = INT) -> Condition:
    """Make a condition that two expressions are equal; the default of the second is a constant."""
    classes, families = frozenset({cls}), frozenset({cls[0]})
    equality = Equality(
        left=left,
        right=right or Constant(),
        left_classes=classes,
        right_classes=classes,
        families=families,
        image=cls == INT,
    )
    return Condition(handle=None, meaning=equality)


def where(*conditions: Condition, items: Sequence[JoinItem] | None = None) -> From:
    """Make a FROM of source 1, or of these items, with conditions."""
    made = tuple(items) if items is not None else (Leaf(source=1),)
    return From(items=made, conditions=conditions, every_row=not conditions)


def select(
    root: From,
    *sources: Source,
    limit: Limit = UNLIMITED,
    outputs: Sequence[Expr] = (),
    distinct: tuple[Key, ...] = (),
) -> Query:
    """Make a plain SELECT of tables, or of these sources."""
    found = sources or (Table(relation=1),)
    return Query(
        command=Command.SELECT,
        sources=found,
        root=root,
        reads_from=tuple(range(1, len(found) + 1)),
        outputs=lambda: tuple(outputs),
        plain_list=True,
        every_group=True,
        distinct_keys=distinct,
        limit=limit,
    )


def derived(query: Query, *reads: Column) -> Derived:
    """Make a subquery in FROM that reads these columns beside it."""
    return Derived(query=the(query), reads=reads, stable=True)


def the(query: Query) -> Callable[[], Query]:
    """Return a function that returns a query."""
    return lambda: query
