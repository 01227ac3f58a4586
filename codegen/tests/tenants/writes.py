"""Random statements about tenants: queries with WITH, and writes."""

from __future__ import annotations

from dataclasses import dataclass

from tests.tenants.grammar import Grammar, Item, tenant_of
from tests.tenants.tables import SOURCES, TENANT_COLUMNS

_READ_ONLY = {"country", "joined", "both_kinds", "counted"}
_WRITTEN = (
    *(name for name in SOURCES if name not in _READ_ONLY and "(" not in name),
    *("issue", "comment", "few", "project", "label", "mark"),
)
_ISSUE = Item("i", "issue", SOURCES["issue"].columns)
_STEPS = (
    "SELECT i.id, i.tenant_id, i.n FROM issue i JOIN w ON i.project_id = w.id WHERE ",
    "SELECT i.id, w.tenant_id, i.n FROM issue i JOIN w ON i.tenant_id = w.tenant_id WHERE ",
    "SELECT i.id, i.tenant_id, w.n FROM w LEFT JOIN issue i ON i.id = w.id + 1 WHERE ",
)
_CYCLES = (
    "",
    " SEARCH DEPTH FIRST BY id SET o",
    " CYCLE id, n SET c USING p",
    " SEARCH BREADTH FIRST BY id SET o CYCLE id, tenant_id SET c USING p",
)


@dataclass(frozen=True)
class Statement:
    """A statement, whether it returns rows, and whether a part of it writes."""

    text: str
    returns: bool
    writes: bool


class Statements(Grammar):
    """Makes statements of one random sequence, most of whose tables are compared with a tenant."""

    def statement(self) -> Statement:
        """Return a statement."""
        self._count, self._with = 0, {}
        self._joins = self._random.choice((0.1, 0.3, 0.5))
        self._pins = self._random.choice((0.4, 0.9, 0.95))
        self._inner_pins = self._random.choice((0.1, 0.8, 0.9))
        head, writes = "", False
        if self._may(0.25):
            recursive = self._may(0.2)
            writes = self._may(0.3)
            inner = self._write(returning=True)[0] if writes else self._query(1, ())
            kind = self._random.choice(("", "MATERIALIZED ", "NOT MATERIALIZED "))
            if recursive:
                writes = False
                step = self._random.choice(_STEPS) + self._pin(_ISSUE, ())
                inner = f"({self._query(2, ())}) UNION {step}"
            head = f"WITH {'RECURSIVE ' if recursive else ''}w AS {kind}({inner})"
            head += self._random.choice(_CYCLES) if recursive else ""
            self._with["w"] = ("id", "tenant_id", "n")
            if self._may(0.3):
                head += f", v AS ({self._query(1, ())})"
                self._with["v"] = ("id", "tenant_id", "n")
            head += " "
        if self._may(0.65):
            return Statement(head + self._query(0, ()), returns=True, writes=writes)
        body, returns = self._merge() if self._may(0.25) else self._write()
        return Statement(head + body, returns, writes=True)

    def _write(self, *, returning: bool = False) -> tuple[str, bool]:
        table = self._random.choice(_WRITTEN)
        columns = SOURCES[table].columns
        target = Item("w0", table, columns)
        kind = self._random.random()
        if kind < 0.4:
            text = self._insert(table)
        else:
            items: list[Item] = []
            joined = self._joined(2, (), items, [target])
            tests = [self._tie([target], items)]
            if tenant_of(target) and self._may(0.85):
                tests.append(self._pin(target, items))
            where = self._where(items, (target,), 2)
            tests += [where.removeprefix(" WHERE ")] if where else []
            if kind < 0.7:
                text = (
                    f"UPDATE {table} w0 SET {self._assigned(table, [*items, target])} FROM {joined}"
                )
            else:
                text = f"DELETE FROM {table} w0 USING {joined}"
            text += f" WHERE {' AND '.join(tests)}"
        returns = returning or self._may(0.5)
        return text + (self._returned(columns) if returns else ""), returns

    def _returned(self, columns: tuple[str, ...]) -> str:
        tenant = "tenant_id" if "tenant_id" in columns else "id"
        row = self._random.choice(("w0", "w0", "w0", "old", "new"))
        return f" RETURNING w0.id, {row}.{tenant} AS tenant_id, {row}.n"

    def _assigned(self, table: str, items: list[Item]) -> str:
        columns = SOURCES[table].given[1:]
        chosen = self._random.sample(columns, min(len(columns), self._random.choice((1, 1, 2))))
        return ", ".join(f"{column} = {self._value(items, table, column)}" for column in chosen)

    def _insert(self, table: str) -> str:
        columns = SOURCES[table].given
        text = f"INSERT INTO {table} AS w0 ({', '.join(columns)}) "
        if self._may(0.25):
            rows = [
                f"(@new::int + {at}, {', '.join(self._value([], table, c) for c in columns[1:])})"
                for at in range(self._random.choice((1, 2)))
            ]
            return f"{text}VALUES {', '.join(rows)}{self._conflict(table)}"
        items: list[Item] = []
        joined = self._joined(2, (), items)
        where = self._where(items, (), 2)
        values = [f"@new::int + {self._random.choice(items).alias}.id"]
        values += [self._value(items, table, column) for column in columns[1:]]
        return f"{text}SELECT {', '.join(values)} FROM {joined}{where}{self._conflict(table)}"

    def _merge(self) -> tuple[str, bool]:
        table = self._random.choice(_WRITTEN)
        columns = SOURCES[table].columns
        target = Item("w0", table, columns)
        text, item = self._item(2, ())
        tests = [self._tie([target], [item])]
        if tenant_of(target) and self._may(0.85):
            tests.append(self._pin(target, [item]))
        if tenant_of(item) and self._may(0.7):
            tests.append(self._pin(item, ()))
        merged = f"MERGE INTO {table} w0 USING {text} ON {' AND '.join(tests)}"
        for _ in range(self._random.choice((1, 1, 2))):
            merged += self._when(table, target, item)
        returns = self._may(0.4)
        return merged + (self._returned(columns) if returns else ""), returns

    def _when(self, table: str, target: Item, item: Item) -> str:
        columns = SOURCES[table].given
        kind = self._random.choice(("MATCHED", "MATCHED", "NOT MATCHED", "NOT MATCHED BY SOURCE"))
        seen = {"MATCHED": [item, target], "NOT MATCHED": [item]}.get(kind, [target])
        tests = ""
        if self._may(0.4):
            one = self._random.choice(seen)
            tenant = tenant_of(one) and self._may(0.7)
            tests = f" AND {self._pin(one, ()) if tenant else one.alias + '.n = 1'}"
        if kind == "NOT MATCHED":
            values = [f"@new::int + {item.alias}.id"]
            values += [self._value([item], table, column) for column in columns[1:]]
            action = f"INSERT ({', '.join(columns)}) VALUES ({', '.join(values)})"
        else:
            assigned = f"UPDATE SET {self._assigned(table, seen)}"
            action = self._random.choice((assigned, assigned, "DELETE", "DO NOTHING"))
        return f" WHEN {kind}{tests} THEN {action}"

    def _value(self, items: list[Item], table: str, column: str) -> str:
        if column == TENANT_COLUMNS.get(table, "tenant_id") and self._may(0.7):
            inner = [f"{item.alias}.tenant_id" for item in items if item.table == ""]
            return self._random.choice(("@tenant_id", *inner))
        stored = SOURCES[table]
        copied = next((c for c, source in stored.computed.items() if source == column), column)
        tied = stored.refers.get(copied)
        fitting = [f"{item.alias}.id" for item in items if item.table == tied]
        if fitting and self._may(0.8):
            return self._random.choice(fitting)
        if self._may(0.1):
            inner = self._query(3, self._usable(tuple(items)))
            return f"(SELECT max(s.{self._random.choice(('id', 'n'))}) FROM ({inner}) s)"
        if not items or self._may(0.4):
            return self._random.choice(("@other::int", "NULL::int", "1"))
        item = self._random.choice(items)
        return f"{item.alias}.{self._random.choice(item.columns)}"

    def _conflict(self, table: str) -> str:
        keys = {"project": ("id", "tenant_id, n"), "comment": ("id", "issue_id, n")}
        keys["label"] = ("id", "tenant_id, id")
        key = self._random.choice(keys.get(table, ("id",)))
        column = self._random.choice(SOURCES[table].given[1:])
        given = self._random.choice(("excluded", "w0"))
        update = f" ON CONFLICT ({key}) DO UPDATE SET {column} = {given}.{column}"
        if tenant_of(Item("w0", table, SOURCES[table].columns)) and self._may(0.5):
            own = TENANT_COLUMNS.get(table, "tenant_id")
            update += f" WHERE w0.{own} = {self._random.choice(('excluded.' + own, '@tenant_id'))}"
        elif self._may(0.2):
            inner = self._query(3, (Item("w0", table, SOURCES[table].columns),))
            update += f" WHERE EXISTS ({inner})"
        return self._random.choice(("", "", " ON CONFLICT DO NOTHING", update))
