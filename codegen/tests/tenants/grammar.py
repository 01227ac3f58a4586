"""Random statements about tenants: joins, subqueries, WITH, set operations and writes."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

SCHEMA = """\
CREATE TABLE person (id int PRIMARY KEY, n int);
CREATE TABLE project (id int PRIMARY KEY, tenant_id int, n int, UNIQUE (tenant_id, n));
CREATE TABLE issue (
    id int PRIMARY KEY, tenant_id int, n int,
    project_id int REFERENCES project, assignee int REFERENCES person
);
CREATE TABLE comment (
    id int PRIMARY KEY, issue_id int REFERENCES issue, author int REFERENCES person, n int,
    UNIQUE (issue_id, n)
);
CREATE TABLE reply (id int PRIMARY KEY, comment_id int REFERENCES comment, n int);
CREATE VIEW joined AS SELECT i.id, i.tenant_id, p.n FROM issue i
    LEFT JOIN project p ON p.id = i.project_id AND p.tenant_id = i.tenant_id;
CREATE VIEW few AS SELECT id, tenant_id, n FROM issue WHERE n > 1;
"""
_COLUMNS = {
    "project": ("id", "tenant_id", "n"),
    "issue": ("id", "tenant_id", "n", "project_id", "assignee"),
    "comment": ("id", "issue_id", "author", "n"),
    "reply": ("id", "comment_id", "n"),
    "person": ("id", "n"),
    "joined": ("id", "tenant_id", "n"),
    "few": ("id", "tenant_id", "n"),
}
_WEIGHTS = (6, 8, 4, 2, 2, 2, 2)
_REFERENCES = {"issue_id": "issue", "project_id": "project", "comment_id": "comment"}
_PERSONS = ("assignee", "author")
_DEEPEST = 3


@dataclass(frozen=True)
class Item:
    """A source by its alias: its table or '', and its columns."""

    alias: str
    table: str
    columns: tuple[str, ...]


class Grammar:
    """Makes statements of one random sequence, each pinned more often than not."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._count = 0
        self._with: dict[str, tuple[str, ...]] = {}

    def statement(self) -> str:
        """Return a statement."""
        self._count, self._with = 0, {}
        head = ""
        if self._may(0.25):
            recursive = self._may(0.2)
            inner = self._write(returning=True) if self._may(0.3) else self._query(1, ())
            kind = self._random.choice(("", "MATERIALIZED ", "NOT MATERIALIZED "))
            if recursive:
                step = "SELECT i.id, i.tenant_id, i.n FROM issue i JOIN w ON i.project_id = w.id"
                inner = self._query(2, ()) + f" UNION {step} WHERE {self._pin('i', ())}"
            head = f"WITH {'RECURSIVE ' if recursive else ''}w AS {kind}({inner}) "
            self._with["w"] = ("id", "tenant_id", "n")
        body = self._query(0, ()) if self._may(0.7) else self._write()
        return head + body

    def _may(self, share: float) -> bool:
        return self._random.random() < share

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
            sets = f"GROUPING SETS (({key}, {chosen}), ({chosen}))"
            columns = f"{key} AS id, {chosen} AS tenant_id, count(*)::int AS n"
            return f"SELECT {columns} FROM {joined}{where} GROUP BY {sets}"
        if shape < 0.25:
            n = f"(count(*) OVER (PARTITION BY {chosen}))::int"
        distinct = "DISTINCT " if self._may(0.1) else ""
        order = ""
        if not distinct and self._may(0.05):
            distinct, order = f"DISTINCT ON ({key}) ", f" ORDER BY {key}, 2, 3"
        columns = f"{key} AS id, {chosen} AS tenant_id, {n} AS n"
        return f"SELECT {distinct}{columns} FROM {joined}{where}{order or self._limit()}"

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
            inner = self._query(depth + 1, (*items, *outer))
            return f"(SELECT {self._random.choice(('count(*)', 'max(s.n)'))}::int FROM ({inner}) s)"
        return f"{self._random.choice(items).alias}.n"

    # --- FROM ---------------------------------------------------------------------------------

    def _item(self, depth: int, lateral: tuple[Item, ...]) -> tuple[str, Item]:
        alias = self._alias()
        if self._with and self._may(0.3):
            return f"w {alias}", Item(alias, "", self._with["w"])
        if depth < _DEEPEST and self._may(0.2):
            word = "LATERAL " if self._may(0.5) else ""
            inner = self._query(depth + 1, lateral if word else ())
            return f"{word}({inner}) {alias}", Item(alias, "", ("id", "tenant_id", "n"))
        (table,) = self._random.choices(tuple(_COLUMNS), _WEIGHTS)
        return f"{table} {alias}", Item(alias, table, _COLUMNS[table])

    def _joined(self, depth: int, outer: tuple[Item, ...], items: list[Item]) -> str:
        text, first = self._item(depth, outer)
        own = [first]
        while len(items) + len(own) < 4 and self._may(0.45):
            kind = self._random.choices(
                ("JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"), (5, 4, 2, 0.2)
            )[0]
            if self._may(0.2):
                nested: list[Item] = []
                right = f"({self._joined(_DEEPEST, (), nested)})"
            else:
                seen = (*own, *outer) if kind in {"JOIN", "LEFT JOIN"} else ()
                right, item = self._item(depth, seen)
                nested = [item]
            usable = all("tenant_id" in i.columns for i in (*own, *nested))
            if usable and len(own) == len(nested) == 1 and self._may(0.2):
                text = f"{text} {kind} {right} USING (tenant_id)"
                own += nested
                continue
            tests = [self._tie(nested, own)]
            tests += [
                self._pin(i.alias, own)
                for i in nested
                if "tenant_id" in i.columns and self._may(0.8)
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
                    for column in a.columns:
                        tied = _REFERENCES.get(column) or (column in _PERSONS and "person")
                        if tied and tied == b.table and self._may(0.8):
                            return f"{a.alias}.{column} = {b.alias}.id"
        a, b = self._random.choice(one), self._random.choice(other)
        left, right = self._random.choice(a.columns), self._random.choice(b.columns)
        return f"{a.alias}.{left} = {b.alias}.{right}"

    # --- conditions ---------------------------------------------------------------------------

    def _pin(self, alias: str, others: list[Item] | tuple[Item, ...]) -> str:
        beside = [i.alias for i in others if "tenant_id" in i.columns and i.alias != alias]
        if beside and self._may(0.5):
            return f"{alias}.tenant_id = {self._random.choice(beside)}.tenant_id"
        return f"{alias}.tenant_id = @tenant_id"

    def _where(self, items: list[Item], outer: tuple[Item, ...], depth: int) -> str:
        share = 0.85 if depth == 0 else 0.6
        around = [*items, *outer]
        tests = [
            self._pin(i.alias, around)
            for i in items
            if "tenant_id" in i.columns and self._may(share)
        ]
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

    # --- writes -------------------------------------------------------------------------------

    def _write(self, *, returning: bool = False) -> str:
        table = self._random.choice(("issue", "project", "comment", "reply", "person", "few"))
        columns = _COLUMNS[table]
        target = Item("w0", table, columns)
        items: list[Item] = []
        kind = self._random.random()
        if kind < 0.35:
            joined = self._joined(2, (), items)
            where = self._where(items, (), 2)
            values = [f"@new::int + {self._random.choice(items).alias}.id"]
            values += [self._value(items, column) for column in columns[1:]]
            text = f"INSERT INTO {table} AS w0 ({', '.join(columns)}) SELECT {', '.join(values)}"
            text += f" FROM {joined}{where}{self._conflict(table)}"
        else:
            joined = self._joined(2, (), items)
            tests = [self._tie([target], items)]
            if "tenant_id" in columns and self._may(0.85):
                tests.append(self._pin("w0", items))
            where = self._where(items, (target,), 2)
            tests += [where.removeprefix(" WHERE ")] if where else []
            if kind < 0.65:
                column = self._random.choice(columns[1:])
                given = self._value([*items, target], column)
                text = f"UPDATE {table} w0 SET {column} = {given} FROM {joined}"
            else:
                text = f"DELETE FROM {table} w0 USING {joined}"
            text += f" WHERE {' AND '.join(tests)}"
        tenant = "w0.tenant_id" if "tenant_id" in columns else "w0.id"
        shown = f" RETURNING w0.id, {tenant} AS tenant_id, w0.n"
        return text + (shown if returning or self._may(0.5) else "")

    def _value(self, items: list[Item], column: str) -> str:
        if column == "tenant_id" and self._may(0.7):
            return "@tenant_id"
        tied = _REFERENCES.get(column, "person")
        fitting = [f"{i.alias}.id" for i in items if i.table == tied]
        if fitting and column not in {"n", "tenant_id"} and self._may(0.8):
            return self._random.choice(fitting)
        item = self._random.choice(items)
        return self._random.choice(
            (f"{item.alias}.{self._random.choice(item.columns)}", "@other::int")
        )

    def _conflict(self, table: str) -> str:
        keys = {"project": ("id", "tenant_id, n"), "comment": ("id", "issue_id, n")}
        key = self._random.choice(keys.get(table, ("id",)))
        column = self._random.choice(_COLUMNS[table][1:])
        given = self._random.choice(("excluded", "w0"))
        update = f" ON CONFLICT ({key}) DO UPDATE SET {column} = {given}.{column}"
        return self._random.choice(("", "", " ON CONFLICT DO NOTHING", update))
