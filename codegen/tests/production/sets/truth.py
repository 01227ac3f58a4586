"""Compare plans without rows with the plans of the database that has them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from aiosqlc.analysis.planned.facts import Reference
from aiosqlc.analysis.planned.plan import Plan
from aiosqlc.engines.planner import Planner
from aiosqlc.ir import AnalyzeOptions
from aiosqlc.pipeline.analysed import Analysed
from aiosqlc.pipeline.analyzing import analyze_project
from aiosqlc.postgres.planning.database import PlannedDatabase
from aiosqlc.production.advice.check import advise
from aiosqlc.production.advice.classes import with_values
from aiosqlc.production.advice.facts import facts_of
from aiosqlc.production.plans import PlannedText, planned_texts
from aiosqlc.production.statistics import Statistics, parsed, written
from aiosqlc.schema import schema_file
from aiosqlc.servers.postgres.connection import Connection
from aiosqlc.servers.postgres.databases import new_database
from aiosqlc.servers.postgres.embedded import embedded_server
from aiosqlc.source import SourceFile
from msgspec.structs import replace

from tests.projects import loaded, write_project

HERE = Path(__file__).parent
CONFIG = """\
version: "2"
sql:
  - {engine: postgresql, schema: migrations, queries: queries, gen: {python: {out: out}}}
"""
PROPOSES = frozenset({"V030", "V031", "V033"})
_INDEX = re.compile(r"^CREATE INDEX (?P<name>\w+) ON .*;$", re.MULTILINE)
_PROPOSAL = re.compile(r"CREATE INDEX CONCURRENTLY \w+ ON (?P<what>.+);")
_DELETE = re.compile(r"\s*DELETE FROM (?P<table>\w+)")
_MATTERS, _LEAST, _LEAST_WITH_VALUES = 2.0, 100.0, 1000.0


@dataclass(frozen=True)
class DataSet:
    """A schema, its rows and queries, in a folder beside this file.

    `few` is the scale for a quick test, and `large` makes more than 1 GB.
    """

    name: str
    few: int
    large: int

    def read(self, name: str) -> str:
        """Return the text of a file of the data set."""
        return (HERE / self.name / name).read_text()


WAREHOUSE = DataSet("warehouse", 600, 110_000)
TRACKER = DataSet("tracker", 10, 1_000)
SERIES = DataSet("series", 12, 1_000)
DATA_SETS = (WAREHOUSE, TRACKER, SERIES)


@contextmanager
def filled(data: DataSet, scale: int, major: int = 18) -> Iterator[str]:
    """Yield the connection string of a data set with rows, of which there are as many as `scale`.

    The unit of the scale differs by data set.
    """
    with embedded_server(major=major) as server, new_database(server) as draft:
        with Connection(draft.conninfo) as connection:
            for part in (data.read("schema.sql"), *data.read("rows.sql").split(";\n")):
                statement = part.replace("{n}", f"{scale}::bigint")
                error = connection.run(statement)
                assert error is None, (error, statement)
        yield draft.conninfo


def project(data: DataSet, folder: Path) -> Analysed:
    """Return the analysed queries of the data set."""
    files = {"migrations/1.sql": data.read("schema.sql"), "queries/q.sql": data.read("queries.sql")}
    write_project(folder, {"sqlc.yaml": CONFIG, **files})
    (part,) = analyze_project(loaded(folder))
    assert not part.failed, [item.message for item in part.diagnostics]
    return part


def pulled(planner: Planner, part: Analysed, uri: str, *, values: bool = True) -> Statistics:
    """Return the statistics of a database, as they are in a file."""
    found = planner.pulled(uri, part.inputs.schema, AnalyzeOptions(), values=values)
    return parsed(written(found.statistics), Path("stats.sql"))


@dataclass
class Agreement:
    """The texts whose plans were compared, and those whose shapes differ, with both plans."""

    texts: int = 0
    different: list[tuple[PlannedText, Plan, Plan]] = field(default_factory=list)

    @property
    def share(self) -> float:
        return 1 - len(self.different) / max(self.texts, 1)


def agreement(
    planner: Planner, part: Analysed, statistics: Statistics, uri: str, *, values: bool = False
) -> Agreement:
    """Plan every text without rows, and compare with the database that has them.

    `values` is whether the parameters have common and rare values, instead of generic plans.
    """
    found = Agreement()
    facts = facts_of(statistics)
    with (
        planner.database(part.inputs.schema, AnalyzeOptions(), statistics) as database,
        Connection(uri) as connection,
    ):
        full = PlannedDatabase(connection)
        texts = list(planned_texts(database, part.analysis.queries))
        if values:
            texts = [one for text in texts for one in with_values(database, text, facts)]
        for text in texts:
            theirs = full.plan(text.sql)
            assert text.plan
            assert theirs
            found.texts += 1
            if text.plan.shape != theirs.shape:
                found.different.append((text, text.plan, theirs))
    return found


@dataclass
class Deletions:
    """The effects of deleting indexes one at a time.

    `mattered` are pairs of an index and a query that became twice as expensive on the database with
    rows; `missed` are those without a finding. `with_values` are the pairs that mattered only for
    common or rare values. `proposed` are the proposals that were created on the database with rows,
    and `alarms` are those that did not help there.
    """

    indexes: int = 0
    mattered: list[tuple[str, str]] = field(default_factory=list)
    with_values: list[tuple[str, str]] = field(default_factory=list)
    missed: list[tuple[str, str]] = field(default_factory=list)
    proposed: list[tuple[str, str, str]] = field(default_factory=list)
    alarms: list[tuple[str, str, str]] = field(default_factory=list)


def deletions(
    planner: Planner,
    part: Analysed,
    statistics: Statistics,
    uri: str,
    chosen: Sequence[str] = (),
) -> Deletions:
    """Delete each index that no constraint needs, or the chosen ones, and compare with the truth.

    Nothing is deleted at first, where every proposal is a false alarm unless it helps.
    """
    found = Deletions()
    (file,) = part.inputs.schema
    schema = file.sql
    names = ["", *(chosen or (match["name"] for match in _INDEX.finditer(schema)))]
    found.indexes = len(names) - 1
    with Connection(uri) as connection:
        full = PlannedDatabase(connection)
        texts = list(_texts(planner, part, statistics))
        made: dict[str, list[str]] = {}
        for name in names:
            less = re.sub(rf"^CREATE INDEX {name} ON .*;$", "", schema, flags=re.MULTILINE)
            one_less = schema_file(SourceFile(Path("1.sql"), less if name else schema))
            inputs = replace(part.inputs, schema=(one_less,))
            advice = advise(planner, replace(part, inputs=inputs), statistics)
            proposals: dict[str, list[str]] = {}
            for item in advice.findings:
                if item.code in PROPOSES:
                    label = item.labels[0]
                    query = label.file.text[label.span.start : label.span.end]
                    proposals.setdefault(query, []).extend(_PROPOSAL.findall(item.hint))
            generic = _worse(full, [one[:2] for one in texts if not one[2]], name, _LEAST)
            valued = _worse(full, [one[:2] for one in texts if one[2]], name, _LEAST_WITH_VALUES)
            worse = dict.fromkeys((*generic, *valued))
            for query in worse:
                found.mattered.append((name, query))
                if query not in generic:
                    found.with_values.append((name, query))
                if query not in proposals:
                    found.missed.append((name, query))
            for query, whats in proposals.items():
                one = (name, query, "; ".join(dict.fromkeys(whats)))
                found.proposed.append(one)
                if not _helps(full, [one[:2] for one in texts], one, made):
                    found.alarms.append(one)
    return found


def _texts(
    planner: Planner, part: Analysed, statistics: Statistics
) -> Iterator[tuple[str, str, bool]]:
    """Yield every statement that runs in production, by query: texts, and checks of keys.

    The third part is whether the text has values in place of parameters.
    """
    facts = facts_of(statistics)
    with planner.database(part.inputs.schema, AnalyzeOptions(), statistics) as database:
        for text in planned_texts(database, part.analysis.queries):
            yield text.query.parsed.name, text.sql, False
            for one in with_values(database, text, facts):
                yield text.query.parsed.name, one.sql, True
            if deleted := _DELETE.match(text.sql):
                for parent in _cascades(deleted["table"], database.references):
                    for reference in database.references:
                        if reference.parent == parent:
                            yield text.query.parsed.name, reference.check, False


def _cascades(table: str, references: Sequence[Reference]) -> list[str]:
    """Return the tables whose rows a delete removes or changes, the table itself first."""
    found = [table]
    for of in found:
        found += [
            one.child
            for one in references
            if one.parent == of and one.cascades and one.child not in found
        ]
    return found


def _worse(
    full: PlannedDatabase, texts: Sequence[tuple[str, str]], index: str, least: float
) -> list[str]:
    """Return the queries that become much more expensive without an index."""
    if not index:
        return []
    found: dict[str, None] = {}
    for query, sql in texts:
        before, after = full.plan(sql), full.plan(sql, without=_with_parts(full, index))
        assert before
        assert after
        if after.cost >= _MATTERS * before.cost and after.cost - before.cost >= least:
            found[query] = None
    return list(found)


def _helps(
    full: PlannedDatabase,
    texts: Sequence[tuple[str, str]],
    proposal: tuple[str, str, str],
    made: dict[str, list[str]],
) -> bool:
    """Return whether proposed indexes, made on the rows, make a text much cheaper.

    `made` are the indexes that exist already, which the planner uses only on request.
    """
    index, query, what = proposal
    using = []
    for one in what.split("; "):
        if one not in made:
            name = f"proposed_{len(made)}"
            assert full.connection.run(f"CREATE INDEX {name} ON {one}") is None
            made[one] = _with_parts(full, name)
            hidden = ", ".join(f"'{part}'::regclass" for part in made[one])
            hide = f"UPDATE pg_index SET indisvalid = false WHERE indexrelid IN ({hidden})"
            assert full.connection.run(hide) is None
        using += made[one]
    without = _with_parts(full, index) if index else []
    for of, sql in texts:
        if of == query:
            before = full.plan(sql, without=without)
            after = full.plan(sql, without=without, using=using)
            assert before
            assert after
            if before.cost >= _MATTERS * after.cost:
                return True
    return False


def _with_parts(full: PlannedDatabase, index: str) -> list[str]:
    """Return an index and its partitions."""
    rows = full.connection.rows(
        "select i.relname from pg_inherits h join pg_class i on i.oid = h.inhrelid"
        " where h.inhparent = $1::regclass",
        (index,),
    )
    return [index, *(str(name) for (name,) in rows)]
