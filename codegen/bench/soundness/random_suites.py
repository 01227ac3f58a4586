"""Random schemas without traps, and random queries over them: the grammar of the fuzzer.

The schemas use what every tool documents: tables with keys and unique columns, an enum, and
two views. A query belongs to a suite if the server prepares it.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

from aiosqlc.postgres import Analyzer

from bench.soundness.executing import accepted, database_of
from bench.soundness.model import Query, Suite
from tests.fuzz.documents import Documents
from tests.fuzz.optional import is_dynamic
from tests.fuzz.queries import Generator
from tests.fuzz.schemas import SQL_TYPES, Relation, Schema

PER_SUITE = 200
PREFIX = "random-"
_JSON_SHARE = 0.2
_TYPES = ("int", "int", "text", "text", "bool", "num", "arr", "json", "date", "mood", "code")
_MORE = ("local", "zoned")
# Only PostgreSQL 18 has these; no other tool's parser is that new.
_NEW = ("old.", "new.", "merge_action", "without overlaps")


def plain_schema(seed: int) -> Schema:
    """Return the schema of a seed: four tables and two views."""
    r = random.Random(seed)
    statements = ["create type mood as enum ('sad', 'ok', 'happy')"]
    relations = [_table(r, number, statements) for number in range(4)]
    relations += [_joined(r, relations, statements), _grouped(r, relations, statements)]
    return Schema(statements, relations)


def _table(r: random.Random, number: int, statements: list[str]) -> Relation:
    name, columns = f"t{number}", {"id": "int", "k": "int"}
    for place in range(r.randrange(3, 6)):
        kind = r.choice([*_TYPES, *_MORE])
        columns[f"{kind[0]}{place}"] = kind
    nullable = {column for column in columns if column != "id" and r.random() < 0.5}
    lines = [
        f"{column} {SQL_TYPES[kind]}{'' if column in nullable else ' not null'}"
        for column, kind in columns.items()
    ]
    keys: list[tuple[str, ...]] = [("id",)] if r.random() < 0.8 else [("id", "k")]
    lines.append(f"primary key ({', '.join(keys[0])})")
    nullable -= set(keys[0])
    if r.random() < 0.3:
        lines.append("unique (k)")
    statements.append(f"create table {name} ({', '.join(lines)})")
    return Relation(name, columns, True, nullable, keys)


def _joined(r: random.Random, tables: list[Relation], statements: list[str]) -> Relation:
    left, right = r.sample(tables, 2)
    column = r.choice(list(right.columns))
    statements.append(
        f"create view v0 as select a.id, b.id as bid, b.{column} as c from {left.name} a"
        f" left join {right.name} b on a.id = b.k"
    )
    return Relation("v0", {"id": "int", "bid": "int", "c": right.columns[column]}, False)


def _grouped(r: random.Random, tables: list[Relation], statements: list[str]) -> Relation:
    table = r.choice(tables)
    column = r.choice(list(table.columns))
    statements.append(
        f"create view v1 as select k, count(*)::int as n, max({column}::text) as m"
        f" from {table.name} group by k"
    )
    return Relation("v1", {"k": "int", "n": "int", "m": "text"}, False)


def random_suite(analyzer: Analyzer, seed: int, count: int = PER_SUITE) -> Suite:
    """Return a schema with `count` queries that the server prepares, one in five with JSON."""
    schema = plain_schema(seed)
    made = _candidates(schema, seed)
    empty = Suite(f"{PREFIX}{seed}", tuple(schema.statements), ())
    found: list[Query] = []
    with database_of(analyzer, empty) as rows:
        while len(found) < count:
            batch = [next(made) for _ in range(count)]
            taken = accepted(rows, batch)
            found += [query for query in batch if query.name in taken]
    return Suite(empty.name, empty.statements, tuple(found[:count]))


def _candidates(schema: Schema, seed: int) -> Iterator[Query]:
    number = 0
    while True:
        generator = Generator(schema, seed * 100_003 + number)
        with_json = generator.r.random() < _JSON_SHARE
        text = (Documents(generator) if with_json else generator).make()
        number += 1
        if not is_dynamic(text) and not any(word in text for word in _NEW):
            yield Query(f"q{number}", text, "json" if with_json else "random")
