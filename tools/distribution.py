"""`python -m tools.distribution`: find unique keys and queries that involve every shard.

Citus and Vitess select the shard of a row by its distribution key. So every unique key must contain
the column of this key; otherwise all shards must check that a value is unique. And every query must
compare this column in every table; otherwise all shards execute the query. For each database, the
program prints the keys and queries that do not meet this rule.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import psycopg
import sqlglot
from aiosqlc.parse.queries import parse_files
from aiosqlc.source import Dialect, SourceFile
from sqlglot import exp

from devstack.settings import ROOT
from devstack.testing import postgres

# By which column each table of a database would be spread; None: it has no such column.
KEYS: Final[Mapping[str, Mapping[str, str | None]]] = {
    "order by customer": {
        "goods_order": "user_id", "goods_order_line": None, "goods_draft": "user_id",
        "service_order": "customer_id", "offer": None,
        "job": "customer_id", "review": "customer_id",
    },
    "order by order": {
        "goods_order": "id", "goods_order_line": "order_id", "goods_draft": "id",
        "service_order": "id", "offer": "order_id",
        "job": "order_id", "review": None,
    },
    "point by user": {"point_balance": "user_id", "point_entry": "user_id"},
    # with chat, from here
    "chat by channel": {
        "channel": "id", "member": "channel_id", "message": "channel_id", "sent": "channel_id",
    },
    # with chat, to here
}  # fmt: skip
_UNIQUE: Final = """
SELECT c.relname, i.relname, array(
    SELECT a.attname::text FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attnum = ANY (x.indkey)
)
FROM pg_index AS x JOIN pg_class AS c ON c.oid = x.indrelid JOIN pg_class AS i ON i.oid = x.indexrelid
WHERE x.indisunique AND NOT c.relispartition AND c.relnamespace = 'public'::regnamespace
ORDER BY 1, 2
"""  # noqa: E501 - read as a table


@dataclass(frozen=True)
class Found:
    """The keys and queries of one database that involve every shard."""

    unique: tuple[str, ...]  # keys without the column
    everywhere: tuple[str, ...]  # queries that do not say it of some table
    queries: int  # of how many


def queries(database: str) -> Iterator[tuple[str, str]]:
    """Yield the name and the text of each query of a database. Fragments are expanded."""
    files = sorted((ROOT / "sql" / database).rglob("*.sql"))
    for folder in {file.parent: None for file in files}:
        read = [SourceFile(file, file.read_text()) for file in files if file.parent == folder]
        for query in parse_files(read, Dialect.POSTGRESQL)[0]:
            yield query.name, query.sql


def unsaid(text: str, keys: Mapping[str, str | None]) -> tuple[bool, list[str]]:
    """Return whether a query uses sharded tables, and which tables it reads on every shard."""
    statement = sqlglot.parse_one(text, dialect="postgres")
    compared = {
        (side.table, side.name)
        for same in statement.find_all(exp.EQ, exp.In)
        for side in (same.this, same.args.get("expression"))
        if isinstance(side, exp.Column)
    }
    # Rows that are added say themselves where they belong.
    added = {insert.find(exp.Table) for insert in statement.find_all(exp.Insert)}
    spread = [table for table in statement.find_all(exp.Table) if table.name in keys]
    return bool(spread), [
        table.name
        for table in spread
        if table not in added
        and not {(table.alias_or_name, keys[table.name]), ("", keys[table.name])} & compared
    ]


def find(way: str, url: str) -> Found:
    """Return the unique keys and queries of a migrated database that involve every shard."""
    keys, database = KEYS[way], way.split(maxsplit=1)[0]
    with psycopg.connect(url) as connection:
        unique = tuple(
            index
            for table, index, columns in connection.execute(_UNIQUE).fetchall()
            if table in keys and keys[table] not in columns
        )
    looked = {name: unsaid(text, keys) for name, text in queries(database)}
    return Found(
        unique,
        tuple(sorted(name for name, (_, tables) in looked.items() if tables)),
        sum(touches for touches, _ in looked.values()),
    )


def report(create: Callable[[str], str]) -> None:
    """Print the findings; `create` makes a migrated database and returns its URL."""
    for way in KEYS:
        found = find(way, create(way.split()[0]))
        print(f"{way}: {len(found.everywhere)} of {found.queries} queries run on all shards:")
        print(f"  {', '.join(found.everywhere)}")
        print(f"  unique without it: {', '.join(found.unique) or 'none'}")


if __name__ == "__main__":
    with postgres.running(ROOT / "migrations") as server:
        report(server.create)
