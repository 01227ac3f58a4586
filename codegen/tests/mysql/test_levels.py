"""The levels of a statement contain all parts of its text; an unknown field gives no claim."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from aiosqlc.ir import Cardinality
from aiosqlc.mysql.known_fields import FIELDS
from aiosqlc.mysql.levels import of_select, row_counter
from aiosqlc.mysql.reader import Reader
from aiosqlc.mysql.relations import Schema
from aiosqlc.mysql.rules import STRICT
from aiosqlc.mysql.scope import unwrap
from aiosqlc.mysql.static import schema_from_files
from aiosqlc.mysql.syntax import Tree, parse
from aiosqlc.relational.joins import conditions_of, sources_of
from aiosqlc.relational.tree import Column, Equality, Parameter, Query, Table
from aiosqlc.schema.read import schema_file
from aiosqlc.source import Dialect, SourceFile
from sqlglot import exp

from tests.fuzz_mysql.grammar import Grammar
from tests.fuzz_mysql.world import SCHEMA
from tests.mysql.conftest import SCHEMA as SMALL


def _schema(text: str) -> Schema:
    file = schema_file(SourceFile(Path("schema.sql"), text), Dialect.MYSQL)
    return schema_from_files([file])[0]


WORLD, TABLES = _schema(SCHEMA), _schema(SMALL)
# A text for each kind of node, of whose rows something is claimed.
TEXTS: dict[type[exp.Expr], str] = {
    exp.Select: "SELECT id FROM b WHERE id = 1",
    exp.Union: "SELECT 1 UNION SELECT 2",
    exp.Intersect: "SELECT id FROM b INTERSECT SELECT id FROM b WHERE id = 1",
    exp.Except: "SELECT id FROM b WHERE id = 1 EXCEPT SELECT id FROM b",
    exp.Subquery: "SELECT q.id FROM (SELECT id FROM b WHERE id = 1) q",
    exp.Table: "SELECT id FROM b WHERE id = 1",
    exp.Join: "SELECT b.id FROM b JOIN a ON a.id = b.aid WHERE b.id = 1",
    exp.Group: "SELECT aid FROM b WHERE aid = 1 GROUP BY aid",
    exp.Distinct: "SELECT DISTINCT aid FROM b WHERE aid = 1",
    exp.Limit: "SELECT id FROM b LIMIT 1",
    exp.Fetch: "SELECT id FROM b FETCH FIRST 1 ROW ONLY",
    exp.LimitOptions: "SELECT id FROM b FETCH FIRST 1 ROW ONLY",
    exp.Offset: "SELECT COUNT(*) FROM b LIMIT 9 OFFSET 0",
    exp.Insert: "INSERT INTO b (id) VALUES (1) RETURNING id",
    exp.Values: "INSERT INTO b (id) VALUES (1) RETURNING id",
    exp.Delete: "DELETE FROM b WHERE id = 1 RETURNING id",
    exp.EQ: "SELECT id FROM b WHERE id = 1",
    exp.In: "SELECT id FROM b WHERE id IN (1)",
}
_NO_CLAIM = {exp.Lateral, exp.Update}  # MariaDB has no LATERAL, and UPDATE returns no rows


def _counted(tree: Tree, schema: Schema) -> Cardinality:
    result = Reader(schema, tree).read()
    return row_counter(STRICT).count(result.query())


def test_every_kind_of_node_is_tried() -> None:
    assert set(TEXTS) | _NO_CLAIM == set(FIELDS)


@pytest.mark.parametrize("kind", TEXTS, ids=lambda kind: kind.__name__)
def test_a_field_that_is_not_known_claims_less_where_it_says_something(
    kind: type[exp.Expr],
) -> None:
    tree = parse(TEXTS[kind])
    assert tree is not None
    claimed = _counted(tree, TABLES)
    assert claimed is not Cardinality.MANY
    for field in set(kind.arg_types) - FIELDS[kind]:
        node = tree.root.find(kind)
        assert node is not None
        node.set(field, exp.Literal.string("new"))
        assert _counted(tree, TABLES) != claimed, field
        node.set(field, None)
    assert _counted(tree, TABLES) == claimed


# --- what the levels say is what the text says ----------------------------------------------------


def _items(node: exp.Expr) -> Iterator[exp.Expr]:
    """Yield the items of FROM in the order of the text."""
    clause = node.args.get("from_")
    first = [clause.this] if clause is not None else []
    for item in [*first, *(join.this for join in node.args.get("joins") or [])]:
        yield from _item(item)


def _item(item: exp.Expr) -> Iterator[exp.Expr]:
    if isinstance(item, exp.Subquery) and not item.alias:
        yield from _item(item.this)
    elif item.name.lower() != "dual":
        yield item
    for join in item.args.get("joins") or []:
        yield from _item(join.this)


def _written(node: exp.Expr) -> Iterator[tuple[exp.Expr, exp.Expr]]:
    """Yield the two sides of each equality that must hold."""
    conditions = [where.this for where in [node.args.get("where")] if where is not None]
    conditions += [
        join.args["on"]
        for join in node.find_all(exp.Join)
        if join.args.get("on") and join.find_ancestor(exp.Select) is node
    ]
    while conditions:
        condition = unwrap(conditions.pop())
        if isinstance(condition, exp.And):
            conditions += [condition.this, condition.expression]
        elif isinstance(condition, exp.EQ):
            left, right = unwrap(condition.this), unwrap(condition.expression)
            rows = isinstance(left, exp.Tuple) and isinstance(right, exp.Tuple)
            pairs = (
                zip(left.expressions, right.expressions, strict=False) if rows else [(left, right)]
            )
            yield from ((unwrap(one), unwrap(other)) for one, other in pairs)
        elif isinstance(condition, exp.In) and len(condition.expressions) == 1:
            yield unwrap(condition.this), unwrap(condition.expressions[0])


def _shape(value: object, query: Query, names: dict[str, list[str]]) -> str:
    if isinstance(value, Column) and not value.level:
        alias = query.name(value.source)
        return f"{alias}.{names[alias][value.column - 1]}".lower()
    return "?" if isinstance(value, Parameter) else ""


def _text_of(node: exp.Expr, names: list[str]) -> str:
    if isinstance(node, exp.Column):
        table = node.table.lower() or (names[0] if len(names) == 1 else "")
        return f"{table}.{node.name}".lower() if table in names else ""
    return "?" if isinstance(node, exp.Placeholder) else ""


def test_nothing_of_a_text_gets_lost_in_its_levels() -> None:
    grammar = Grammar(1)
    levels = pinned = 0
    for sql in [grammar.query(plain=True)[0] for _ in range(400)]:
        tree = parse(sql.replace("?", "$1"))
        if tree is None:
            continue
        reader = Reader(WORLD, tree)
        reader.read()
        for level in reader.levels.values():
            node, sources = level.node, level.sources
            if not isinstance(node, exp.Select) or any(s.outputs is None for s in sources):
                continue
            names = [source.alias.lower() for source in sources]
            assert [item.alias_or_name.lower() for item in _items(node)] == names, sql
            made = of_select(node, level, None, reader)()
            if not names:
                continue
            levels += 1
            assert [made.name(n).lower() for n in sorted(sources_of(made.root))] == names, sql
            stored = [s.relation is not None for s in sources]
            assert [isinstance(s, Table) for s in made.sources] == stored, sql
            columns = {s.alias: [o.name for o in s.outputs or ()] for s in sources}
            written = [sorted(_text_of(side, names) for side in pair) for pair in _written(node)]
            for _, condition in conditions_of(made.root):
                if isinstance(condition.meaning, Equality):
                    sides = (condition.meaning.left, condition.meaning.right)
                    assert sorted(_shape(side, made, columns) for side in sides) in written, sql
                    pinned += 1
    assert levels > 300
    assert pinned > 60
