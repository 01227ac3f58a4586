"""Random queries that build JSON: the grammar's expressions, inside and around constructors."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.fuzz_mysql.grammar import Grammar, Scope

_KEYS = ("a", "b", "id", "title", "createdAt", "order-id", "class", "list", "x1")
_SORTS = ("int", "int", "text", "text", "dec", "time", "net", "clock")


class Documents:
    """Make queries with a grammar's sources, conditions and expressions."""

    def __init__(self, grammar: Grammar) -> None:
        self.g = grammar
        self.r = grammar.random

    def select(self) -> str:
        """Return a query whose columns are JSON."""
        kinds = [self.plain, self.plain, self.grouped, self.grouped, self.grouped, self.derived]
        return self.r.choice([*kinds, self.with_query, self.united])()

    def plain(self) -> str:
        tables, scope = self.g._from(1)
        outs = [self.json(scope, 2) for _ in range(self.r.randrange(1, 3))]
        listed = ", ".join(f"{out} AS j{i}" for i, out in enumerate(outs))
        distinct = self.r.choice(["", "", "", "DISTINCT "])
        return f"SELECT {distinct}{listed} FROM {tables}{self.where(scope)}"

    def grouped(self) -> str:
        tables, scope = self.g._from(1)
        key = self.g._column(scope, self.r.choice(["int", "text"]))
        group = f" GROUP BY {key}" if key and self.r.random() < 0.8 else ""
        if group and self.r.random() < 0.2:
            group += " WITH ROLLUP"
        outs = [self.collected(scope, 2) for _ in range(self.r.randrange(1, 3))]
        if group:
            outs.append(f"JSON_OBJECT('a', {key}, 'b', {self.collected(scope, 1)})")
        listed = ", ".join(f"{out} AS j{i}" for i, out in enumerate(outs))
        return f"SELECT {listed} FROM {tables}{self.where(scope)}{group}"

    def derived(self) -> str:
        alias = self.g._alias()
        return self.around(f"({self.r.choice([self.plain, self.grouped, self.united])()})", alias)

    def with_query(self) -> str:
        name, alias = self.g._alias(), self.g._alias()
        body = self.r.choice([self.plain, self.grouped])()
        return f"WITH {name} AS ({body}) {self.around(name, alias)}"

    def around(self, source: str, alias: str) -> str:
        """Return a query over the column `j0` of another query."""
        out = self.r.choice([
            "{}.j0", "JSON_ARRAY({}.j0)", "JSON_OBJECT('x1', {}.j0)", "JSON_ARRAYAGG({}.j0)",
            "JSON_EXTRACT({}.j0, '$.a')", "JSON_EXTRACT({}.j0, '$[0]')",
            "JSON_ARRAYAGG(JSON_EXTRACT({}.j0, '$.a'))", "COALESCE({}.j0, '[]')",
            "JSON_OBJECT('a', COALESCE({}.j0, '{{}}'))",
        ]).format(alias)  # fmt: skip
        if self.r.random() < 0.3:
            tables, _ = self.g._relation(0)
            return f"SELECT {out} AS j0 FROM {tables} LEFT JOIN {source} {alias} ON 1 = 2"
        return f"SELECT {out} AS j0 FROM {source} {alias}"

    def united(self) -> str:
        tables, scope = self.g._from(0)
        kept = self.r.getstate()
        one = self.json(scope, 1)
        if self.r.random() < 0.6:  # the same constructor once more, with other facts
            self.r.setstate(kept)
            self.json(scope, 1)
        word = self.r.choice(["UNION ALL", "UNION ALL", "UNION"])
        other = one if self.r.random() < 0.5 else self.json(scope, 1)
        parts = (f"SELECT {out} AS j0 FROM {tables}{self.where(scope)}" for out in (one, other))
        return f" {word} ".join(parts)

    def where(self, scope: Scope) -> str:
        return self.g._where(scope, 1) if self.r.random() < 0.5 else ""

    # --- JSON -------------------------------------------------------------------------------------

    def json(self, scope: Scope, depth: int) -> str:
        """Return a JSON expression."""
        if depth <= 0:
            return f"JSON_ARRAY({self.value(scope, 0)})"
        kinds = [self.object, self.object, self.list, self.nested, self.changed, self.chosen]
        return self.r.choice(kinds)(scope, depth)

    def object(self, scope: Scope, depth: int) -> str:
        keys = self.r.sample(_KEYS, self.r.randrange(4))
        if self.r.random() < 0.7:
            keys = [key for key in keys if key.isalnum() and key != "class"]
        members = ", ".join(f"'{key}', {self.value(scope, depth - 1)}" for key in keys)
        return f"JSON_OBJECT({members})"

    def list(self, scope: Scope, depth: int) -> str:
        items = (self.value(scope, depth - 1) for _ in range(self.r.randrange(4)))
        return f"JSON_ARRAY({', '.join(items)})"

    def nested(self, scope: Scope, depth: int) -> str:
        """Return a sub-select that collects rows, or that contains such a sub-select."""
        tables, own = self.g._relation(0)
        both = {**scope, **own}
        where = f" WHERE {self.g.condition(both, 1)}" if self.r.random() < 0.6 else ""
        if self.r.random() < 0.3:
            return f"(SELECT {self.json(both, depth - 1)} FROM {tables}{where} LIMIT 1)"
        return f"(SELECT {self.collected(own, depth - 1)} FROM {tables}{where})"

    def changed(self, scope: Scope, depth: int) -> str:
        one = self.json(scope, depth - 1)
        path = self.r.choice([f"$.{self.r.choice(('a', 'b', 'id', 'x1'))}", "$[0]", "$[1]", "$",
                              "$.a.b", "$.a[0]", "$[0].a", "$.*", "$[*]"])  # fmt: skip
        return self.r.choice([
            f"JSON_EXTRACT({one}, '{path}')", f"JSON_OBJECT('a', JSON_EXTRACT({one}, '{path}'))",
            f"JSON_ARRAY(JSON_UNQUOTE(JSON_EXTRACT({one}, '{path}')))", f"JSON_COMPACT({one})",
            f"JSON_ARRAY(CONCAT('', {one}))", f"JSON_MERGE_PATCH({one}, '{{}}')",
            f"JSON_OBJECT('list', {one}, 'b', JSON_VALID({one}))",
            f"JSON_ARRAY(LEAST({one}, 'z'), MAX({one}))" if self.r.random() < 0.2 else one,
        ])  # fmt: skip

    def chosen(self, scope: Scope, depth: int) -> str:
        one, other = (self.json(scope, depth - 1) for _ in range(2))
        test = self.g.condition(scope, 1)
        return self.r.choice([
            f"CASE WHEN {test} THEN {one} END", f"IF({test}, {one}, {one})",
            f"CASE WHEN {test} THEN {one} ELSE {other} END", f"IF({test}, {one}, NULL)",
            f"COALESCE({one}, '[]')", f"COALESCE({one}, '{{}}')", f"IFNULL({one}, {other})",
            f"COALESCE(CASE WHEN {test} THEN {one} END, JSON_ARRAY())", f"NULLIF({one}, '[]')",
            f"COALESCE({one}, {self.g.expression(scope, 'text', 0)})",
        ])  # fmt: skip

    def collected(self, scope: Scope, depth: int) -> str:
        """Return a JSON aggregate."""
        form = self.r.random()
        if form < 0.2:
            key = self.g.expression(scope, self.r.choice(["int", "text"]), 0)
            return f"JSON_OBJECTAGG({key}, {self.value(scope, depth)})"
        item = self.value(scope, depth)
        item = f"DISTINCT {item}" if self.r.random() < 0.1 else item
        column = self.g._column(scope, "int")
        if column and self.r.random() < 0.3:
            item += f" ORDER BY {column}{self.r.choice(['', ' DESC'])}"
            item += self.r.choice(["", "", " LIMIT 2", " LIMIT 0"])
        found = f"JSON_ARRAYAGG({item})"
        if self.r.random() < 0.1:
            test = self.g._column(scope, "int") or "1"
            found = f"IF(MAX({test}) IS NULL, JSON_ARRAY(), {found})"
        return f"COALESCE({found}, '[]')" if self.r.random() < 0.4 else found

    def value(self, scope: Scope, depth: int) -> str:
        """Return a value inside JSON: a value of any sort, a condition, or JSON itself."""
        form = self.r.random()
        if depth > 0 and form < 0.35:
            return self.json(scope, depth)
        if form < 0.45:
            return self.g.condition(scope, 1)
        if form < 0.5:
            return self.r.choice(["NULL", "TRUE", "1.50", "2e10", "'x'", "'[]'", "NOW(6)", "x'41'"])
        return self.g.expression(scope, self.r.choice(_SORTS), self.r.randrange(3))
