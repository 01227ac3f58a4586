"""Run random queries on difficult data, and search for a claim that a row disproves."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import pymysql
from aiosqlc.ir import Cardinality, TypedQuery
from aiosqlc.mysql.analyzer import AnalysisContext, type_one
from aiosqlc.mysql.catalog import catalog_of, read_schema
from aiosqlc.mysql.executable import Kin, kin_of
from aiosqlc.mysql.schema import load
from aiosqlc.mysql.static import schema_from_files
from aiosqlc.parse.placeholders import for_driver
from aiosqlc.schema.read import schema_file
from aiosqlc.servers.mysql.session import open_session
from aiosqlc.source import Dialect, SourceFile

from tests.fuzz.optional import Text, as_promised, parsed, texts_of
from tests.fuzz_mysql.grammar import Grammar
from tests.fuzz_mysql.refuted import lost, mistyped, nulls_in, refuted
from tests.fuzz_mysql.values import argument
from tests.fuzz_mysql.world import SCHEMA, inserts

WORLDS = 14


@dataclass
class Report:
    """The results of a search; `false` are disproved claims, with the counterexample."""

    queries: int = 0
    refused: int = 0
    executions: int = 0
    columns: int = 0
    claimed: int = 0
    never_null: int = 0
    by_text_alone: int = 0
    counted: int = 0
    false: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        share = 100 * self.claimed / max(self.never_null, 1)
        return "\n".join(
            (
                f"{self.queries} queries, {self.refused} more refused by the server",
                f"{self.executions} executions, {self.columns} columns",
                f"{self.claimed} claimed not null: {share:.1f} % of those that never were NULL",
                f"{self.by_text_alone} of them claimed from the text alone",
                f"{self.counted} row counts claimed",
                f"{len(self.false)} FALSE CLAIMS",
            )
        )


class Hunt:
    """A session with one database per world, and two analysers: with the server, and without."""

    def __init__(
        self,
        cache: Path | None,
        seed: int,
        url: str | None = None,
        kin: str = "",
        worlds: int = 0,
    ) -> None:
        self.cache = cache
        self.url, self.kin = url, kin
        self.random = Random(seed)
        self.grammar = Grammar(seed)
        self.file = schema_file(SourceFile(Path("schema.sql"), SCHEMA), Dialect.MYSQL)
        self.by_text = AnalysisContext(
            schema_from_files([self.file])[0], kin=Kin(is_mariadb=True, version=999999)
        )
        self.worlds = [f"aiosqlc_fuzz_{number}" for number in range(worlds or WORLDS)]
        self._open()

    def _open(self) -> None:
        self.session = session = open_session(self.url, self.cache, self.kin)
        loaded, problem = load(session, [self.file])
        assert loaded is not None, problem
        self.database = loaded.database
        known = read_schema(session, self.database)
        self.by_server = AnalysisContext(known, session, self.database, kin=kin_of(session.version))
        for number, name in enumerate(self.worlds):
            self.make_world(number, name)

    def close(self) -> None:
        """Drop the worlds; on a user's server, drop all databases of the search."""
        for name in (*self.worlds, *(() if self.session.private else (self.database,))):
            self.session.run(f"DROP DATABASE IF EXISTS {name}")
        self.session.connection.close()

    def make_world(self, number: int, name: str) -> None:
        """Create and fill the database of a world."""
        self.session.run(f"DROP DATABASE IF EXISTS {name}")
        self.session.run(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
        self.session.connection.select_db(name)
        for span in self.file.statements:
            self.session.run(self.file.sql[span.start : span.end])
        for statement in inserts(Random(number * 7 + 1)):
            self.session.run(statement)

    def run(self, queries: int) -> Report:
        """Analyse and run this number of queries in every world."""
        report = Report()
        batch: list[tuple[str, list[str], TypedQuery, TypedQuery | None]] = []
        self.use(self.database)
        for _ in range(queries):
            sql, kinds = self.grammar.query()
            typed = self.typed(sql, self.by_server)
            if not self.session.connection.open or (typed is None and not self.answers()):
                self.again()
            if typed is None:
                report.refused += 1
                continue
            batch.append((sql, kinds, typed, self.typed(sql, self.by_text)))
        report.queries = len(batch)
        seen: dict[int, set[int]] = {}
        ran: set[int] = set()
        for world in self.worlds:
            self.use(world)
            for index, (_, kinds, typed, textual) in enumerate(batch):
                for text in texts_of(typed):
                    rows = self.rows(text, kinds, typed)
                    if rows is None:
                        continue
                    report.executions += 1
                    if rows:
                        ran.add(index)
                    seen.setdefault(index, set()).update(nulls_in(typed, rows))
                    found = [*mistyped(text.sql, typed, rows), *lost(text.sql, typed, rows)]
                    for judge, claim in (("server", typed), ("text", textual)):
                        if claim is not None:
                            nulls = nulls_in(claim, rows)
                            found += refuted(judge, text.sql, claim, rows, nulls)
                    report.false += [line for line in found if line not in report.false]
        self._count(report, batch, seen, ran)
        return report

    def _count(self, report: Report, batch: Any, seen: dict[int, set[int]], ran: set[int]) -> None:
        for index, (_, _, typed, textual) in enumerate(batch):
            report.counted += typed.cardinality is not Cardinality.MANY
            if index not in ran:
                continue
            for position, column in enumerate(typed.columns):
                never = position not in seen.get(index, ())
                report.columns += 1
                report.never_null += never
                report.claimed += column.not_null
                report.by_text_alone += bool(textual and textual.columns[position].not_null)

    def typed(self, sql: str, judge: AnalysisContext) -> TypedQuery | None:
        """Analyse a query, or return None if it is refused."""
        query = parsed(sql, "Q", Dialect.MYSQL)
        typed, _ = type_one(judge, query) if query else (None, ())
        return typed and as_promised(typed, catalog_of(judge.schema))

    def rows(self, text: Text, kinds: list[str], typed: TypedQuery) -> list[tuple[Any, ...]] | None:
        """Run a text with random arguments and roll it back; return None if it fails."""
        sql, numbers = for_driver(text.sql)
        given = {
            param.number: argument(param, kind, self.random, given=param.number in text.given)
            for kind, param in zip(kinds, typed.params, strict=False)
        }
        values = [given[text.numbers[number - 1]] for number in numbers]
        sql = sql if values else sql.replace("%%", "%")
        try:
            if not typed.read_only:
                self.session.run("START TRANSACTION")
            rows = self.session.rows(sql, *values)
            if not typed.read_only:
                self.session.run("ROLLBACK")
        except pymysql.MySQLError:
            if not self.session.connection.open or not self.answers():
                self.again()
            elif not typed.read_only:
                self.session.run("ROLLBACK")
            return None
        return rows

    def answers(self) -> bool:
        try:
            return bool(self.session.rows("SELECT 1"))
        except pymysql.MySQLError:
            return False

    def again(self) -> None:
        """After a query has crashed the server, start it again and continue in the same world."""
        world = self.world
        self._open()
        self.use(world)

    def use(self, world: str) -> None:
        """Run the following code in a world; every second world has no SQL mode."""
        self.world = world
        self.session.connection.select_db(world)
        limit = "max_statement_time = 1"
        self.session.run(f"SET {limit if self.session.is_mariadb else 'max_execution_time = 1000'}")
        mode = "''" if world in self.worlds[1::2] else "DEFAULT"
        self.session.run(f"SET sql_mode = {mode}")


def hunt(
    executions: int,
    seed: int,
    cache: Path | None = None,
    url: str | None = None,
    kin: str = "",
    worlds: int = 0,
) -> Report:
    """Search until about this many executions, each query in this number of worlds, or `WORLDS`.

    The search uses the server at `url`, else a private one of `kin`: `mysql` or `mariadb`.
    """
    search = Hunt(cache, seed, url, kin, worlds)
    total = Report()
    try:
        while total.executions < executions:
            part = search.run(
                min(400, max(20, (executions - total.executions) // len(search.worlds) + 1))
            )
            for name in (
                "queries",
                "refused",
                "executions",
                "columns",
                "claimed",
                "never_null",
                "by_text_alone",
                "counted",
            ):
                setattr(total, name, getattr(total, name) + getattr(part, name))
            total.false += part.false
    finally:
        search.close()
    return total
