"""Random joins with `sqlc.nest`: what is accepted groups rows as their hidden numbers do.

Each row of each table has a number of its own, of which the compiler does not know that it is
unique. A loop groups the flat rows of the same text by these numbers.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiosqlc.config.load import load_project
from aiosqlc.pipeline.compile import compile_project

from tests.drivers.running import CONFIG, Engine, Subject
from tests.drivers.test_nested_rows import plain

SCHEMA = """
CREATE TABLE p (id int PRIMARY KEY, k int, x int NOT NULL, rid int NOT NULL);
CREATE TABLE q (id int NOT NULL, n int NOT NULL, k int, rid int NOT NULL, PRIMARY KEY (id, n));
CREATE TABLE u (
    a int NOT NULL, id int, v varchar(5) NOT NULL, rid int NOT NULL, UNIQUE (a), UNIQUE (v, id)
);
CREATE TABLE w (id int, k int, rid int NOT NULL, UNIQUE (id));
CREATE TABLE z (id int, k int NOT NULL, rid int NOT NULL);
"""
TABLES: Mapping[str, tuple[str, ...]] = {
    "p": ("id", "k", "x"),
    "q": ("id", "n", "k"),
    "u": ("a", "id", "v"),
    "w": ("id", "k"),
    "z": ("id", "k"),
}
KEYS = {"p": ("id",), "q": ("id", "n"), "u": ("a",), "w": ("id",), "z": ()}
INNER = frozenset({"p", "q"})


@dataclass
class Drawn:
    """A random query: its texts, and where its rows come from."""

    name: str
    command: str
    tops: dict[str, list[str]] = field(default_factory=dict)
    """The columns of the rows that the function returns, by alias."""
    lists: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """The path of each list, by alias."""
    tables: dict[str, str] = field(default_factory=dict)
    rest: str = ""
    """FROM and what follows."""

    @property
    def text(self) -> str:
        tops = [f"{a}.{c} AS {a}_{c}" for a, columns in self.tops.items() for c in columns]
        lists = [f"sqlc.nest({a}) AS {'.'.join(path)}" for a, path in self.lists.items()]
        head = f"-- name: {self.name} :{self.command}"
        return f"{head}\nSELECT {', '.join([*tops, *lists])}\n{self.rest};\n"

    @property
    def flat(self) -> str:
        columns = [
            f"{alias}.{column} AS {alias}_{column}"
            for alias, table in self.tables.items()
            for column in (*TABLES[table], "rid")
        ]
        return f"SELECT {', '.join(columns)}\n{self.rest}"


def drawn(rand: random.Random, number: int) -> Drawn:
    aliases = [f"t{n}" for n in range(rand.choice([2, 2, 3, 3, 4]))]
    found = Drawn(f"Drawn{number}", rand.choice(["many", "many", "many", "stream", "one"]))
    found.tables = {alias: rand.choice("ppqquuwz") for alias in aliases}
    joined = _item(rand, found, aliases[0])
    known = [aliases[0]]
    rest = aliases[1:]
    while rest:
        kind = rand.choice(["JOIN", "LEFT JOIN", "LEFT JOIN", "LEFT JOIN", "RIGHT JOIN"])
        if len(rest) > 1 and rand.random() < 0.2:
            inner = rand.choice(["JOIN", "LEFT JOIN"])
            items = [_item(rand, found, alias) for alias in rest[:2]]
            on = _on(rand, found, rest[1], rest[:1])
            item, new = f"({items[0]} {inner} {items[1]} ON {on})", rest[:2]
        else:
            item, new = _item(rand, found, rest[0]), rest[:1]
        joined += f"\n{kind} {item} ON {_on(rand, found, rand.choice(new), known)}"
        known += new
        rest = rest[len(new) :]
    tops = rand.sample(aliases, rand.choice([1, 1, 1, 2]) if len(aliases) > 2 else 1)
    if rand.random() < 0.6 and aliases[0] not in tops:
        tops[0] = aliases[0]
    for alias in dict.fromkeys(tops):
        columns = TABLES[found.tables[alias]]
        chosen = rand.sample(columns, rand.randint(1, len(columns)))
        if rand.random() < 0.8:
            chosen = [*KEYS[found.tables[alias]], *chosen]
        found.tops[alias] = list(dict.fromkeys(chosen))
    paths: list[tuple[str, ...]] = [()]
    for alias in aliases:
        if alias not in tops and (rand.random() < 0.85 or not found.lists):
            found.lists[alias] = (*rand.choice(paths), alias)
            paths.append(found.lists[alias])
    where = f"\nWHERE {_on(rand, found, rand.choice(aliases), aliases)}" * (rand.random() < 0.3)
    if found.command == "one":
        alias = next(iter(found.tops))
        keys = KEYS[found.tables[alias]] or ("id",)
        where = "\nWHERE " + " AND ".join(f"{alias}.{key} = {rand.randint(1, 3)}" for key in keys)
    order = [f"{alias}.rid" for alias in rand.sample(aliases, len(aliases))]
    if found.command == "stream":
        columns = [f"{a}.{c}" for a, chosen in found.tops.items() for c in chosen]
        order = [*rand.sample(columns, len(columns)), *order]
    found.rest = f"FROM {joined}{where}\nORDER BY {', '.join(order)}"
    return found


def _item(rand: random.Random, found: Drawn, alias: str) -> str:
    table = found.tables[alias]
    chance = rand.random()
    if chance < 0.1:
        return f"(SELECT * FROM {table} WHERE id > 1) AS {alias}"
    if chance < 0.15:
        return f"(SELECT * FROM {table} ORDER BY rid LIMIT 2) AS {alias}"
    return f"{table} AS {alias}"


def _on(rand: random.Random, found: Drawn, alias: str, known: list[str]) -> str:
    def column(name: str) -> str:
        return f"{name}.{rand.choice([c for c in TABLES[found.tables[name]] if c != 'v'])}"

    conditions = []
    for _ in range(rand.choice([1, 1, 1, 2])):
        other = column(rand.choice(known))
        conditions.append(
            rand.choice(
                [
                    *[f"{column(alias)} = {other}"] * 6,
                    f"{column(alias)} = {rand.randint(1, 3)}",
                    f"{column(alias)} < {other}",
                    f"({column(alias)} = {other} OR {other} IS NULL)",
                    f"{other} IS NOT NULL",
                ]
            )
        )
    key = KEYS[found.tables[alias]]
    if key and rand.random() < 0.4:
        conditions = [f"{alias}.{part} = {column(rand.choice(known))}" for part in key]
    return " AND ".join(conditions)


def expected(query: Drawn, rows: list[dict[str, Any]]) -> list[Any]:
    """Group the flat rows by their numbers."""
    found: list[Any] = []
    known: dict[Any, Any] = {}
    for row in rows:
        top: Any = tuple(row[f"{alias}_rid"] for alias in query.tops)
        if top not in known:
            known[top] = {
                f"{a}_{c}": row[f"{a}_{c}"] for a, columns in query.tops.items() for c in columns
            } | {path[0]: [] for path in query.lists.values() if len(path) == 1}
            found.append(known[top])
        for alias, path in sorted(query.lists.items(), key=lambda pair: len(pair[1])):
            numbers = tuple(row[f"{above}_rid"] for above in path)
            if numbers[-1] is None:
                continue
            place = (top, path, numbers)
            if place not in known:
                columns = (*TABLES[query.tables[alias]], "rid")
                known[place] = {column: row[f"{alias}_{column}"] for column in columns}
                below = [p for p in query.lists.values() if p[:-1] == path]
                known[place] |= {other[-1]: [] for other in below}
                above = known[top, path[:-1], numbers[:-1]] if len(path) > 1 else known[top]
                above[path[-1]].append(known[place])
    return found


def accepted(engine: Engine, folder: Path, queries: list[Drawn]) -> list[Drawn]:
    """Return the queries whose keys the compiler proves."""
    (folder / "schema.sql").write_text(SCHEMA)
    (folder / "queries.sql").write_text("\n".join(query.text for query in queries))
    config = folder / "sqlc.yaml"
    config.write_text(
        CONFIG.format(
            engine=engine.name, package="q", imported="q", driver=engine.drivers[0], options=""
        )
    )
    project, _ = load_project(config, environ={})
    assert project is not None
    with engine.database("") as url:
        done = compile_project(project, engine.analyzer(url))
    problems = {item.code for item in done.diagnostics}
    assert problems <= {"E320", "E345", "E346", "E401"}, problems
    refused = {
        query.name
        for item in done.diagnostics
        if item.code != "E401"
        for query in queries
        if f"`{query.name}`" in item.message or f"{query.name} " in item.message
    }
    return [query for query in queries if query.name not in refused]


def store(subject: Subject, rand: random.Random) -> None:
    number = 0
    for table, columns in TABLES.items():
        subject.wait(subject.db.execute(f"DELETE FROM {table}"))
        taken = set[Any]()
        for _ in range(rand.randint(0, 5)):
            row: dict[str, Any] = {
                column: rand.choice("ab") if column == "v" else rand.choice([1, 2, 3, 4, None])
                for column in columns
            }
            for column in columns:
                if (table, column) in {("p", "x"), ("q", "n"), ("u", "a"), ("z", "k")} or (
                    column == "id" and table in INNER
                ):
                    row[column] = rand.randint(1, 4)
            keys = [tuple(row[c] for c in KEYS[table])] + [(row.get("v"), row.get("id"))] * (
                table == "u"
            )
            if any(key in taken and None not in key for key in keys if key):
                continue
            taken |= set(keys)
            number += 1
            values = ", ".join("NULL" if v is None else repr(v) for v in (*row.values(), number))
            subject.wait(subject.db.execute(f"INSERT INTO {table} VALUES ({values})"))


def check(engine: Engine, folder: Path, queries: int, rounds: int, seed: int) -> int:
    """Compare the functions of random queries with a loop; return the number of lists."""
    rand = random.Random(seed)
    candidates = [drawn(rand, number) for number in range(queries)]
    fit = accepted(engine, folder, candidates)
    assert len(fit) > queries / 6, (len(fit), queries)
    texts = (SCHEMA, "\n".join(query.text for query in fit))
    lists = 0
    with (
        engine.compiled(folder, engine.drivers[0], texts=texts, options="") as package,
        engine.database(SCHEMA) as url,
        engine.connected(engine.drivers[0], package, url) as subject,
    ):
        for _ in range(rounds):
            store(subject, rand)
            for query in fit:
                columns = [
                    f"{alias}_{column}"
                    for alias, table in query.tables.items()
                    for column in (*TABLES[table], "rid")
                ]
                flat = subject.wait(subject.db.fetch(query.flat))
                rows = [dict(zip(columns, row, strict=True)) for row in flat]
                wanted = expected(query, rows)
                more = {"chunk": rand.randint(1, 4)} if query.command == "stream" else {}
                with subject.streaming():
                    found = plain(subject.call(query.name.lower(), **more))
                found = [] if found is None else [found] if query.command == "one" else found
                assert found == wanted, (query.text, rows)
                lists += sum(len(v) for row in wanted for v in row.values() if isinstance(v, list))
    return lists


@pytest.mark.parametrize("name", ["postgres", "mysql"])
@pytest.mark.parametrize(
    ("queries", "rounds", "seed"),
    [(60, 6, 36), pytest.param(600, 30, 37, marks=pytest.mark.long)],
)
def test_accepted_queries_group_rows_by_their_numbers(
    name: str,
    queries: int,
    rounds: int,
    seed: int,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> None:
    engine: Engine = request.getfixturevalue(name)
    assert check(engine, tmp_path, queries, rounds, seed) > queries
