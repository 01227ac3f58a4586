"""Random statements over a schema, with all syntax that the compiler supports."""

from __future__ import annotations

import random
import re

from tests.fuzz.directed import directed
from tests.fuzz.optional import Parts, named
from tests.fuzz.schemas import SQL_TYPES, VALUES, Relation, Schema

Columns = dict[str, str]
Sources = dict[str, Columns]
# Pseudo-columns of stored rows, and types of what only some sources have.
_SYSTEM = {"tableoid": "oid", "ctid": "tid"}
_JSON_TABLE = (
    "json_table(jsonb '[1, null, {{\"a\": 2}}]', '$[*]' columns (n for ordinality,"
    " c0 int path '$.a', t text exists path '$.a')) {a}"
)
# It fails where it is read: the embedded server is built without libxml.
_XML_TABLE = (
    "xmltable('/r/v' passing xmlelement(name r, xmlelement(name v, 1))"
    " columns n for ordinality, c0 int path '@v') {a}"
)
_STORED = {
    "oid": "1::oid",
    "tid": "'(0,1)'::tid",
    "big": "1::bigint",
    "pair": "'(1,)'::pair",
    "span": "int4range(1, 2)",
}
_SIMPLE = ("int", "int", "text", "text", "bool", "num")
# Types whose values can be compared, in one of several ways, with those of the others.
_ALIKE = {
    "code": ("text", "code", "fixed", "folded"),
    "fixed": ("text", "code", "fixed"),
    "folded": ("folded", "text"),
    "local": ("local", "zoned", "date"),
    "zoned": ("local", "zoned", "date"),
}


def _embed(alias: str) -> str:
    return f"sqlc.embed({alias})"


_WINDOWS = (
    "order by {o}",
    "partition by {p} order by {o}",
    "partition by {p}",
    "",
    "order by {o} rows between 1 preceding and 1 following",
    "order by {o} rows between 2 preceding and 1 preceding",
    "order by {o} rows between 1 following and 2 following",
    "order by {o} rows between current row and unbounded following",
    "order by {o} groups between 1 preceding and current row",
    "order by {o} rows between unbounded preceding and current row exclude current row",
    "order by {o} rows between unbounded preceding and current row exclude ties",
    "order by {o} range between unbounded preceding and current row exclude group",
)


class Generator:
    """Make one statement for a seed. `params` collects the types of `$1 …`."""

    def __init__(self, schema: Schema, seed: int) -> None:
        self.schema = schema
        self.r = random.Random(seed)
        self.names = 0
        self.params: list[str] = []
        self.ctes: list[tuple[str, Columns]] = []
        self.parts = Parts(self.r)

    # --- statements ---------------------------------------------------------------------------

    def make(self, *, select_only: bool = False) -> str:
        """Return the statement, with parameters numbered in the order of the text.

        One in five is a query with optional parts, as in a query file.
        """
        if not select_only and self.r.random() < 0.2:
            text, self.params = named(self.dynamic(), self.r, lambda name: f"@{name}")
            return text

        def number(match: re.Match[str]) -> str:
            self.params.append(match.group(1))
            return f"${len(self.params)}"

        text = self.select(2)[0] if select_only else self.statement()
        return re.sub("«([a-z]+)»", number, text)

    def statement(self) -> str:
        kind = self.r.random()
        if kind < 0.12:
            return directed(self)
        if kind < 0.66:
            return self.select(2)[0]
        if kind < 0.77:
            return self.insert()
        if kind < 0.88:
            return self.update()
        if kind < 0.94:
            return self.delete()
        return self.merge()

    # --- dynamic queries ----------------------------------------------------------------------

    def dynamic(self) -> str:
        """Return a statement with optional parts, usually with embedded rows."""
        self.parts.begin()
        kind = self.r.random()
        if kind < 0.1:
            text = self.r.choice([self.insert, self.update, self.delete])()
        elif kind < 0.2:
            text = self.select(2)[0]
        elif kind < 0.35:
            text = self.embedded_parts()
        else:
            text = self.embedded()
        self.parts.end()
        return text

    def embedded(self) -> str:
        """Return a query that selects whole rows of joined tables, sometimes with WITH."""
        head = ""
        if self.r.random() < 0.2:
            name = self.alias("w")
            body, columns = self.select(1)
            self.ctes.append((name, columns))
            head = f"with {name} as ({body}) "
        sources, scope = self.join(self.r.randrange(1, 3))
        sources, seen = self.joined_optionally(sources, scope)
        outs = [self.expr(scope, self.r.choice(_SIMPLE), 1) for _ in range(self.r.randrange(3))]
        rows = self.r.sample(list(scope), min(len(scope), self.r.randrange(1, 3)))
        items = [*(f"{out} as c{i}" for i, out in enumerate(outs)), *map(_embed, rows)]
        self.r.shuffle(items)
        self.ctes.clear()
        tail = self.limit()
        if items[0].endswith(" as c0") and self.r.random() < 0.2:
            tail = "\norder by c0 -- :sort c0, c0 desc\n" + tail
        return (
            f"{head}select {', '.join(items)} from {sources}{self.where(seen)}"
            f"{self.parts.line(tail) if tail else ''}"
        )

    def joined_optionally(self, sources: str, scope: Sources) -> tuple[str, Sources]:
        """Join another table, which only optional lines use."""
        if self.r.random() < 0.7:
            return sources, scope
        relation, alias = self.r.choice(self.schema.relations), self.alias()
        own = {alias: relation.all_columns}
        word = self.r.choice(["join", "left join", "right join", "full join"])
        line = f" {word} {relation.name} {alias} on {self.on(scope, own, word)}"
        return f"{sources}{self.parts.line(line, 1)}", scope

    def embedded_parts(self) -> str:
        """Return a set operation whose operands select the rows of one table."""
        relation = self.r.choice([t for t in self.schema.relations if t.filled])
        kind = self.r.choice(_SIMPLE)
        arms = []
        for _ in range(self.r.randrange(2, 4)):
            alias = self.alias()
            sources, scope = f"{relation.name} {alias}", {alias: relation.columns}
            if self.r.random() < 0.5:
                other, theirs = self.source(0)
                word = self.r.choice(["join", "join", "left join", "right join"])
                sources += f" {word} {other} on {self.on(scope, theirs, word)}"
                scope = {**scope, **theirs}
            items = f"{self.expr(scope, kind, 1)} as c0, {_embed(alias)}"
            arms.append(f"select {items} from {sources}{self.where(scope)}")
        word = self.r.choice(["union", "union all", "intersect", "except"])
        first, *others = (f"({arm})" for arm in arms)
        return first + "".join(self.parts.line(f" {word} {arm}", 0.3) for arm in others)

    def insert(self) -> str:
        target = self.writable()
        names = list(target.columns)
        rows = self.r.random()
        if rows < 0.5:
            body = "values (" + ", ".join(self.value(target.columns[c]) for c in names) + ")"
        elif rows < 0.7:
            body = "values " + ", ".join(
                "(" + ", ".join(self.value(target.columns[c]) for c in names) + ")"
                for _ in range(2)
            )
        else:
            sources, scope = self.source(1)
            outs = ", ".join(self.typed(scope, target.columns[c]) for c in names)
            body = f"select {outs} from {sources}{self.where(scope)}{self.limit()}"
        conflict = ""
        if target.keys and self.r.random() < 0.5:
            column, key = self.r.choice(names), ", ".join(target.keys[0])
            change = f" on conflict ({key}) do update set {column} = excluded.{column}"
            conflict = self.r.choice(
                [
                    " on conflict do nothing",
                    change,
                    f"{change} where {target.name}.id > 0",
                ]
            )
        conflict = self.parts.line(conflict) if conflict else ""
        returning = self.returning(target.name, target.columns, {})
        return f"insert into {target.name} ({', '.join(names)}) {body}{conflict}{returning}"

    def update(self) -> str:
        target = self.writable()
        if target.nullable and self.r.random() < 0.25:  # a condition on the very column it changes
            column = f"{self.r.choice(sorted(target.nullable))}"
            test = self.r.choice(["is not null", f"= {self.value(target.columns[column])}"])
            return (
                f"update {target.name} set {column} = {self.r.choice(['null', column])}"
                f" where {column} {test} returning {column}, old.{column}, new.{column}"
            )
        column = self.r.choice(list(target.columns))
        scope: Sources = {target.name: target.columns}
        other, more = ("", {})
        if self.r.random() < 0.4:
            other, more = self.source(1)
            scope = {**scope, **more}
            other = f" from {other}"
        value = self.r.choice(
            [self.expr(scope, target.columns[column], 1), self.value(target.columns[column])]
        )
        sets = f"{column} = {value}"
        kind = target.columns[column]
        if self.parts.maybe() and kind in _SIMPLE and column != "id":
            sets = f"\n{column} = «{kind}», -- :set\nid = id"
        where = self.where(scope, pin=target.name)
        returning = self.returning(target.name, target.columns, more)
        return f"update {target.name} set {sets}{other}{where}{returning}"

    def delete(self) -> str:
        target = self.writable()
        scope: Sources = {target.name: target.columns}
        other, more = ("", {})
        if self.r.random() < 0.3:
            other, more = self.source(1)
            scope = {**scope, **more}
            other = f" using {other}"
        where = self.where(scope, pin=target.name)
        return (
            f"delete from {target.name}{other}{where}"
            f"{self.returning(target.name, target.columns, more)}"
        )

    def merge(self) -> str:
        target = self.writable()
        source, scope = self.source(1)
        alias = next(iter(scope))
        column = self.int_column(scope[alias]) or "id"
        names = list(target.columns)
        actions = self.r.sample(
            [
                f"when matched then update set k = {self.r.choice(['0', '2', 'null'])}",
                "when matched and " + self.boolx({target.name: target.columns}, 1) + " then delete",
                "when not matched by source then delete",
                "when not matched by source then update set k = 1",
                f"when not matched then insert ({', '.join(names)}) values ("
                + ", ".join(self.value(target.columns[c]) for c in names)
                + ")",
                "when not matched then do nothing",
            ],
            self.r.randrange(1, 4),
        )
        outs = [f"{target.name}.{c}" for c in names]
        outs += [f"{a}.{c}" for a in scope for c in scope[a]]
        outs += [f"{w}.{c}" for w in ("old", "new") for c in names] + ["merge_action()"]
        picked = ", ".join(self.r.sample(outs, min(4, len(outs))))
        on = f"{target.name}.id = {alias}.{column}" if column in scope[alias] else "true"
        return (
            f"merge into {target.name} using {source} on {on} {' '.join(actions)}"
            f" returning {picked}"
        )

    def returning(self, name: str, columns: Columns, more: Sources) -> str:
        outs = [f"{w}{c}" for w in (f"{name}.", "old.", "new.") for c in columns]
        outs += [f"{a}.{c}" for a in more for c in more[a]]
        outs += [self.expr({name: columns, **more}, self.r.choice(_SIMPLE), 1) for _ in range(2)]
        picked = self.r.sample(outs, min(self.r.randrange(1, 6), len(outs)))
        return " returning " + ", ".join(picked)

    def writable(self) -> Relation:
        return self.r.choice([t for t in self.schema.relations if t.writable])

    # --- selects ------------------------------------------------------------------------------

    def select(self, depth: int, outer: Sources | None = None) -> tuple[str, Columns]:
        kind = self.r.random()
        if depth > 0 and kind < 0.10:
            return self.set_operation(depth)
        if depth > 0 and kind < 0.24:
            return self.with_query(depth)
        if kind < 0.42:
            return self.aggregate(depth, outer)
        types = [self.r.choice(_SIMPLE) for _ in range(self.r.randrange(1, 4))]
        return self.plain(depth, types, outer)

    def plain(
        self, depth: int, types: list[str], outer: Sources | None = None
    ) -> tuple[str, Columns]:
        sources, scope = self.source(depth)
        seen = {**(outer or {}), **scope}
        outs = [self.output(seen, scope, t) for t in types]
        columns = {f"c{i}": t for i, t in enumerate(types)}
        listed = ", ".join(f"{e} as c{i}" for i, e in enumerate(outs))
        distinct = ""
        if self.r.random() < 0.1:
            keys = self.r.choice(["", f"on ({self.expr(scope, 'int', 1)}) "])
            distinct = f"distinct {keys}"
        tail = self.limit()
        if outer is None and not distinct and self.r.random() < 0.08:
            tail += self.r.choice([" for update", " for share", " for no key update"])
        return f"select {distinct}{listed} from {sources}{self.where(seen)}{tail}", columns

    def output(self, seen: Sources, scope: Sources, kind: str) -> str:
        choice = self.r.random()
        if choice < 0.07:
            return self.window(scope, kind)
        if choice < 0.11 and kind == "int":
            return self.r.choice(
                [
                    "generate_series(1, 2)",
                    "jsonb_array_length(jsonb_array_elements('[[1], []]'))",
                    f"unnest({self.array(seen)})",
                    f"unnest(array(select {self.array(seen)}))",
                    f"unnest(array[{self.array(seen)}])",
                    f"twice(unnest({self.array(seen)}))",
                    f"few({self.expr(seen, 'int', 1)})",
                    f"full_set({self.expr(seen, 'int', 1)})",
                    f"half_set({self.expr(seen, 'int', 1)})",
                ]
            )
        if choice < 0.42 and kind == "int":
            return self.full_array(seen)
        return self.expr(seen, kind, 2)

    def full_array(self, seen: Sources) -> str:
        """Return an array whose elements may be known not null, unchanged or as an int."""
        made = self.r.choice(
            [
                f"array[{self.expr(seen, 'int', 0)}, 1]",
                f"coalesce({self.array(seen)}, array[1])",
                "coalesce('{1}'::int[], array[1, 3])",
                f"coalesce(array[{self.expr(seen, 'int', 0)}], array(select id from t0))",
                self.column(seen, "arr") or "'{1,2}'::int[]",
                "'{1,2}'::int[]",
                "string_to_array('1,2', ',')::int[]",
                "string_to_array('1,2', ',', '1')::int[]",
                "array[1, 2]::bigint[]::int[]",
                "array['1'::jsonb, 'null']::int[]",
                "«list»::int[]",
                f"array(select {self.expr(seen, 'int', 0)} from t0)",
                "(select a from odd limit 1)",
            ]
        )
        return f"unnest({made})" if self.r.random() < 0.8 else f"(({made})::int[])[1]"

    def window(self, scope: Sources, kind: str) -> str:
        over = self.r.choice(_WINDOWS).format(
            o=self.expr(scope, "int", 0), p=self.expr(scope, "text", 0)
        )
        arg = self.expr(scope, kind, 1)
        calls = [f"lag({arg})", f"lead({arg}, 1, {self.expr(scope, kind, 0)})"]
        calls += [f"first_value({arg})", f"last_value({arg})", f"nth_value({arg}, 2)"]
        calls += [f"max({arg})"] if kind in {"int", "text", "num"} else []
        if kind == "int":
            calls += ["count(*)", "row_number()", "rank()", f"sum({arg})", "ntile(2)"]
            calls += [f"count({arg}) filter (where {self.boolx(scope, 1)})"]
            calls += [f"sum({arg}) filter (where {self.boolx(scope, 1)})"]
        call = self.r.choice(calls)
        suffix = "::int" if kind == "int" else ""
        return f"({call} over ({over})){suffix}"

    def aggregate(self, depth: int, outer: Sources | None = None) -> tuple[str, Columns]:
        sources, scope = self.source(depth)
        keys = [self.column(scope, self.r.choice(["int", "text"])) for _ in range(2)]
        keys = list(dict.fromkeys(k for k in keys if k))[: self.r.randrange(0, 3)]
        if keys and self.r.random() < 0.15:
            keys = [*keys[:-1], f"upper({keys[-1]}::text)"]
        outs = [(k, "text" if k.startswith("upper") else self.type_of(scope, k)) for k in keys]
        outs += [self.aggregate_call(scope) for _ in range(self.r.randrange(1, 4))]
        if keys and self.r.random() < 0.3:
            key = self.r.choice(keys)
            outs.append((f"case when {key} is not null then max({key}::text) else 'x' end", "text"))
        grouping = ""
        again = bool(keys) and self.r.random() < 0.15
        if again:  # one key twice
            outs.append((keys[0], outs[0][1]))
        if keys:
            listed = ", ".join(keys)
            grouping = " group by " + self.r.choice(
                [
                    listed,
                    listed,
                    listed,
                    f"rollup ({listed})",
                    f"cube ({listed})",
                    f"grouping sets (({listed}), ({keys[0]}))",
                    f"grouping sets (({listed}), ())",
                    f"{keys[0]}, rollup ({listed})",
                    f"distinct {listed}, cube ({keys[0]})",
                ]
            )
        if again:
            first, last = 1, len(outs)
            more = "".join(f", {n}" for n in range(2, len(keys) + 1))
            grouping = " group by " + self.r.choice(
                [f"{first}{more}, rollup ({last})", f"{first}{more}, cube ({last})",
                 f"grouping sets (({first}{more}, {last}), ({first}{more}))",
                 f"rollup ({first}{more}, {last})", f"{last}{more}, rollup ({first})"]
            )  # fmt: skip
        if grouping and not again and "(" not in grouping:
            grouping = self.parts.line(grouping, 0.2)
        having = ""
        if self.r.random() < 0.2:
            having = " having " + self.r.choice(
                ["count(*) > 1", "max(1) is not null", "min(k) > 0"]
                if any("k" in c for c in scope.values()) and len(scope) == 1
                else ["count(*) > 1"]
            )
            having = self.parts.line(having)
        columns = {f"c{i}": t for i, (_, t) in enumerate(outs)}
        listed = ", ".join(f"{e} as c{i}" for i, (e, _) in enumerate(outs))
        where = self.where({**(outer or {}), **scope})
        return f"select {listed} from {sources}{where}{grouping}{having}{self.limit()}", columns

    def aggregate_call(self, scope: Sources) -> tuple[str, str]:
        arg, text = self.expr(scope, "int", 1), self.expr(scope, "text", 1)
        call, kind = self.r.choice(
            [
                ("count(*)", "int"),
                (f"count({arg})", "int"),
                (f"sum({arg})", "int"),
                (f"max({arg})", "int"),
                (f"min({arg})", "int"),
                (f"avg({arg})", "num"),
                (f"string_agg({text}, ',')", "text"),
                (f"array_agg({arg})", "arr"),
                (f"(array_agg({arg}))[1]", "int"),
                (f"array_agg({arg})", "arr"),
                (f"array_agg({self.array(scope)})", "arr"),
                (f"(array_agg({self.array(scope)}))[1][1]", "int"),
                (f"({arg} = any (array_agg({self.array(scope)})))", "bool"),
                (f"bool_and({self.boolx(scope, 1)})", "bool"),
                (f"any_value({text})", "text"),
                (f"stddev({arg})", "num"),
                (f"var_pop({arg})", "num"),
                (f"mode() within group (order by {arg})", "int"),
                (f"percentile_disc(0.5) within group (order by {arg})", "int"),
                (f"jsonb_agg({text})", "json"),
                (f"jsonb_object_agg(coalesce({text}, 'k'), {arg})", "json"),
                (f"max(distinct {arg})", "int"),
                (f"bit_or({arg})", "int"),
                (f"corr({arg}, {arg})::numeric", "num"),
            ]
        )
        if self.r.random() < 0.2 and "within" not in call and "::" not in call:
            call += f" filter (where {self.boolx(scope, 1)})"
        cast = {"int": "int", "num": "numeric"}.get(kind)
        return (f"({call})::{cast}" if cast else call), kind

    def set_operation(self, depth: int) -> tuple[str, Columns]:
        types = [self.r.choice(["int", "text"]) for _ in range(2)]
        left, columns = self.plain(depth - 1, types)
        if self.r.random() < 0.25:
            left = f"select 1, 'lit'::text from t0 where id = {self.value('int', null=False)}"
            left = left.replace("1,", "1 as c0,", 1).replace("::text", "::text as c1", 1)
        right, _ = self.plain(depth - 1, types)
        word = self.r.choice(
            ["union", "union all", "intersect", "except", "intersect all", "except all"]
        )
        return f"({left}) {word} ({right}){self.limit()}", columns

    def with_query(self, depth: int) -> tuple[str, Columns]:
        name = self.alias("w")
        kind = self.r.random()
        materialized = self.r.choice(["", "", "materialized ", "not materialized "])
        if kind < 0.4:
            step = self.r.choice([*[f"{name}.c0 + 1"] * 3, "null", f"nullif({name}.c0, 1)"])
            body = (
                f"select 1 as c0, {self.r.choice(['1', 'null::int'])} as c1 union all"
                f" select {step}, {self.r.choice([f'{name}.c0', f'{name}.c1'])}"
                f" from {name} where {name}.c0 < 3"
            )
            head, columns = f"with recursive {name} as ({body})", {"c0": "int", "c1": "int"}
            if self.r.random() < 0.4:
                head = head.replace(f"{name} as", f"{name}(c0, c1) as")
                head += self.r.choice(
                    [" search depth first by c0 set ord", " search breadth first by c0 set ord",
                     " cycle c0 set again using path",
                     " cycle c0 set again to 'y'::text default 'n'::text using path"]
                )  # fmt: skip
                if "'y'" in head:
                    columns = {**columns, "again": "text"}
                elif "cycle" in head:
                    columns = {**columns, "again": "bool"}
        elif kind < 0.52:
            target = self.writable()
            body = self.r.choice(
                [
                    f"delete from {target.name} where id < 2 returning id, k",
                    f"update {target.name} set k = k where id = 1 returning id, k",
                    f"update {target.name} set k = 2 where k is not null returning old.k, new.k",
                ]
            )
            columns = {"id": "int", "k": "int"}
            head = f"with {name}(id, k) as ({body})"
        else:
            body, columns = self.select(depth - 1)
            head = f"with {name} as {materialized}({body})"
        self.ctes.append((name, columns))
        sources, scope = self.source(1)
        bare = kind < 0.4 and self.r.random() < 0.6  # what is proved of the recursion itself
        if bare or name not in sources:
            alias = self.alias()
            sources, scope = f"{name} {alias}", {alias: columns}
        types = [self.r.choice(_SIMPLE) for _ in range(self.r.randrange(1, 3))]
        outs = [self.expr(scope, t, 1) for t in types]
        if bare:
            types, outs = ["int", "int"], [f"{alias}.c0", f"{alias}.c1"]
        listed = ", ".join(f"{e} as c{i}" for i, e in enumerate(outs))
        self.ctes.pop()
        tail = self.limit()
        return (
            f"{head} select {listed} from {sources}{self.where(scope)}{tail}",
            {f"c{i}": t for i, t in enumerate(types)},
        )

    # --- sources ------------------------------------------------------------------------------

    def source(self, depth: int) -> tuple[str, Sources]:
        kind = self.r.random()
        if depth <= 0 or kind < 0.42:
            if self.ctes and self.r.random() < 0.5:
                name, columns = self.r.choice(self.ctes)
            else:
                relation = self.r.choice(self.schema.relations)
                name, columns = relation.name, relation.all_columns
                if name == "parent" and self.r.random() < 0.5:
                    name = "only parent"
                if relation.filled and relation.writable:
                    columns = {**columns, **_SYSTEM}
            alias = self.alias()
            return f"{name} {alias}", {alias: columns}
        if kind < 0.74:
            return self.join(depth)
        if kind < 0.88:
            return self.table_function()
        if kind < 0.91:
            alias = self.alias()
            rows = ", ".join(
                f"({self.value('int')}::int, {self.value('text')}::text)"
                for _ in range(self.r.randrange(1, 3))
            )
            return f"(values {rows}) {alias}(c0, c1)", {alias: {"c0": "int", "c1": "text"}}
        alias = self.alias()
        body, columns = self.select(depth - 1)
        return f"({body}) {alias}", {alias: columns}

    def table_function(self) -> tuple[str, Sources]:
        alias = self.alias()
        call, columns = self.r.choice(
            [
                ("generate_series(1, 3) {a}(c0)", {"c0": "int"}),
                ("unnest(array[1, null, 2]) {a}(c0)", {"c0": "int"}),
                ("unnest(array[1, 2]) with ordinality {a}(c0, n)", {"c0": "int", "n": "big"}),
                ("rows from (jsonb_each('{{\"a\": 1}}'), generate_series(1, 2)) {a}(t, j, c0)",
                 {"t": "text", "j": "json", "c0": "int"}),
                ("(select unnest(a) as c0 from odd) {a}", {"c0": "int"}),
                *[("(select n::int from unnest(array[1, 2]) with ordinality u(c0, n)) {a}",
                   {"n": "int"})] * 3,
                (_JSON_TABLE, {"c0": "int", "t": "text"}),
                (_XML_TABLE, {"n": "int", "c0": "int"}),
                (
                    "rows from (generate_series(1, 3), unnest(array[1, 2])) {a}(c0, c1)",
                    {"c0": "int", "c1": "int"},
                ),
                ("jsonb_each_text('{{\"a\": null, \"b\": 1}}') {a}(k, v)",
                 {"k": "text", "v": "text"}),
                *[("(select t, length(t) c0 from jsonb_each_text('{{\"a\": 1}}') e(t, j)) {a}",
                   {"t": "text", "c0": "int"})] * 4,
                *[("jsonb_each('{{\"a\": null, \"b\": 1}}') {a}(t, j)",
                   {"t": "text", "j": "json"})] * 2,
                ("string_to_table('a,b', ',') {a}(t)", {"t": "text"}),
                ("few(1) {a}(c0)", {"c0": "int"}),
                ("full_set(2) {a}(c0)", {"c0": "int"}),
                ("half_set(3) {a}(c0)", {"c0": "int"}),
                ("twice(2) {a}(c0)", {"c0": "int"}),
                ("regexp_split_to_table('a b', ' ') {a}(t)", {"t": "text"}),
            ]
        )  # fmt: skip
        return call.format(a=alias), {alias: columns}

    def join(self, depth: int) -> tuple[str, Sources]:
        left, ls = self.source(depth - 1)
        lateral = self.r.random() < 0.15
        if lateral:
            word = self.r.choice(["left join", "cross join"])
            alias = self.alias()
            body, columns = self.select(0, ls)
            if self.r.random() < 0.5:
                body = f"select * from ({body}) q limit 1"
            on = " on true" if word == "left join" else ""
            return f"({left} {word} lateral ({body}) {alias}{on})", {**ls, alias: columns}
        right, rs = self.source(depth - 1)
        word = self.r.choice(["join", "left join", "left join", "right join", "full join"])
        scope = {**ls, **rs}
        if len(ls) == len(rs) == 1 and self.r.random() < 0.4:
            (la, lc), (_, rc) = next(iter(ls.items())), next(iter(rs.items()))
            shared = [c for c in lc if rc.get(c) == lc[c] == "int"]
            if shared:
                key = shared[0]
                word = self.r.choice([word, "full join"])
                alias = self.alias()
                columns = {key: "int"}
                rest = {c: t for c, t in lc.items() if c != key and c not in rc}
                rest = rest if self.r.random() < 0.5 else {}
                listed = ", ".join([key, *(f"{la}.{c}" for c in rest)])
                return (
                    f"(select {listed} from {left} {word} {right} using ({key})) {alias}",
                    {alias: {**columns, **rest}},
                )
        return f"({left} {word} {right} on {self.on(ls, rs, word)})", scope

    def on(self, left: Sources, right: Sources, word: str) -> str:
        lc = [f"{a}.{c}" for a in left for c, t in left[a].items() if t == "int"]
        rc = [f"{a}.{c}" for a in right for c, t in right[a].items() if t == "int"]
        alike = [
            f"{a}.{c} = {b}.{d}"
            for a in left for c, t in left[a].items() if t in _ALIKE
            for b in right for d, u in right[b].items() if u in _ALIKE[t] and "folded" not in (t, u)
        ]  # fmt: skip
        if alike and word != "full join" and self.r.random() < 0.5:
            return self.r.choice(alike)
        if not lc or not rc:
            return "true"
        condition = f"{self.r.choice(lc)} = {self.r.choice(rc)}"
        if word != "full join" and self.r.random() < 0.35:
            condition += self.parts.line(f" and {self.boolx({**left, **right}, 1)}")
        return condition

    # --- conditions ---------------------------------------------------------------------------

    def where(self, scope: Sources, pin: str = "") -> str:
        if self.r.random() < 0.3:
            return ""
        parts = [self.boolx(scope, 2) for _ in range(self.r.randrange(0, 3))]
        if self.r.random() < 0.5 or pin:
            for alias in [pin] if pin else list(scope):
                parts += self.pins(alias, scope[alias])
        return self.parts.conditions("where", parts)

    def pins(self, alias: str, columns: Columns) -> list[str]:
        """Fix some columns of a source, often a whole key."""
        parts = []
        for column in columns:
            chance = 0.6 if column in {"id", "k", "c0"} else 0.15
            if self.r.random() < chance:
                kind = columns[column]
                name = f"{alias}.{column}"
                if kind not in VALUES:
                    continue
                if kind in _ALIKE:
                    parts.append(self.alike(name, kind))
                    continue
                if kind == "text":
                    name = self.r.choice([name, f"lower({name})", f'{name} collate "C"'])
                fixed = [self.value(kind, null=False), self.param(kind)]
                if kind == "int":
                    fixed += ["(select max(id) from t0)", "(select id from t1 limit 1)"]
                if kind == "bool":
                    parts.append(self.r.choice([name, f"not {name}", f"{name} = true"]))
                    continue
                parts.append(f"{name} = {self.r.choice(fixed)}")
        return parts

    def alike(self, name: str, kind: str) -> str:
        """Compare a column with a value of its type or a similar one, by the equality of either."""
        other = self.r.choice(_ALIKE[kind])
        value = self.r.choice(VALUES[kind]) + f"::{SQL_TYPES[other]}"
        if kind in {"code", "folded"} and self.r.random() < 0.3:
            return f"{name}::text::folded = {value}::text::folded"
        if {kind, other} == {"folded", "text"} or (kind == "code" and other == "folded"):
            return f"{name}::folded = {value}::folded"
        return f"{name} {self.r.choice(['=', '=', '>='])} {value}"

    def boolx(self, scope: Sources, depth: int) -> str:  # noqa: C901 - a table of shapes
        r = self.r
        t = r.choice(["int", "text", "num"])
        option = r.randrange(21 if depth > 0 else 8)
        e = lambda kind=t: self.expr(scope, kind, depth - 1)  # noqa: E731 - short on purpose
        if option == 0:
            return f"{e()} = {e()}"
        if option == 1:
            return f"{e()} is not null"
        if option == 2:
            return f"{e()} is null"
        if option == 3:
            return f"{e('int')} > {e('int')}"
        if option == 4:
            return f"{e('int')} in (1, 2, {r.choice(['3', 'null'])})"
        if option == 5:
            return f"{e('int')} not in (1, {r.choice(['3', 'null'])})"
        if option == 6:
            return f"{e()} is {r.choice(['', 'not '])}distinct from {e()}"
        if option == 7:
            return self.column(scope, "bool") or "true"
        if option in (8, 9):
            return f"({self.boolx(scope, depth - 1)} and {self.boolx(scope, depth - 1)})"
        if option in (10, 11):
            return f"({self.boolx(scope, depth - 1)} or {self.boolx(scope, depth - 1)})"
        if option in (12, 13):
            return f"(not {self.boolx(scope, depth - 1)})"
        if option in (14, 15):
            test = r.choice(["true", "not true", "false", "not false", "unknown", "not unknown"])
            return f"(({self.boolx(scope, depth - 1)}) is {test})"
        if option == 16:
            quantifier = r.choice(["any", "all"])
            return f"({e('int')} {r.choice(['=', '<>', '>'])} {quantifier} ({self.array(scope)}))"
        if option == 17:
            inner, _ = self.plain(0, ["int"], scope)
            return f"({e('int')} {r.choice(['in', 'not in', '> all', '= any'])} ({inner}))"
        if option == 18:
            inner, _ = self.plain(0, ["int"], scope)
            return f"{r.choice(['', 'not '])}exists ({inner})"
        if option == 19:
            alias = r.choice(list(scope))
            return f"({alias}.* is {r.choice(['', 'not '])}null)"
        if r.random() < 0.3:
            return f"(row({e('int')}, {e('text')}) is {r.choice(['', 'not '])}null)"
        return f"(({e('int')}, {e('int')}) {r.choice(['=', '<'])} ({e('int')}, {e('int')}))"

    # --- expressions --------------------------------------------------------------------------

    def expr(self, scope: Sources, kind: str, depth: int) -> str:
        r = self.r
        column = self.column(scope, kind)
        if depth <= 0 or (column and r.random() < 0.35):
            return column if column and r.random() < 0.9 else self.literal(kind)
        e = lambda t=kind: self.expr(scope, t, depth - 1)  # noqa: E731 - short on purpose
        general = [
            lambda: (
                f"coalesce({e()}{self.parts.line(f', {e()}')}, {e()})"
                if self.parts.maybe(0.1)
                else f"coalesce({e()}, {e()})"
            ),
            lambda: f"(case when {self.boolx(scope, depth - 1)} then {e()} else {e()} end)",
            lambda: f"(case when {self.boolx(scope, depth - 1)} then {e()} end)",
            lambda: f"nullif({e()}, {e()})",
            lambda: self.guarded(e(), e()),
            lambda: f"(case {e('int')} when 1 then {e()} when 2 then {e()} else {e()} end)",
            lambda: self.scalar(scope, kind),
            lambda: self.param(kind),
        ]
        specific = {
            "int": [
                lambda: f"({e()} + {e()})",
                lambda: f"length({e('text')})",
                lambda: f"abs({e()})",
                lambda: f"greatest({e()}, {e()})",
                lambda: f"twice({e()})",
                lambda: f"pick({e()}, {e()})",
                lambda: f"first_or({e()}, {e()})",
                lambda: f"odd_or_null({e()})",
                lambda: f"plain_null({e()})",
                lambda: f"wobble({e()})",
                lambda: f"array_length({self.array(scope)}, 1)",
                lambda: f"cardinality({self.array(scope)})",
                lambda: f"({self.array(scope)})[1]",
                lambda: f"strpos({e('text')}, 'i')",
                lambda: f"num_nulls({e()}, {e('text')})",
                lambda: f"({self.json(scope)} -> 'k')::int",
                lambda: f"pick(y => {e()}, x => {e()})",
                lambda: f"first_or(y => {e()}, x => {e()})",
                lambda: self.field(scope, "int"),
                lambda: f"json_value({self.json(scope)}, '$.k' returning int)",
                lambda: f"cardinality(array(select 1 where {self.boolx(scope, depth - 1)}))",
                lambda: f"(array[{e()}, {e()}])[1]",
                lambda: f"array_position({self.array(scope)}, {e()})",
                lambda: f"{self.stored(scope, 'oid')}::int",
                lambda: f"{self.stored(scope, 'big')}::int",
                lambda: f"({self.stored(scope, 'pair')}).{r.choice('lr')}",
                lambda: f"lower({self.stored(scope, 'span')})",
                lambda: f"{self.stored(scope, 'pair')}::int",
                lambda: f"((row({e()}, {e()})::pair)::int + 1)",
                lambda: f"({e()}::pair).l",
                lambda: f"(coalesce({e()}, 1)::positive)::int",
                lambda: f"sure({e()})",
                lambda: "(select max(id) from t0)",
                lambda: f"(select count(*)::int from t1 where k = {e()})",
                lambda: f"coalesce((select max(k) from t1), {e()})",
            ],
            "text": [
                lambda: f"({e()} || {e()})",
                lambda: f"upper({e()})",
                lambda: f"concat({e()}, {e('int')})",
                lambda: f"concat_ws({e()}, {e()}, 'z')",
                lambda: f"({e('int')})::text",
                lambda: f"substring({e()} from 'i')",
                lambda: f"({self.json(scope)} ->> 'k')",
                lambda: f"to_char({self.date(scope)}::timestamp, 'YYYY')",
                lambda: f"format('%s', {e()})",
                lambda: f"split_part({e()}, 'i', 1)",
                lambda: f"jsonb_typeof({self.json(scope)})",
                lambda: f"array_to_string({self.array(scope)}, ',')",
                lambda: f"least({e()}, {e()})",
                lambda: self.field(scope, "text"),
                lambda: f"json_scalar({e('int')})::text",
                lambda: f"json_object('a': {e()})::text",
                lambda: f"json_array({e()}, {e()})::text",
                lambda: f"json_query({self.json(scope)}, '$.k')::text",
                lambda: f"to_json({e()})::text",
                lambda: f"array_append({self.array(scope)}, {e('int')})::text",
                lambda: f"array_cat({self.array(scope)}, null)::text",
                lambda: f"int4range({e('int')}, null)::text",
                lambda: f"lower(int4range({e('int')}, null))::text",
                lambda: f"{r.choice(list(scope))}::text",
                lambda: f"{self.stored(scope, 'tid')}::text",
                lambda: f"isempty({self.stored(scope, 'span')})::text",
            ],
            "bool": [
                lambda: self.boolx(scope, depth),
                lambda: f"json_exists({self.json(scope)}, '$.k')",
                lambda: f"({self.json(scope)} is json object)",
                *[lambda: f"(({e('int')}, {e('int')}) {r.choice(['<', '>='])} ({e('int')}, 2))"]
                * 3,
                *[lambda: f"({e('int')} {r.choice(['in', 'not in'])} (select id from t0))"] * 3,
                lambda: f"({e('text')} is distinct from {e('text')})",
                lambda: f"('1'::vague is distinct from '{r.choice('12')}'::vague)",
                lambda: f"({e('int')} ~~~ {e('int')})",
                lambda: f"({e('int')} {r.choice(['=', '>'])} any ({self.array(scope)}))",
                lambda: f"({e('int')} = any (array[{e('int')}, 1]))",
                lambda: f"exists (select from t0 where id = {e('int')})",
            ],
            "num": [
                lambda: f"({e()} * 2)",
                lambda: f"({e('int')})::numeric",
                lambda: f"round({e()})",
                lambda: f"scale({e()})::numeric",
                lambda: f"extract(year from {self.date(scope)})",
            ],
        }
        choices = general + specific.get(kind, [])
        return r.choice(choices)()

    def guarded(self, tested: str, otherwise: str) -> str:
        test, branches = self.r.choice(
            [
                ("is not null", (tested, otherwise)),
                ("is null", (otherwise, tested)),
            ]
        )
        return f"(case when {tested} {test} then {branches[0]} else {branches[1]} end)"

    def scalar(self, scope: Sources, kind: str) -> str:
        relation = self.r.choice(self.schema.relations)
        alias = self.alias()
        own = {alias: relation.all_columns}
        where = self.where({**scope, **own})
        if kind == "int" and self.r.random() < 0.5:
            column = self.column(own, "int")
            call = self.r.choice(["count(*)", f"max({column})", f"coalesce(sum({column}), 0)"])
            return f"(select ({call})::int from {relation.name} {alias}{where})"
        out = self.column(own, kind) or self.literal(kind)
        return f"(select {out} from {relation.name} {alias}{where} limit 1)"

    def field(self, scope: Sources, kind: str) -> str:
        """Return a column through its row."""
        alias, _, column = self.column(scope, kind).partition(".")
        return f"({alias}).{column}" if column else self.literal(kind)

    def array(self, scope: Sources) -> str:
        column = self.column(scope, "arr")
        literal = self.r.choice(
            ["array[1, 2]", "array[1, null]", "'{}'::int[]", "'{2}'::int[]", "array['{}'::int[]]",
             "'{{1,2},{3,NULL}}'::int[]"]
        )  # fmt: skip
        if column and self.r.random() < 0.3:
            literal = self.r.choice([f"array[{column}]", f"array(select {column})"])
        made = f"array[{self.expr(scope, 'int', 0)}, {self.expr(scope, 'int', 0)}]"
        return self.r.choice([column or literal, literal, made])

    def json(self, scope: Sources) -> str:
        column = self.column(scope, "json")
        return column or "jsonb_build_object('k', " + self.expr(scope, "int", 0) + ")"

    def date(self, scope: Sources) -> str:
        return self.column(scope, "date") or "date 'infinity'"

    def typed(self, scope: Sources, kind: str) -> str:
        return self.expr(scope, kind, 1) if kind in _SIMPLE else self.value(kind)

    # --- leaves -------------------------------------------------------------------------------

    def literal(self, kind: str) -> str:
        cast = "" if kind in {"int", "bool"} else f"::{SQL_TYPES[kind]}"
        return self.r.choice(VALUES[kind]) + cast

    def value(self, kind: str, *, null: bool = True) -> str:
        if null and self.r.random() < 0.25:
            return "null"
        return self.r.choice([self.literal(kind), self.literal(kind), self.param(kind)])

    def param(self, kind: str) -> str:
        cast = {"int": "int", "text": "text", "bool": "bool", "num": "numeric"}.get(kind)
        if cast is None or self.r.random() < 0.5:
            return self.literal(kind)
        return f"«{kind}»::{cast}"

    def column(self, scope: Sources, kind: str) -> str:
        found = [f"{a}.{c}" for a in scope for c, t in scope[a].items() if t == kind]
        return self.r.choice(found) if found else ""

    def stored(self, scope: Sources, kind: str) -> str:
        """Return a column of a type that no expression produces, or a value of it."""
        return self.column(scope, kind) or _STORED[kind]

    def type_of(self, scope: Sources, name: str) -> str:
        alias, _, column = name.partition(".")
        return scope[alias][column]

    def int_column(self, columns: Columns) -> str:
        found = [c for c, t in columns.items() if t == "int"]
        return self.r.choice(found) if found else ""

    def limit(self) -> str:
        if self.r.random() < 0.85:
            return ""
        return self.r.choice(
            [" limit 1", " limit null", " limit all",
              " limit 0", " limit 2", " offset 1", " fetch first 1 row only",
             " order by 1 fetch first 1 row with ties"]
        )  # fmt: skip

    def alias(self, prefix: str = "a") -> str:
        self.names += 1
        return f"{prefix}{self.names}"
