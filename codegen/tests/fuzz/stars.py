"""Random queries with many stars: the generated function returns what the query returns.

Tables share column names, some of which need quotes. Their rows differ in every column, so that a
confused column is detected.
"""

from __future__ import annotations

import random
import secrets
from dataclasses import astuple, dataclass, field, is_dataclass
from pathlib import Path
from typing import Any

import asyncpg
from aiosqlc.analysis.port import Analyze
from aiosqlc.ir import TypedQuery
from aiosqlc.plan.naming import snake

from tests.fuzz.compiled import compile_texts, imported

_NAMES = [
    *("id", "k", "x", "name", '"order"', '"a.*"', '"Größe"', "größe", '"user"', '"two words"'),
    *("values", "between", '"sélect"'),
]


@dataclass(frozen=True)
class Relation:
    """A source of rows: its text in FROM, and its columns."""

    sql: str
    columns: tuple[str, ...]
    table: bool = True


@dataclass(frozen=True)
class Source:
    """An item of FROM: its text, and the columns of each alias that may have a star."""

    sql: str
    stars: dict[str, tuple[str, ...]]


@dataclass
class Tally:
    """The results of a search."""

    written: int = 0
    accepted: int = 0
    called: int = 0
    expanded: int = 0
    widened: int = 0
    wrong: list[str] = field(default_factory=list)


class Generator:
    """Make a schema and queries over it from one seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.aliases = 0
        self.statements: list[str] = []
        self.rows: list[str] = []
        self.relations: list[Relation] = []
        self.ctes: list[Relation] = []
        for number in range(4):
            self._table(f"t{number}" if number else '"Tä bles"')
        self._view()
        self._function()

    def _table(self, name: str) -> None:
        columns = tuple(self.random.sample(_NAMES, self.random.randint(2, 5)))
        listed = ", ".join(f"{column} int" for column in columns)
        key = f", primary key ({columns[0]})"
        self.statements.append(f"create table {name} ({listed}{key})")
        for row in range(1, 4):
            base = row if self.random.random() < 0.8 else row * 10
            values = ", ".join([str(base), *(str(self.random.randrange(100)) for _ in columns[1:])])
            self.rows.append(f"insert into {name} values ({values})")
        self.relations.append(Relation(name, columns))

    def _view(self) -> None:
        of = self.relations[0]
        self.statements.append(
            f"create view v as select {of.columns[0]} * 2 as doubled, * from {of.sql}"
        )
        self.relations.append(Relation("v", ("doubled", *of.columns), table=False))

    def _function(self) -> None:
        self.statements.append(
            'create function f(n int) returns table (k int, "X" int) language sql as'
            " 'select g, g + n from generate_series(1, 3) g'"
        )
        self.relations.append(Relation("f(7)", ("k", '"X"'), table=False))
        self.statements.append("create type pair as (id int, k int)")
        self.statements.append(
            "create table wide (c1 int, c2 int, c3 int, c4 int, c5 int, c6 int, c7 int)"
        )

    # --- queries --------------------------------------------------------------------------------

    def query(self) -> str:
        """Return a statement."""
        self.aliases = 0
        kind = self.random.randrange(12)
        if kind < 6:
            return self._select(2)
        if kind == 6:
            one = self._select(1)
            both = self.random.choice([one, self._select(1)])
            return f"{one} {self.random.choice(['union all', 'union', 'except all'])} {both}"
        if kind == 7:
            name = self._alias()
            inner = self._select(1)
            star = self._star(self.random.choice(["", name]))
            return f"with {name} as ({inner}) select{star}from {name}"
        if kind == 8:
            star = self._star("")
            returning = self.random.choice(["", " returning*", " returning wide.*, 1 as one"])
            columns = self.random.choice(["", " (c7, c3)", " (c2, c1, c4, c3)"])
            source = self._source(1)
            chosen = self.random.choice([star, self._stars(source)])
            return f"insert into wide{columns} select{chosen}from {source.sql}{returning}"
        return self._change()

    def _change(self) -> str:
        table = self.random.choice([r for r in self.relations if r.table])
        column, name = table.columns[-1], self._alias()
        other = self._source(0)
        star = self.random.choice(["*", f"{name}.*", f"{name}.*, 1 as one", "*, 2 as two"])
        how = self.random.randrange(5)
        if how == 0:
            return f"update {table.sql} {name} set {column} = 5 returning {star}"
        if how == 1:
            last = f"returning{self._spaced(star)}"
            return f"update {table.sql} {name} set {column} = 5 from {other.sql} {last}"
        if how == 2:
            return f"delete from {table.sql} as {name} using {other.sql} returning {star}"
        if how == 3:
            return f"delete from {table.sql} {name} returning old.*, new.{column} as n, {name}.*"
        match = next(iter(other.stars.items()))
        return (
            f"merge into {table.sql} {name} using {other.sql}"
            f" on {name}.{table.columns[0]} = {match[0]}.{match[1][0]}"
            f" when matched then update set {column} = 9 when not matched then do nothing"
            f" returning {star}"
        )

    def _select(self, depth: int) -> str:
        r = self.random
        source = self._source(depth)
        items = self._stars(source)
        distinct = r.choice(["", "", "", " distinct", " all"])
        where = ""
        if r.random() < 0.2:
            where = f" where exists (select{self._star('')}from {self._source(0).sql})"
        grouped = self._grouped() if r.random() < 0.2 else ""
        return grouped or f"select{distinct}{items}from {source.sql}{where}"

    def _grouped(self) -> str:
        """Group by a key, which determines the other columns."""
        r = self.random
        table = r.choice([r for r in self.relations if r.table])
        name, key = self._alias(), table.columns[0]
        extra = r.choice([", count(*)", f", count({name}.*)", "", f", {name}.{key} as again"])
        before = r.choice(["", f"{name}.{key} as first, ", "1 as one,"])
        keys = [key, *r.sample(table.columns[1:], r.randrange(len(table.columns)))]
        r.shuffle(keys)
        by = ", ".join(f"{name}.{column}" for column in keys)
        how = len(keys) == len(table.columns) and r.random() < 0.3
        star = r.choice(["*", f"{name}.*", f"{name}.*, {name}.*"])
        by = f"rollup ({by})" if how else by
        return f"select {before}{star}{extra} from {table.sql} {name} group by {by}"

    def _stars(self, source: Source) -> str:
        r = self.random
        names = list(source.stars)
        items = [
            self._star(r.choice(["", *names])).strip(" ") for _ in range(r.choice([1, 1, 1, 2]))
        ]
        for _ in range(r.randrange(3)):
            name = r.choice(names)
            column = r.choice(source.stars[name])
            item = r.choice(
                [f"{name}.{column} * 2 as twice", f"{name}.{column} as one", "1*2 as two"]
            )
            if " as " in item and item.rpartition(" ")[2] not in " ".join(items):
                items.insert(r.randrange(len(items) + 1), item)
        return self._spaced(r.choice([", ", ","]).join(items))

    def _star(self, name: str) -> str:
        qualifier = f"{name}{self.random.choice(['.', '.', ' . ', './**/'])}" if name else ""
        return self._spaced(f"{qualifier}*")

    def _spaced(self, items: str) -> str:
        """Put only the necessary space around items."""
        r = self.random
        before = (
            ""
            if items.startswith(("*", '"')) and r.random() < 0.4
            else r.choice([" ", " ", "/* * */"])
        )
        after = (
            ""
            if items.endswith(("*", '"')) and r.random() < 0.4
            else r.choice([" ", " ", "-- ü*\n"])
        )
        return before + items + after

    def _alias(self) -> str:
        self.aliases += 1
        return self.random.choice(
            [f"a{self.aliases}", f'"Ä {self.aliases}"', f'"a.*{self.aliases}"']
        )

    def _source(self, depth: int) -> Source:
        r = self.random
        kind = r.randrange(10) if depth else r.randrange(4)
        if kind < 4:
            return self._single()
        if kind == 4:
            inner, name = self._select(depth - 1), self._alias()
            return Source(f"({inner}) {name}", {name: ("one",)})
        if kind == 5:
            name = self._alias()
            width = r.randint(1, 3)
            columns = tuple(r.sample(_NAMES, width))
            row = ", ".join(str(r.randrange(9)) for _ in columns)
            return Source(f"(values ({row})) {name}({', '.join(columns)})", {name: columns})
        left, right = self._source(depth - 1), self._source(depth - 1)
        stars = {**left.stars, **right.stars}
        if kind == 6:
            return Source(f"{left.sql}, {right.sql}", stars)
        if kind == 7:
            inner = self._star(r.choice(["", *right.stars])).rstrip()
            more = self._star(r.choice(list(left.stars))).strip(" ")
            name = self._alias()
            picked = r.choice([inner, f" {more}", f"{inner}, {more}"])
            return Source(
                f"{left.sql} cross join lateral (select{picked} from {right.sql}) {name}",
                {**left.stars, name: ("one",)},
            )
        joined = r.choice(["join", "left join", "full join", "right join"])
        shared = [c for c in self._columns(left) if c in self._columns(right)]
        if shared and r.random() < 0.7:
            used = r.sample(shared, 1)[0]
            sql = f"{left.sql} {joined} {right.sql} using ({used})"
        elif r.random() < 0.3:
            sql = f"{left.sql} natural {joined} {right.sql}"
        else:
            sql = f"{left.sql} cross join {right.sql}"
        if kind == 9:
            name = self._alias()
            return Source(f"({sql}) {name}", {name: tuple(self._columns(left))})
        return Source(sql, stars)

    def _columns(self, source: Source) -> list[str]:
        return [column for columns in source.stars.values() for column in columns]

    def _single(self) -> Source:
        r = self.random
        relation = r.choice(self.relations)
        name = self._alias()
        renamed = r.random() < 0.2
        columns = tuple(r.sample(_NAMES, len(relation.columns))) if renamed else relation.columns
        listed = f"({', '.join(columns)})" if renamed else ""
        return Source(f"{relation.sql} {r.choice(['as ', ''])}{name}{listed}", {name: columns})


# --- the hunt -----------------------------------------------------------------------------------


async def hunt(url: str, analyze: Analyze, folder: Path, seed: int, count: int) -> Tally:
    """Compile random queries and compare the results of their functions with those of the queries.

    Then every table gets another column. A function whose text has no star must return the same.
    """
    generator = Generator(seed)
    texts = [generator.query() for _ in range(count)]
    # A schema of its own: what this process knows of another hunt is not asked for again.
    own = f"create table own_{secrets.token_hex(4)} ()"
    schema = ";\n".join([*generator.statements, own]) + ";\n"
    typed = compile_texts(folder, "postgresql", schema, texts, analyze, many=True).queries
    tally = Tally(written=count, accepted=len(typed))
    connection = await asyncpg.connect(url)
    try:
        with imported(folder) as module:
            await connection.execute(";\n".join([*generator.statements, *generator.rows]))
            wanted = {q.parsed.name: await _rows(connection, q.parsed.sql) for q in typed}
            for query in typed:
                await _compare(connection, query, module, wanted[query.parsed.name], tally)
            for number, relation in enumerate(generator.relations):
                if relation.table:
                    await connection.execute(
                        f"alter table {relation.sql} add late{number} int default 77"
                    )
            for query in typed:
                if not _has_star(query.sql) and "natural" not in query.sql:
                    tally.widened += 1
                    await _compare(connection, query, module, wanted[query.parsed.name], tally)
    finally:
        await connection.close()
    return tally


async def _compare(
    connection: asyncpg.Connection[Any],
    query: TypedQuery,
    module: Any,
    wanted: list[str] | None,
    tally: Tally,
) -> None:
    if wanted is None:
        return
    function = getattr(module, snake(query.parsed.name), None)
    tally.called += function is not None
    found: list[str] | str | None
    try:
        if function is None:  # two columns of one name: there is only the text
            found = await _rows(connection, query.sql)
        else:
            async with _undone(connection):
                found = _sorted(_tuple(row) for row in await function(connection))
    except (TypeError, asyncpg.PostgresError) as error:
        found = f"{type(error).__name__}: {error}"
    tally.expanded += query.sql != query.parsed.sql
    if found != wanted:
        tally.wrong.append(f"{query.parsed.sql}\n→ {query.sql}\n{wanted}\n{found}")


async def _rows(connection: asyncpg.Connection[Any], sql: str) -> list[str] | None:
    """Return a statement's rows without an order, or None if it fails."""
    try:
        async with _undone(connection):
            return _sorted(tuple(row) for row in await connection.fetch(sql))
    except asyncpg.PostgresError:
        return None


class _undone:  # noqa: N801 - used as a word
    """A transaction that is rolled back."""

    def __init__(self, connection: asyncpg.Connection[Any]) -> None:
        self._transaction = connection.transaction()

    async def __aenter__(self) -> None:
        await self._transaction.start()

    async def __aexit__(self, *_exc: object) -> None:
        await self._transaction.rollback()


def _tuple(row: Any) -> tuple[Any, ...]:
    return astuple(row) if is_dataclass(row) and not isinstance(row, type) else (row,)


def _sorted(rows: Any) -> list[str]:
    return sorted(map(repr, rows))


def _has_star(sql: str) -> bool:
    bare = sql.replace('"a.*"', "").replace('"a.*', "").replace("/* * */", "").replace("-- ü*", "")
    return "*" in bare.replace("count(*)", "").replace("* 2", "").replace("1*2", "")
