"""Random statements that build JSON: the fuzzer's grammar, inside and around constructors."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.fuzz.queries import Columns, Generator, Sources

_KEYS = ("a", "b", "id", "title", "createdAt", "order-id", "class", "list", "x1")
_SIMPLE = ("int", "text", "bool", "num")


class Documents:
    """Make statements with a generator's sources, conditions and expressions."""

    def __init__(self, generator: Generator) -> None:
        self.g = generator
        self.r = generator.r

    def make(self) -> str:
        """Return a statement whose parameters are numbered in the order of the text."""
        kinds = [self.plain, self.plain, self.grouped, self.grouped, self.with_query, self.lateral]
        text = self.r.choice([*kinds, self.write])()

        def number(match: re.Match[str]) -> str:
            self.g.params.append(match.group(1))
            return f"${len(self.g.params)}"

        return re.sub("«([a-z]+)»", number, text)

    # --- statements ---------------------------------------------------------------------------

    def plain(self) -> str:
        sources, scope = self.g.source(1)
        outs = [self.json(scope, 2) for _ in range(self.r.randrange(1, 3))]
        listed = ", ".join(f"{out} as c{i}" for i, out in enumerate(outs))
        return f"select {listed} from {sources}{self.g.where(scope)}{self.g.limit()}"

    def grouped(self) -> str:
        sources, scope = self.g.source(1)
        key = self.g.column(scope, self.r.choice(["int", "text"]))
        group = ""
        if key and self.r.random() < 0.8:
            group = " group by " + self.r.choice([key, key, key, f"rollup ({key})"])
        outs = [self.collected(scope, 2) for _ in range(self.r.randrange(1, 3))]
        if group:
            outs.append(f"json_build_object('a', {key}, 'b', {self.collected(scope, 1)})")
        listed = ", ".join(f"{out} as c{i}" for i, out in enumerate(outs))
        return f"select {listed} from {sources}{self.g.where(scope)}{group}"

    def with_query(self) -> str:
        name, alias = self.g.alias("w"), self.g.alias()
        if self.r.random() < 0.3:
            target = self.g.writable()
            body = f"delete from {target.name} where id = 1 returning *"
        elif self.r.random() < 0.5:
            body = self.plain()
        else:
            body, _ = self.g.select(1)
        outs = [f"to_json({alias})", f"jsonb_build_object('a', {alias})", f"row_to_json({alias})"]
        outs += [f"json_agg({alias})", f"coalesce(jsonb_agg({alias}), '[]')"]
        join = self.r.choice(["", "", f" left join t0 on {alias}.c0 is not null"])
        return f"with {name} as ({body}) select {self.r.choice(outs)} from {name} {alias}{join}"

    def lateral(self) -> str:
        sources, scope = self.g.source(0)
        alias, columns = self.related()
        own = {**scope, alias: columns}
        inner = self.r.choice(
            [
                f"select {self.collected({alias: columns}, 1)} as c",
                f"select {self.json(own, 1)} as c, {alias}.*",
            ]
        )
        inner += f" from {self.name} {alias}{self.g.where(own)}"
        row = self.g.alias("l")
        join = self.r.choice(["cross join lateral ({}) {}", "left join lateral ({}) {} on true"])
        out = self.r.choice([f"{row}.c", f"to_jsonb({row})", f"json_build_array({row}.c, {row})"])
        return f"select {out} as c0 from {sources} {join.format(inner, row)}"

    def write(self) -> str:
        target = self.g.writable()
        scope: Sources = {target.name: target.columns}
        head = self.r.choice(
            [
                f"delete from {target.name} where id = 1",
                f"update {target.name} set k = {self.r.choice(['1', 'null', 'k'])}",
                f"update {target.name} set id = id where k is not null",
            ]
        )
        return f"{head} returning {self.json(scope, 1)} as c0"

    # --- documents ----------------------------------------------------------------------------

    def json(self, scope: Sources, depth: int) -> str:
        """Return an expression that builds a document."""
        if depth <= 0:
            return f"to_json({self.value(scope, 0)})"
        made = self.r.choice(
            [
                *(self.object, self.object, self.array, self.of_value, self.sub_select),
                *(self.either, self.standard, self.changed),
            ]
        )
        return made(scope, depth)

    def object(self, scope: Sources, depth: int) -> str:
        keys = self.r.sample(_KEYS, self.r.randrange(1, 4))
        if self.r.random() < 0.05:
            keys.append(keys[0])
        members = ", ".join(f"'{key}', {self.value(scope, depth - 1)}" for key in keys)
        return f"json{self.binary()}_build_object({members})"

    def array(self, scope: Sources, depth: int) -> str:
        items = [self.value(scope, depth - 1) for _ in range(self.r.randrange(4))]
        return f"json{self.binary()}_build_array({', '.join(items)})"

    def standard(self, scope: Sources, depth: int) -> str:
        """Return a constructor of SQL/JSON."""
        returning = self.r.choice(["", " returning jsonb"])
        values = [self.value(scope, depth - 1) for _ in range(self.r.randrange(1, 4))]
        if self.r.random() < 0.5:
            nulls = self.r.choice(["", " null on null", " absent on null"])
            keys = self.r.sample(_KEYS, len(values))
            pairs = zip(keys, values, strict=True)
            members = ", ".join(f"'{key}': {value}" for key, value in pairs)
            return f"json_object({members}{nulls}{returning})"
        nulls = self.r.choice(["", " null on null"])
        return f"json_array({', '.join(values)}{nulls}{returning})"

    def changed(self, scope: Sources, depth: int) -> str:
        """Return a document without its nulls, a part of a document, or two joined documents."""
        one, other = (f"({self.object(scope, depth)})::jsonb" for _ in range(2))
        key = self.r.choice(_KEYS)
        return self.r.choice(
            [
                f"jsonb_strip_nulls({one})",
                f"json_strip_nulls(({self.json(scope, depth - 1)})::json)",
                f"{one} -> '{key}'",
                f"json_build_object('a', {one} -> '{key}')",
                f"json_build_object('a', ({one})['{key}'])",
                f"{one} || {other}",
                f"{one} || jsonb_build_object('a', 1)",
            ]
        )

    def of_value(self, scope: Sources, depth: int) -> str:
        return f"to_json{self.binary()}({self.value(scope, depth - 1)})"

    def either(self, scope: Sources, depth: int) -> str:
        kind = self.binary()
        one, other = (self.json(scope, depth - 1) for _ in range(2))
        test = self.g.boolx(scope, 1)
        return self.r.choice(
            [
                f"case when {test} then ({one})::json{kind} end",
                f"case when {test} then ({one})::json{kind} else ({one})::json{kind} end",
                f"case when {test} then ({one})::json{kind} else ({other})::json{kind} end",
                f"coalesce(({one})::json{kind}, '[]')",
                f"coalesce(case when {test} then ({one})::json{kind} end, ({one})::json{kind})",
            ]
        )

    def sub_select(self, scope: Sources, depth: int) -> str:
        alias, columns = self.related()
        own: Sources = {alias: columns}
        where = self.g.where({**scope, **own})
        if self.r.random() < 0.3:
            made = self.json({**scope, **own}, depth - 1)
            return f"(select {made} from {self.name} {alias}{where} limit 1)"
        listed = self.collected(own, depth - 1)
        found = f"(select {listed} from {self.name} {alias}{where})"
        if listed.startswith("json") and self.r.random() < 0.4:
            return f"coalesce({found}, '[]')"
        return found

    def collected(self, scope: Sources, depth: int) -> str:
        """Return an aggregate that builds a document."""
        kind = self.binary()
        words = self.r.choice(["", "", "", "distinct "]) if kind else ""
        order = self.r.choice(["", "", " order by 1"]) if not words else ""
        value = self.value(scope, depth)
        if words and not value.startswith("json"):
            words = ""
        made = f"json{kind}_agg({words}{value}{order})"
        if self.r.random() < 0.35:
            nulls = self.r.choice(["", " null on null", " absent on null"])
            returning = self.r.choice(["", " returning jsonb"])
            key = f"coalesce({self.g.expr(scope, 'text', 0)}, 'k')"
            made = self.r.choice(
                [
                    f"json_arrayagg({value}{order}{nulls}{returning})",
                    f"json_objectagg({key}: {value}{nulls}{returning})",
                    f"json{kind}_object_agg({key}, {value})",
                ]
            )
        if self.r.random() < 0.45:
            column = self.g.column(scope, self.r.choice(["int", "text", "num"])) or "1"
            test = self.r.choice([f"{column} is not null", self.g.boolx(scope, 1)])
            made += f" filter (where {test})"
        if self.r.random() < 0.3:
            return f"coalesce({made}, '[]')"
        return made

    def value(self, scope: Sources, depth: int) -> str:
        """Return a value in a document: a column, an expression, a row, or a document."""
        chance = self.r.random()
        if depth > 0 and chance < 0.3:
            return self.json(scope, depth)
        alias = self.r.choice(list(scope))
        if chance < 0.65:
            return f"{alias}.{self.r.choice(list(scope[alias]))}"
        if chance < 0.78:
            return alias
        if chance < 0.82:
            return f"row({self.g.expr(scope, 'int', 0)}, {self.g.expr(scope, 'text', 0)})"
        if chance < 0.86:
            return self.r.choice(
                ["'x'", "null", "1", "1.5", "true", "date 'infinity'", "'\\x01'::bytea"]
            )
        if chance < 0.92:
            return self.g.array(scope)
        return self.g.expr(scope, self.r.choice(_SIMPLE), 1)

    def related(self) -> tuple[str, Columns]:
        """Choose a relation for a sub-select, and return its alias with its columns."""
        relation = self.r.choice(self.g.schema.relations)
        self.name = relation.name
        return self.g.alias(), relation.all_columns

    def binary(self) -> str:
        return self.r.choice(["", "b"])
