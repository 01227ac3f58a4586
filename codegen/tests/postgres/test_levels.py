"""The levels from PostgreSQL's trees are complete, and claim nothing for new fields."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from aiosqlc.ir import AnalyzeOptions, Cardinality
from aiosqlc.postgres import Analyzer
from aiosqlc.postgres.catalog.facts import Facts
from aiosqlc.postgres.describe import Described, describe, prepare_session
from aiosqlc.postgres.infer.known_fields import FIELDS
from aiosqlc.postgres.infer.levels import Lowering, level_of, row_counter
from aiosqlc.postgres.infer.scope import Scope
from aiosqlc.postgres.tree import Reader
from aiosqlc.relational.tree import Query
from aiosqlc.servers.postgres.connection import Connection

from tests.postgres.asking import TABLES, query, schema_file
from tests.postgres.lowered import lost
from tests.proofs.cases import worlds

# A statement for each kind of node that levels are made of, which is counted by that node.
COUNTED = {
    "QUERY": "select id from a where id = 1",
    "RANGETBLENTRY": "select id from a where id = 1",
    "RANGETBLREF": "select id from a where id = 1",
    "FROMEXPR": "select id from a where id = 1",
    "JOINEXPR": "select a.id from a join b on a.id = b.aid where b.id = 1",
    "VAR": "select id from a where id = 1",
    "PARAM": "select id from a where id = $1",
    "SUBLINK": "select id from a where id = (select max(x) from b)",
    "OPEXPR": "select id from a where id = 1",
    "COMMONTABLEEXPR": "with w as (select id from a where id = 1) select id from w",
    "RANGETBLFUNCTION": "select * from abs(1) x",
    "SETOPERATIONSTMT": "select id from a where id = 1 intersect select id from b",
    "SORTGROUPCLAUSE": "select distinct grp from a where grp = 1",
    "ONCONFLICTEXPR": "insert into b (id, aid, title) values (1, 1, '')"
    " on conflict (id) do update set x = 1 returning id",
}


@pytest.fixture(scope="module")
def opened() -> Iterator[tuple[Connection, Facts]]:
    """A connection to the tables, and the facts about them."""
    with Analyzer() as analyzer:
        found = analyzer.opened([schema_file(TABLES)], AnalyzeOptions())
        assert found is not None
        connection, facts = found
        prepare_session(connection)
        yield connection, facts


def _count(connection: Connection, facts: Facts, sql: str, new_field: str = "") -> Cardinality:
    """Count the rows of a query with a new field in the nodes of one kind: `KIND :name value`."""
    [described] = describe(connection, [sql])
    assert isinstance(described, Described), described
    kind, _, field = new_field.partition(" ")
    tree = described.tree.replace(f"{{{kind} ", f"{{{kind} {field} ") if kind else described.tree
    [node] = Reader().read(tree)
    assert not kind or node.text != Reader().read(described.tree)[0].text
    return row_counter(facts).count(level_of(Scope(node, None, facts)))


def test_every_kind_of_node_is_tried() -> None:
    assert set(COUNTED) == set(FIELDS)


@pytest.mark.parametrize("kind", COUNTED)
def test_a_field_that_is_not_known_claims_nothing_where_it_says_something(
    opened: tuple[Connection, Facts], kind: str
) -> None:
    counted = _count(*opened, COUNTED[kind])
    assert counted != Cardinality.MANY
    assert _count(*opened, COUNTED[kind], f"{kind} :newInVersion99 <>") == counted
    assert _count(*opened, COUNTED[kind], f"{kind} :newInVersion99 7") != counted


def test_nothing_of_a_tree_gets_lost_in_its_levels(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sources, tables, columns, parameters, constants and functions equal those of the text."""
    make = Lowering.query
    seen: list[str] = []
    complaints: list[str] = []

    def checked(self: Lowering) -> Query:
        level = make(self)
        seen.append(self.scope.query.text)
        complaints.extend(lost(self, level))
        return level

    monkeypatch.setattr(Lowering, "query", checked)
    with Analyzer() as analyzer:
        for world, cases in [*worlds("refuters").values(), *worlds("holes").values()]:
            asked = [query(case.sql, f"Q{n}") for n, case in enumerate(cases)]
            schema = schema_file("".join(f"{statement};\n" for statement in world.schema))
            analyzer.analyze([schema], asked, AnalyzeOptions())
    assert len(set(seen)) > 250
    assert complaints == []
