"""Random statements about tenants in the syntax of MariaDB."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tests.tenants.grammar import Item, tenant_of
from tests.tenants.mysql.tables import SOURCES, TABLES
from tests.tenants.tables import TENANT_COLUMNS
from tests.tenants.writes import Statement, Statements

_COLUMNS = {name: table.columns for name, table in TABLES.items()}
_WRITTEN = (*(name for name in TABLES if name != "country"), "issue", "comment", "mark", "mark")
# The syntax of PostgreSQL in the common grammar, and what replaces it.
_SPELLINGS = (
    (re.compile(r"::\w+"), ""),
    (re.compile(r" = ANY \(ARRAY\[([^\]]+)\]\)"), r" IN (\1, \1)"),
    (re.compile(r"IS NOT DISTINCT FROM"), "<=>"),
    (re.compile(r"DISTINCT ON \([^)]*\)"), "DISTINCT"),
    (re.compile(r"GROUPING SETS \(\(([^)]*)\), \([^)]*\)\)"), r"\1 WITH ROLLUP"),
    (re.compile(r"GROUPING SETS \(\(([^)]*)\)\)"), r"\1"),
    (re.compile(r"(\S+, )CUBE \(([^)]*)\)"), r"\1\2 WITH ROLLUP"),
    (re.compile(r"\bROLLUP \(([^)]*)\)"), r"\1 WITH ROLLUP"),
    (re.compile(r" FOR (?:NO KEY )?UPDATE(?: OF \w+)?"), " FOR UPDATE"),
    (re.compile(r" FOR SHARE(?: OF \w+)?"), " LOCK IN SHARE MODE"),
    (re.compile(r" TABLESAMPLE BERNOULLI \(100\)"), ""),
    (re.compile(r"\bLATERAL "), ""),
    (re.compile(r"\b(?:NOT )?MATERIALIZED "), ""),
    (re.compile(r"FULL JOIN"), "JOIN"),
    (re.compile(r"LIMIT NULL"), "LIMIT 3"),
    (re.compile(r"OFFSET 1"), "LIMIT 9 OFFSET 1"),
    (re.compile(r"\bcount\(\*\)"), "CAST(COUNT(*) AS SIGNED)"),
    (re.compile(r"\bNULL AS\b"), "CAST(NULL AS SIGNED) AS"),
)


def spelled(text: str) -> str:
    """Return a statement of the common grammar in the syntax of MariaDB."""
    for pattern, other in _SPELLINGS:
        text = pattern.sub(other, text)
    return text.replace("CAST(COUNT(*) AS SIGNED) OVER", "COUNT(*) OVER")


class MysqlStatements(Statements):
    """Makes statements of one random sequence."""

    sources = SOURCES

    def statement(self) -> Statement:
        """Return a statement."""
        self._count, self._with = 0, {}
        self._joins = self._random.choice((0.1, 0.3, 0.5))
        self._pins = self._random.choice((0.4, 0.9, 0.95))
        self._inner_pins = self._random.choice((0.1, 0.8, 0.9))
        if self._may(0.45):
            return Statement(spelled(self._change()), returns=False, writes=True)
        head = ""
        if self._may(0.3):
            recursive = self._may(0.2)
            inner = self._query(1, ())
            if recursive:
                step = "SELECT i.id, i.tenant_id, i.n FROM issue i JOIN w ON i.project_id = w.id"
                pin = self._pin(Item("i", "issue", _COLUMNS["issue"]), ())
                inner = f"{self._query(2, ())} UNION {step} WHERE {pin}"
            head = f"WITH {'RECURSIVE ' if recursive else ''}w AS ({inner}) "
            self._with["w"] = ("id", "tenant_id", "n")
        return Statement(spelled(head + self._query(0, ())), returns=True, writes=False)

    def _usable(self, items: tuple[Item, ...]) -> tuple[Item, ...]:
        """Return no items: MariaDB has no LATERAL."""
        del items
        return ()

    def _subquery(self, items: list[Item], outer: tuple[Item, ...], depth: int) -> str:
        inner = min(depth + 1, 3)
        if self._may(0.3):
            some = self._random.choice(items).alias
            word = self._random.choice(("IN", "NOT IN"))
            return f"{some}.id {word} (SELECT s.id FROM ({self._query(inner, ())}) s)"
        word = self._random.choice(("EXISTS", "NOT EXISTS"))
        return f"{word} ({self._query(inner, (*items, *outer))})"

    def _change(self) -> str:
        table = self._random.choice(_WRITTEN)
        if self._may(0.45):
            return self._added(table)
        target = Item("w0", table, _COLUMNS[table])
        items: list[Item] = []
        if self._may(0.3):
            tests = [self._pin(target, ())] if tenant_of(target) else [f"w0.n = {self._number()}"]
            source = f"{table} w0"
        else:
            joined = self._joined(2, (), items)
            tests = [self._tie([target], items)]
            if tenant_of(target) and self._may(0.85):
                tests.append(self._pin(target, items))
            source = f"{table} w0 JOIN {joined}"
        where = self._where(items, (target,), 2) if items else ""
        tests += [where.removeprefix(" WHERE ")] if where else []
        condition = " AND ".join(tests)
        others = [item for item in items if item.table and item.table in _COLUMNS]
        both = [target, *self._random.sample(others, min(len(others), 1))]
        if self._may(0.4):
            heads = both if self._may(0.4) else [target]
            return f"DELETE {', '.join(i.alias for i in heads)} FROM {source} WHERE {condition}"
        sets = self._sets(target)
        if len(both) > 1 and self._may(0.4):
            sets += self._sets(both[1])
        return f"UPDATE {source} SET {', '.join(sets)} WHERE {condition}"

    def _sets(self, item: Item) -> list[str]:
        columns = item.columns[1:]
        chosen = self._random.sample(columns, min(len(columns), self._random.choice((1, 1, 2))))
        return [
            f"{item.alias}.{column} = {self._single([item], item, column)}" for column in chosen
        ]

    def _single(self, items: Sequence[Item], target: Item, column: str) -> str:
        """Return a value that does not depend on which of several joined rows is read first."""
        if column == TENANT_COLUMNS.get(target.table, "tenant_id") and self._may(0.7):
            return "@tenant_id"
        if self._may(0.15):
            inner = self._query(3, ())
            return f"(SELECT max(s.{self._random.choice(('id', 'n'))}) FROM ({inner}) s)"
        own = [f"{item.alias}.{c}" for item in items for c in item.columns]
        return self._random.choice(("@other", "NULL", "1", *own, *own))

    def _number(self) -> str:
        return self._random.choice(("@tenant_id", "@other", "1"))

    def _added(self, table: str) -> str:
        columns = _COLUMNS[table]
        verb = self._random.choice(("INSERT", "INSERT", "INSERT IGNORE", "REPLACE"))
        text = f"{verb} INTO {table} ({', '.join(columns)}) "
        update = self._duplicates(table) if verb != "REPLACE" and self._may(0.6) else ""
        if self._may(0.5):
            rows = []
            for at in range(self._random.choice((1, 2))):
                values = [f"CAST(@new AS SIGNED) + {at}" if self._may(0.8) else "@other"]
                values += [self._new(table, c) for c in columns[1:]]
                rows.append(f"({', '.join(values)})")
            return f"{text}VALUES {', '.join(rows)}{update}"
        items: list[Item] = []
        joined = self._joined(2, (), items)
        where = self._where(items, (), 2)
        values = [f"CAST(@new AS SIGNED) + {self._random.choice(items).alias}.id"]
        values += [self._value(items, table, column) for column in columns[1:]]
        order = ", ".join(map(str, range(1, len(columns) + 1)))
        return f"{text}SELECT {', '.join(values)} FROM {joined}{where} ORDER BY {order}{update}"

    def _new(self, table: str, column: str) -> str:
        if column == TENANT_COLUMNS.get(table, "tenant_id") and self._may(0.8):
            return "@tenant_id"
        return self._random.choice(("@other", "NULL", "1", "0", "2"))

    def _duplicates(self, table: str) -> str:
        own = TENANT_COLUMNS.get(table, "tenant_id")
        columns = _COLUMNS[table][1:]
        chosen = self._random.sample(columns, min(len(columns), self._random.choice((1, 2))))
        guard = own in _COLUMNS[table] and self._may(0.5)
        test = self._random.choice(
            (f"{own} = VALUES({own})", f"{own} = @tenant_id", f"VALUES({own}) = {own}", "n = 1")
        )
        sets = []
        for column in chosen:
            value = self._random.choice((f"VALUES({column})", "7", "@tenant_id", column))
            guarded = guard and self._may(0.9)
            sets.append(f"{column} = " + (f"IF({test}, {value}, {column})" if guarded else value))
        return f" ON DUPLICATE KEY UPDATE {', '.join(sets)}"
