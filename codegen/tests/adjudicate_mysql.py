"""Compare a corpus of sqlc's cases with a real server, because sqlc itself asks no server.

`python -m tests.adjudicate_mysql CORPUS OUT --url mysql://…` copies a corpus, whose cases have
sqlc's facts in `facts.json`. It corrects these facts by rules that are the same for every case:

- A case whose schema or queries the server refuses is one that must be rejected.
- An expression may have the type that the server describes. It has that type where sqlc says
  `any`; so has such a parameter, of which sqlc knows nothing. Only MySQL describes parameters.
- Parameters are numbered by their places.
- A column that sqlc calls not null and that is NULL on some witness may be NULL.
- A column that sqlc calls nullable may be claimed not null as well where the server flags it so
  itself, or where it is never NULL on the witnesses but is on some of them without WHERE.

Witnesses are rows with every mixture of two values and NULL, queried with mixtures of parameters.
"""

from __future__ import annotations

import argparse
import itertools
import json
import re
import shutil
import struct
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pymysql
import sqlglot
from aiosqlc.mysql import prepare as wire
from aiosqlc.mysql.types import CHARACTERS, returned
from pymysql.connections import Connection
from pymysql.constants import CLIENT, COMMAND
from sqlglot import exp

from tests.servers.mysql import connect_arguments

# Functions of MySQL that its community's server has not.
_OTHER_EDITIONS = ("DISTANCE",)
_DATABASE = re.compile(r"(?i)create\s+(?:schema|database)\s+(?:if\s+not\s+exists\s+)?`?(\w+)")
_PREPARED = struct.Struct("<BIHHBH")
_PROBES = (None, 1, 2, "a", "b", "2020-01-01")
_ROWS = 64
_WORLDS = range(3)
_CALLS = 300
_VALUES = {"date": ("2020-01-01", "2021-01-01"), "json": ("1", "2"), "year": ("2020", "2021")}


class Court:
    """A database on a server that is created again for each case."""

    def __init__(self, url: str, name: str = "aiosqlc_adjudicate") -> None:
        arguments = connect_arguments(url, seconds=10)
        arguments.pop("db")
        arguments["client_flag"] = CLIENT.MULTI_STATEMENTS
        self.db: Connection[Any] = pymysql.connect(**arguments)
        self.name = name
        self.more: list[str] = []

    def rows(self, sql: str, args: tuple[object, ...] = ()) -> list[tuple[Any, ...]]:
        with self.db.cursor() as cursor:
            cursor.execute(sql, args or None)
            found = list(cursor.fetchall())
            while cursor.nextset():
                pass
            return found

    def clear(self) -> None:
        """Drop the case's database, and the databases that its schema created."""
        for name in (self.name, *self.more):
            self.rows(f"DROP DATABASE IF EXISTS `{name}`")

    def load(self, schema: str) -> str | None:
        """Create the tables; return the statements that the server refuses."""
        self.clear()
        self.rows(f"CREATE DATABASE {self.name} CHARACTER SET utf8mb4")
        self.db.select_db(self.name)
        self.more = _DATABASE.findall(schema)
        try:
            self.rows(schema or "SELECT 1")
        except pymysql.MySQLError as error:
            return str(error.args[-1])
        return None

    def parameters(self, sql: str) -> list[wire.Described]:
        """Return the server's description of the parameters."""
        self.db._execute_command(COMMAND.COM_STMT_PREPARE, sql)
        head = self.db._read_packet().get_all_data()
        _, statement, columns, count, _, _ = _PREPARED.unpack(head[:12])
        found = [wire._described(p) for p in wire._definitions(self.db, count)]
        wire._definitions(self.db, columns)
        self.db._execute_command(COMMAND.COM_STMT_CLOSE, struct.pack("<I", statement))
        return found

    def populate(self, world: int) -> None:
        """Insert rows with mixtures of values and NULL into every table.

        Keys accept only a few of them; in each world, these are other rows.
        """
        self.rows("SET foreign_key_checks = 0")
        columns = self.rows(
            "SELECT table_name, column_name, data_type, is_nullable"
            " FROM information_schema.columns JOIN information_schema.tables"
            " USING (table_schema, table_name) WHERE table_schema = %s"
            " AND table_type = 'BASE TABLE' AND extra NOT LIKE '%%GENERATED%%'",
            (self.name,),
        )
        for table, found in itertools.groupby(sorted(columns), key=lambda row: row[0]):
            named = list(found)
            choices = [_choices(kind, nullable, world) for _, _, kind, nullable in named]
            self.rows(f"DELETE FROM `{table}`")
            for values in itertools.islice(itertools.product(*choices), _ROWS):
                names = ", ".join(f"`{column}`" for _, column, _, _ in named)
                marks = ", ".join(["%s"] * len(named))
                with suppress(pymysql.MySQLError):
                    self.rows(f"INSERT IGNORE INTO `{table}` ({names}) VALUES ({marks})", values)

    def nulls(self, sql: str) -> tuple[int, set[int]]:
        """Run the query in every world; return the number of rows, and which columns were NULL."""
        count, seen = 0, set[int]()
        for world in _WORLDS:
            self.populate(world)
            found, nulls = self._nulls(sql)
            count, seen = count + found, seen | nulls
        return count, seen

    def _nulls(self, sql: str) -> tuple[int, set[int]]:
        count, seen = 0, set[int]()
        text = sql.replace("%", "%%").replace("?", "%s")
        for values in itertools.islice(itertools.product(_PROBES, repeat=sql.count("?")), _CALLS):
            with suppress(pymysql.MySQLError):
                for row in self.rows(text if values else sql, values):
                    count += 1
                    seen |= {index for index, value in enumerate(row) if value is None}
        return count, seen


def _choices(kind: str, nullable: str, world: int) -> tuple[object, ...]:
    values = _VALUES.get(kind, _VALUES["date"] if "date" in kind or "time" in kind else None)
    if values is None:
        values = ("a", "b") if kind.endswith(("char", "text", "blob", "binary")) else (1, 2)
    values = (*values, *((None,) if nullable == "YES" else ()))
    return values[-world:] + values[:-world]


def _without_where(sql: str) -> str | None:
    """Return the query without the conditions of its outermost SELECT."""
    tree = sqlglot.parse_one(sql, read="mysql")
    if not isinstance(tree, exp.Select) or not tree.args.get("where"):
        return None
    tree.set("where", None)
    return tree.sql(dialect="mysql")


def judge(court: Court, query: dict[str, Any]) -> Iterator[str]:
    """Correct the facts of one query; yield each correction with its reason."""
    text = query["text"].replace("/*SLICE", "/* SLICE")
    described = wire.prepare(court.db, text)
    params = court.parameters(text)
    for place, (fact, found) in enumerate(zip(query["params"], params, strict=False), start=1):
        if fact["number"] != place:
            fact["number"] = place
            yield f"parameter {place}: numbered by its place"
        if fact["type"]["sqlc"] == "any" and (kind := returned(found).name):
            _say(fact["type"], truth=kind)
            fact["type"]["also_ok"] = sorted(CHARACTERS) if kind in CHARACTERS else []
            fact["not_null"]["also_ok"] = [True]
            yield f"parameter {place}: {kind}, which sqlc does not know"
    if len(described.columns) != len(query["columns"]) or any(
        c["embed"]["sqlc"] for c in query["columns"]
    ):
        return
    for fact, column in zip(query["columns"], described.columns, strict=True):
        kind = returned(column).name
        if column.origin is None and kind and fact["type"]["sqlc"] != kind:
            yield f"column {column.name}: {kind}, sqlc says {fact['type']['sqlc']}"
            if fact["type"]["sqlc"] == "any":
                _say(fact["type"], truth=kind)
            fact["type"]["also_ok"] = sorted(CHARACTERS) if kind in CHARACTERS else [kind]
    if not described.columns or not isinstance(sqlglot.parse_one(text, read="mysql"), exp.Query):
        return
    count, nulls = court.nulls(text)
    control = _without_where(text)
    free = court.nulls(control)[1] if control else set[int]()
    for index, (fact, column) in enumerate(zip(query["columns"], described.columns, strict=True)):
        null = fact["not_null"]
        null["probed_rows"] = count
        if index in nulls:
            if null["sqlc"]:
                _say(null, truth=False)
                yield f"column {column.name}: NULL was seen, sqlc says never"
        elif not null["sqlc"] and (column.not_null or (count and index in free)):
            null["also_ok"] = [True]
            seen = f"never NULL in {count} rows, but without WHERE"
            why = "the server says so" if column.not_null else seen
            yield f"column {column.name}: may be claimed not null, {why}"


def _say(fact: dict[str, Any], *, truth: object) -> None:
    fact.update(server=truth, truth=truth, source="server")


def adjudicate(case: Path, court: Court) -> Iterator[str]:
    """Correct the facts of one case on disk; yield the corrections."""
    facts = json.loads((case / "facts.json").read_text())
    if facts["engine"] != "mysql" or facts["verdict"]["truth"] != "accept":
        return
    meta = json.loads((case / "case.json").read_text())
    schema = "\n".join(
        path.read_text().partition("-- +goose Down")[0].partition("-- migrate:down")[0]
        for name in meta["schema"]
        for path in sorted((case / name).glob("*.sql") if (case / name).is_dir() else [case / name])
    )
    refusal = court.load(schema)
    for name, query in () if refusal else facts["queries"].items():
        try:
            for line in judge(court, query):
                yield f"{name}: {line}"
        except pymysql.MySQLError as error:
            refusal = f"{name}: {error.args[-1]}"
            break
    if refusal and any(f".{name} does not exist" in refusal for name in _OTHER_EDITIONS):
        yield f"not judged: {refusal}"
    elif refusal:
        facts["verdict"].update(server="reject", truth="reject", source="server", note=refusal)
        yield f"must be rejected: {refusal}"
    (case / "facts.json").write_text(json.dumps(facts, indent=1, ensure_ascii=False) + "\n")


def main() -> None:
    """Copy a corpus and correct the copy."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.adjudicate_mysql",
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("corpus", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--url", required=True, help="a server on which a database may be made")
    options = parser.parse_args()
    shutil.copytree(options.corpus, options.out, dirs_exist_ok=True)
    court = Court(options.url)
    for facts in sorted(options.out.glob("cases/my/*/*/facts.json")):
        for line in adjudicate(facts.parent, court):
            print(f"{facts.parent.parent.name}: {line}")
    court.clear()


if __name__ == "__main__":
    main()
