"""Random queries about tenants: joins, subqueries, aggregates and set operations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import ClassVar

from tests.tenants.stored import Stored
from tests.tenants.tables import SOURCES, TENANT_COLUMNS

_WEIGHTS = {"issue": 20, "project": 12, "comment": 10, "mark": 6, "label": 10, "event": 4}
_DEEPEST = 3
# How a query compares tenants, and how often. Not each form restricts the rows to one tenant.
_PINS = {
    "{own} = {other}": 20,
    "{other} = {own}": 3,
    "{own} = ANY (ARRAY[{other}])": 1,
    "({own}, {alias}.n) = ({other}, 1)": 1,
    "NOT {own} <> {other}": 0.5,
    "{own} IS NOT DISTINCT FROM {other}": 0.5,
    "({own} = {other} OR {alias}.n = 1)": 0.5,
    "({own} = {other} AND {alias}.n = 1 OR {own} = {other} AND {alias}.n = 2)": 0.5,
    "{own} = coalesce({other}, 2)": 0.3,
    "{own} <= {other}": 0.3,
}


@dataclass(frozen=True)
class Item:
    """A source by its alias: its table or '', and its columns."""

    alias: str
    table: str
    columns: tuple[str, ...]


def tenant_of(item: Item) -> str:
    """Return the column of a source that stores the tenant, or an empty string."""
    return TENANT_COLUMNS.get(item.table, "tenant_id" if "tenant_id" in item.columns else "")


class Grammar:
    """Makes statements of one random sequence, each pinned more often than not."""

    sources: ClassVar[Mapping[str, Stored]] = SOURCES

    def __init__(self, random: Random) -> None:
        self._random = random
        self._count = 0
        self._joins = self._pins = self._inner_pins = 0.5
        self._with: dict[str, tuple[str, ...]] = {}

    def _may(self, share: float) -> bool:
        return self._random.random() < share

    def _usable(self, items: tuple[Item, ...]) -> tuple[Item, ...]:
        """Return the items whose columns a subquery in FROM may use."""
        return items

    def _refers(self, item: Item) -> Mapping[str, str]:
        """Return the tables that a source refers to, by its columns."""
        return self.sources[item.table].refers if item.table else {}

    def _tied(self, table: str) -> Iterator[str]:
        """Yield the tables to which a table refers, and the sources that refer to it."""
        yield from self.sources[table].refers.values() if table else ()
        yield from (
            name for name, stored in self.sources.items() if table in stored.refers.values()
        )

    def _alias(self) -> str:
        self._count += 1
        return f"t{self._count}"

    # --- queries, all with the columns id, tenant_id and n ------------------------------------

    def _query(self, depth: int, outer: tuple[Item, ...]) -> str:
        if depth < _DEEPEST and self._may(0.15):
            op = self._random.choice(("UNION ALL", "UNION", "EXCEPT", "INTERSECT"))
            left, right = self._query(depth + 1, outer), self._query(depth + 1, outer)
            return f"({left}) {op} ({right}){self._limit()}"
        items: list[Item] = []
        joined = self._joined(depth, outer, items)
        where = self._where(items, outer, depth)
        chosen = self._output(items, "tenant_id")
        key, n = self._output(items, "id"), self._n(items, outer, depth)
        shape = self._random.random()
        if shape < 0.1:
            having = f" HAVING {self._subquery(items, outer, depth)}" if self._may(0.3) else ""
            return (
                f"SELECT {key} AS id, {chosen} AS tenant_id, count(*)::int AS n FROM {joined}"
                f"{where} GROUP BY {key}, {chosen}{having}"
            )
        if shape < 0.16:
            columns = f"max({key}) AS id, max({chosen}) AS tenant_id, sum({n})::int AS n"
            return f"SELECT {columns} FROM {joined}{where}"
        if shape < 0.2:
            sets = self._random.choice((
                f"GROUPING SETS (({key}, {chosen}), ({chosen}))",
                f"GROUPING SETS (({key}, {chosen}))",
                f"ROLLUP ({chosen}, {key})",
                f"{key}, CUBE ({chosen})",
            ))  # fmt: skip
            columns = f"{key} AS id, {chosen} AS tenant_id, count(*)::int AS n"
            return f"SELECT {columns} FROM {joined}{where} GROUP BY {sets}"
        if shape < 0.25:
            window = self._random.choice((f"PARTITION BY {chosen}", f"ORDER BY {key}", ""))
            n = f"(count(*) OVER ({window}))::int"
        distinct = "DISTINCT " if self._may(0.1) else ""
        order = ""
        if not distinct and self._may(0.05):
            distinct, order = f"DISTINCT ON ({key}) ", f" ORDER BY {key}, 2, 3"
        columns = f"{key} AS id, {chosen} AS tenant_id, {n} AS n"
        lock = ""
        if not distinct and shape >= 0.25 and self._may(0.06):
            of = self._random.choice(("", f" OF {self._random.choice(items).alias}"))
            lock = f" FOR {self._random.choice(('UPDATE', 'NO KEY UPDATE', 'SHARE'))}{of}"
        return f"SELECT {distinct}{columns} FROM {joined}{where}{order or self._limit()}{lock}"

    def _limit(self) -> str:
        if not self._may(0.12):
            return ""
        return " ORDER BY 1, 2, 3 " + self._random.choice(
            ("LIMIT 2", "OFFSET 1", "FETCH FIRST 2 ROWS WITH TIES", "LIMIT NULL")
        )

    def _output(self, items: list[Item], name: str) -> str:
        item = self._random.choice(items)
        return f"{item.alias}.{name if name in item.columns else 'id'}"

    def _n(self, items: list[Item], outer: tuple[Item, ...], depth: int) -> str:
        if depth < _DEEPEST and self._may(0.2):
            inner = self._query(depth + 1, self._usable((*items, *outer)))
            return f"(SELECT {self._random.choice(('count(*)', 'max(s.n)'))}::int FROM ({inner}) s)"
        return f"{self._random.choice(items).alias}.n"

    # --- FROM ---------------------------------------------------------------------------------

    def _item(
        self, depth: int, lateral: tuple[Item, ...], beside: Sequence[Item] = ()
    ) -> tuple[str, Item]:
        alias = self._alias()
        if self._with and self._may(0.3):
            name = self._random.choice(tuple(self._with))
            return f"{name} {alias}", Item(alias, "", self._with[name])
        if depth < _DEEPEST and self._may(0.2):
            word = "LATERAL " if self._may(0.5) else ""
            inner = self._query(depth + 1, self._usable(lateral) if word else ())
            return f"{word}({inner}) {alias}", Item(alias, "", ("id", "tenant_id", "n"))
        weights = [_WEIGHTS.get(name, 2) for name in self.sources]
        (table,) = self._random.choices(tuple(self.sources), weights)
        tied = [name for item in beside for name in self._tied(item.table)]
        if tied and self._may(0.5):
            table = self._random.choice(tied)
        only = "ONLY " if self.sources[table].parent and self._may(0.3) else ""
        sample = " TABLESAMPLE BERNOULLI (100)" if self._may(0.01) else ""
        return f"{only}{table} {alias}{sample}", Item(alias, table, self.sources[table].columns)

    def _joined(
        self,
        depth: int,
        outer: tuple[Item, ...],
        items: list[Item],
        beside: Sequence[Item] = (),
    ) -> str:
        text, first = self._item(depth, outer, beside or outer)
        own = [first]
        while len(items) + len(own) < 4 and self._may(self._joins):
            kind = self._random.choices(
                ("JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"), (5, 4, 2, 0.2)
            )[0]
            if self._may(0.2):
                nested: list[Item] = []
                right = self._joined(_DEEPEST, (), nested)
                right = f"({right})" if len(nested) > 1 else right
            else:
                seen = (*own, *outer) if kind in {"JOIN", "LEFT JOIN"} else ()
                right, item = self._item(depth, seen, own)
                nested = [item]
            usable = all("tenant_id" in i.columns for i in (*own, *nested))
            if usable and len(own) == len(nested) == 1 and self._may(0.2):
                text = f"{text} {kind} {right} USING (tenant_id)"
                own += nested
                continue
            tests = [self._tie(nested, own)]
            tests += [
                self._pin(i, own)
                for i in (*nested, *own)
                if tenant_of(i) and self._may(0.85 if i in nested else 0.3)
            ]
            if self._may(0.15):
                tests.append(self._subquery([*own, *nested], (), depth))
            text = f"{text} {kind} {right} ON {' AND '.join(tests)}"
            own += nested
        items += own
        return text

    def _tie(self, one: list[Item], other: list[Item]) -> str:
        for left, right in ((one, other), (other, one)):
            for a in left:
                for b in right:
                    for column, tied in self._refers(a).items():
                        if tied == b.table and self._may(0.7):
                            text = f"{a.alias}.{column} = {b.alias}.id"
                            whole = self.sources[a.table].whole and self._may(0.5)
                            same = f" AND {a.alias}.tenant_id = {b.alias}.tenant_id"
                            return text + same if whole else text
        a, b = self._random.choice(one), self._random.choice(other)
        left, right = self._random.choice(a.columns), self._random.choice(b.columns)
        return f"{a.alias}.{left} = {b.alias}.{right}"

    # --- conditions ---------------------------------------------------------------------------

    def _pin(self, item: Item, others: Sequence[Item]) -> str:
        beside = [i for i in others if tenant_of(i) and i.alias != item.alias]
        if beside and self._may(0.5):
            chosen = self._random.choice(beside)
            other = f"{chosen.alias}.{tenant_of(chosen)}"
        else:
            other = "@tenant_id"
        (form,) = self._random.choices(tuple(_PINS), tuple(_PINS.values()))
        own = f"{item.alias}.{tenant_of(item)}"
        return form.format(own=own, other=other, alias=item.alias)

    def _where(self, items: list[Item], outer: tuple[Item, ...], depth: int) -> str:
        share = self._inner_pins if depth else self._pins
        around = [*items, *outer]
        tests = [self._pin(i, around) for i in items if tenant_of(i) and self._may(share)]
        if outer and self._may(0.6):
            tests.append(self._tie(items, list(outer)))
        if self._may(0.2):
            tests.append(self._subquery(items, outer, depth))
        if self._may(0.15):
            tests.append(f"{self._random.choice(items).alias}.n IS NULL")
        return f" WHERE {' AND '.join(tests)}" if tests else ""

    def _subquery(self, items: list[Item], outer: tuple[Item, ...], depth: int) -> str:
        inner = self._query(min(depth + 1, _DEEPEST), (*items, *outer))
        word = self._random.choice(("EXISTS", "NOT EXISTS"))
        if self._may(0.3):
            some = self._random.choice(items).alias
            return f"{some}.id {self._random.choice(('', 'NOT '))}IN (SELECT s.id FROM ({inner}) s)"
        return f"{word} ({inner})"
