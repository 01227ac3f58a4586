"""Read a statement's syntax tree: the tables, joins, conditions and columns of each SELECT."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from msgspec.structs import replace
from sqlglot import exp

from aiosqlc.analysis.json_shapes import ANY, handed_on, stored_in, weakest_shape
from aiosqlc.analysis.rules import EVERY_PART, ONE_PART
from aiosqlc.analysis.verdict import Verdict, maybe, never
from aiosqlc.ir import ColumnRef, JsonShape, SqlType, TableColumn
from aiosqlc.mysql import levels, types
from aiosqlc.mysql.conversions import may_fail, parses, parses_in
from aiosqlc.mysql.documents import has_zeros, listed
from aiosqlc.mysql.expressions import collation_of, of_rows, type_of
from aiosqlc.mysql.facts import settle
from aiosqlc.mysql.grouping import aggregates
from aiosqlc.mysql.literals import counts_a_row
from aiosqlc.mysql.nullness import Proof, infer
from aiosqlc.mysql.recursion import assumed, corrected_by, only_adds
from aiosqlc.mysql.relations import Relation, Schema
from aiosqlc.mysql.rules import Premises
from aiosqlc.mysql.scope import (
    DECLARED,
    NULLABLE,
    Join,
    Level,
    Output,
    Result,
    Source,
    is_dual,
    own_nodes,
    unwrap,
)
from aiosqlc.mysql.syntax import Tree
from aiosqlc.relational.tree import Query

_UNKNOWN = Result(None)
_OVER_NO_ROW = maybe("without rows every column is NULL")


class Reader:
    """Reads one statement.

    `levels` maps the node ID of each SELECT, UPDATE and DELETE to its scope.

    `has_json` means that the statement may read or build JSON.

    `required` returns whether a parameter is never None. `types` has the known types of parameters,
    and `slices` the parameters that are lists.
    """

    def __init__(
        self,
        schema: Schema,
        tree: Tree,
        *,
        required: Callable[[int], bool] = lambda _number: False,
        types: Mapping[int, SqlType] | None = None,
        slices: frozenset[int] = frozenset(),
    ) -> None:
        self.schema = schema
        self.tree = tree
        self.levels: dict[int, Level] = {}
        self._required = required
        self._types = types or {}
        self._slices = slices
        self._results: dict[int, Result] = {}
        self.has_json = schema.has_json or "JSON" in tree.filled.sql.upper()
        self.counter = levels.row_counter(schema.premises)

    def read(self) -> Result:
        """Return the result columns of the statement, and store each SELECT's scope in `levels`."""
        root = self.tree.root
        if isinstance(root, exp.Query):
            result = self.query(root, None, {})
        elif isinstance(root, exp.Update | exp.Delete):
            result = self._change(root)
        elif isinstance(root, exp.Insert):
            result = self._insert(root)
        else:
            result = Result(())
        self._rest(root)
        return result

    def level_of(self, node: exp.Expr) -> Level | None:
        """Return the scope of the innermost SELECT or other statement that contains a node."""
        current: exp.Expr | None = node
        while current is not None:
            if id(current) in self.levels:
                return self.levels[id(current)]
            current = current.parent
        return None

    def selects(self) -> Iterator[tuple[Level, Result]]:
        """Yield the scope and the result of each SELECT of the statement."""
        for number, level in self.levels.items():
            if number in self._results and isinstance(level.node, exp.Select):
                yield level, self._results[number]

    def known(self, node: exp.Expr) -> Result:
        """Return the result of a query if it was analysed before; else the columns are unknown."""
        return self._results.get(id(node), _UNKNOWN)

    def requires(self, number: int) -> bool:
        """Return whether the value of a parameter is never None."""
        return self._required(number)

    def is_slice(self, node: exp.Expr) -> bool:
        """Return whether a node is a parameter for a list of values or rows."""
        if isinstance(node, exp.Tuple):
            return any(self.is_slice(column) for column in node.expressions)
        place = self.tree.place(node)
        return place is not None and place.number in self._slices

    def required(self, node: exp.Expr) -> bool:
        """Return whether a placeholder's value is never None."""
        place = self.tree.place(node)
        return place is not None and self._required(place.number)

    def parameter_type(self, node: exp.Expr) -> SqlType | None:
        """Return the type of a placeholder's parameter, or None if unknown."""
        place = self.tree.place(node)
        return self.type_of(place.number) if place else None

    def type_of(self, number: int) -> SqlType | None:
        """Return the type of a parameter, or None if unknown."""
        return self._types.get(number)

    def proof(self, level: Level) -> Proof:
        """Return the information that the nullability rules use in a scope."""
        return Proof(
            level,
            self.required,
            self.sub_select,
            self.is_slice,
            never_null=self.schema.never_null,
            converts=lambda node, at: parses_in(node, at, self),
            has_row=lambda result: self.counter.at_least_one(result.query()),
        )

    def sub_select(self, node: exp.Expr, level: Level) -> Result:
        """Analyse a sub-select in an expression of the enclosing query `level`.

        The sub-select can refer to the columns and CTEs of this query.
        """
        return self.query(node, level, level.ctes)

    # --- queries ------------------------------------------------------------------------------

    def query(self, node: exp.Expr, parent: Level | None, ctes: dict[str, Result]) -> Result:
        """Analyse a SELECT, a set operation or a parenthesised query, each only once."""
        if id(node) not in self._results:
            self._results[id(node)] = self._query(node, parent, ctes)
        return self._results[id(node)]

    def _query(self, node: exp.Expr, parent: Level | None, ctes: dict[str, Result]) -> Result:
        if isinstance(node, exp.Subquery | exp.Paren):
            inner = self.query(node.this, parent, self._with(node, parent, ctes))
            return replace(inner, query=levels.limited(node, inner), node=node)
        known = self._with(node, parent, ctes)
        if isinstance(node, exp.SetOperation):
            return self._set_operation(node, parent, known)
        if isinstance(node, exp.Select):
            return self._select(node, parent, known)
        return _UNKNOWN

    def _with(
        self, node: exp.Expr, parent: Level | None, ctes: dict[str, Result]
    ) -> dict[str, Result]:
        clause = node.args.get("with_")
        if clause is None:
            return ctes
        known = dict(ctes)
        if clause.args.get("recursive"):  # MariaDB also allows references to later CTEs
            known |= {cte.alias.lower(): _UNKNOWN for cte in clause.expressions}
        for cte in clause.expressions:
            name = cte.alias.lower()
            if clause.args.get("recursive") and _names(cte.this, name):
                known[name] = self._recursive(cte, parent, known)
            else:
                known[name] = _renamed(self.query(cte.this, parent, known), cte)
        return known

    def _recursive(self, cte: exp.Expr, parent: Level | None, known: dict[str, Result]) -> Result:
        """Infer a recursive query's columns; the non-recursive operands give the names and types.

        At first, every column is assumed to be not NULL. If an operand can then return NULL in a
        column, the column is assumed nullable. This repeats until no column changes.
        """
        name = cte.alias.lower()
        arms = list(self._arms(cte.this, parent, known))
        begin = [self.query(arm, parent, at) for arm, at in arms if not _names(arm, name)]
        if not begin or any(result.outputs is None for result in begin):
            return _UNKNOWN
        shown = [result.outputs or () for result in begin]
        if len({len(outputs) for outputs in shown}) > 1:
            return _UNKNOWN
        adds = only_adds(cte.this)
        rows = levels.of_rounds(begin) if adds else Query
        outputs = assumed(shown, adds=adds)
        before = dict(self._results)
        while True:
            result = _renamed(Result(outputs, rows), cte)
            self._results = dict(before)
            rounds = [
                self.query(arm, parent, {**at, name: result}).outputs
                for arm, at in arms
                if _names(arm, name)
            ]
            corrected = corrected_by([*shown, *rounds], outputs, self.schema.premises)
            if corrected == outputs:
                return result
            outputs = corrected

    def _arms(
        self, node: exp.Expr, parent: Level | None, known: dict[str, Result]
    ) -> Iterator[tuple[exp.Expr, dict[str, Result]]]:
        """Yield the SELECTs of a UNION, each with the WITH queries that it can use."""
        if not isinstance(node, exp.SetOperation):
            yield node, known
            return
        known = self._with(node, parent, known)
        yield from self._arms(node.left, parent, known)
        yield from self._arms(node.right, parent, known)

    def _set_operation(
        self, node: exp.SetOperation, parent: Level | None, ctes: dict[str, Result]
    ) -> Result:
        left, right = (self.query(side, parent, ctes) for side in (node.left, node.right))
        if left.outputs is None or right.outputs is None or len(left.outputs) != len(right.outputs):
            return _UNKNOWN
        outputs = tuple(
            of_both(node, ours, theirs, index, self.schema.premises)
            for index, (ours, theirs) in enumerate(zip(left.outputs, right.outputs, strict=True))
        )
        return Result(outputs, levels.of_set_operation(node, left, right), node)

    def _select(self, node: exp.Select, parent: Level | None, ctes: dict[str, Result]) -> Result:
        level = Level(node, parent, ctes, self.schema.premises)
        self.levels[id(node)] = level
        self._from(level, node)
        where = node.args.get("where")
        self._group(level, node)
        settle(level, where.this if where else None, self.is_slice)
        outputs = self._outputs(level, node.expressions)
        # The scopes of sub-selects in WHERE, HAVING and so on.
        for argument in node.iter_expressions():
            self._visit(argument, level)
        for join in level.joins:  # those in parentheses too
            if join.on is not None:
                self._visit(join.on, level)
        return Result(outputs, levels.of_select(node, level, outputs, self), node)

    def _group(self, level: Level, node: exp.Select) -> None:
        group = node.args.get("group")
        shown = [
            *node.expressions,
            *(node.args.get(k) for k in ("having", "order") if node.args.get(k)),
        ]
        certain, possible = aggregates(shown, level, self.schema)
        has_row = self._has_row(level, node) if certain or possible else False
        if group is not None:
            level.rollup = any(
                group.args.get(kind) for kind in ("rollup", "cube", "grouping_sets", "totals")
            )
            level.grouped = not level.rollup
            level.bare_is_null = level.rollup
        else:
            level.aggregated = certain
            level.grouped = has_row
            level.bare_is_null = (certain or possible) and not has_row

    def _has_row(self, level: Level, node: exp.Select) -> bool:
        """Return whether an aggregate without GROUP BY always summarizes at least one row."""
        having = node.args.get("having")
        counted = counts_a_row(having.this if having else None, level)
        if having is not None and self.schema.premises.holds(
            "aggregate", "HAVING is true only for a group with a row", counted
        ):
            return True
        return levels.reads_a_row(node, level, self)

    # --- FROM ---------------------------------------------------------------------------------

    def _from(self, level: Level, node: exp.Expr) -> None:
        """Add the items of FROM to the scope."""
        clause = node.args.get("from_")
        if clause is not None:
            self._item(level, clause.this)
        self._joins(level, node, first=0, nested=False)

    def _item(self, level: Level, item: exp.Expr) -> None:
        """Add an item of FROM: a table, a sub-select, or joined tables in parentheses."""
        first = len(level.sources)
        inside = isinstance(item, exp.Subquery | exp.Paren) and not item.alias
        if inside and isinstance(item.this, exp.Table | exp.Subquery):
            self._item(level, item.this)
        elif isinstance(item, exp.Table) and isinstance(item.this, exp.Identifier):
            self._table(level, item)
        elif isinstance(item, exp.Subquery):
            # In MySQL, a derived table may refer to the enclosing statement, but not to its
            # neighbours.
            inner = self.query(item.this, level.parent, self._with(item, level.parent, level.ctes))
            result = _renamed(inner, item)
            self._derived(level, item, item.alias, result)
        elif isinstance(item, exp.Table) and isinstance(item.this, exp.JSONTable):
            self._add(level, item, item.alias, _columns_of(item.this.args.get("schema")))
        elif isinstance(item, exp.Lateral) and isinstance(item.this, exp.Subquery):
            result = _renamed(self.query(item.this, level, level.ctes), item)
            self._derived(level, item, item.alias, result, lateral=True)
        else:
            self._add(level, item, item.alias_or_name, None)
        self._joins(level, item, first=first, nested=True)

    def _table(self, level: Level, item: exp.Table) -> None:
        name, alias = item.name, item.alias_or_name
        if is_dual(item):
            return
        relation = self.schema.relation(name, item.db)
        if not item.db and name.lower() in level.ctes:
            if relation is None or not self._is_spelled_otherwise(name):
                self._derived(level, item, alias, level.ctes[name.lower()])
                return
            relation = None  # only some servers ignore the case of the names of WITH queries
        if relation is None:
            self._add(level, item, alias, None)
            return
        version = item.args.get("version")
        old = version is not None and str(version.args.get("kind")).upper() != "AS OF"
        self._add(level, item, alias, _offered(relation), relation=relation, historic=old)

    def _is_spelled_otherwise(self, name: str) -> bool:
        """Return whether the name of a WITH query differs from `name` only in case."""
        ctes = self.tree.root.find_all(exp.CTE)
        return any(cte.alias != name and cte.alias.lower() == name.lower() for cte in ctes)

    def _derived(
        self, level: Level, item: exp.Expr, alias: str, made: Result, *, lateral: bool = False
    ) -> None:
        """Add the result of a sub-select or CTE to the scope as a FROM item."""
        number = len(level.sources)
        level.sources.append(
            Source(number, alias, made.outputs, made=made, lateral=lateral, item=item)
        )

    def _add(
        self,
        level: Level,
        item: exp.Expr,
        alias: str,
        outputs: tuple[Output, ...] | None,
        *,
        relation: Relation | None = None,
        historic: bool = False,
    ) -> None:
        source = Source(len(level.sources), alias, outputs, relation, historic=historic, item=item)
        level.sources.append(source)

    def _joins(self, level: Level, node: exp.Expr, *, first: int, nested: bool) -> None:
        """Add the joined tables; a comma has lower precedence than other joins."""
        for join in node.args.get("joins") or []:
            first = len(level.sources) if _is_comma(join) else first
            self._join(level, join, first=first, nested=nested)

    def _join(self, level: Level, join: exp.Join, *, first: int, nested: bool) -> None:
        left = frozenset(range(first, len(level.sources)))
        self._item(level, join.this)
        right = frozenset(range(first + len(left), len(level.sources)))
        natural = str(join.args.get("method") or "").upper() == "NATURAL"
        names = tuple(part.name for part in join.args.get("using") or [])
        if natural:
            names = _common(level, left, right)
        side = str(join.args.get("side") or "").upper()
        on = join.args.get("on")
        made = Join(len(level.joins), side, on, left, right, names, nested, natural)
        level.joins.append(made)
        nulled = {"LEFT": right, "RIGHT": left, "FULL": left | right}.get(side, frozenset())
        for number in nulled:
            level.sources[number].nulled_by.add(made.number)
        for name in names:
            _merge(level, made, name.lower())

    # --- select lists ---------------------------------------------------------------------------

    def _outputs(self, level: Level, items: list[exp.Expr]) -> tuple[Output, ...] | None:
        found: list[Output] = []
        for item in items:
            if item.is_star and not isinstance(item, exp.Count):
                expanded = self.star(level, item)
                if expanded is None:
                    return None
                found += expanded
            else:
                found.append(self._output(level, item))
        return tuple(found)

    def _output(self, level: Level, item: exp.Expr) -> Output:
        node = unwrap(item.this if isinstance(item, exp.Alias) else item)
        verdict = infer(node, self.proof(level))
        unsure = self._unsure(node, level)
        kind = type_of(node, level, self)
        name = item.alias if isinstance(item, exp.Alias) else ""
        if isinstance(node, exp.Column):
            found = level.resolve(node)
            if found:
                _, source, output = found
                here = found[0] is level
                return Output(
                    name or output.name,
                    kind,
                    verdict,
                    output.origin,
                    source.alias,
                    output.collation,
                    unsure=unsure,
                    column=(source.number, output.name.lower()) if here else None,
                    shape=handed_on(output.shape),
                    padded=output.padded,
                )
        return Output(
            name or item.output_name or item.name,
            kind,
            verdict,
            None,
            "",
            collation_of(node, level),
            unsure=unsure,
            nameless=not name,
            shape=listed(node, self.proof(level), self),
            padded=has_zeros(node, level, self),
        )

    def _unsure(self, node: exp.Expr, level: Level) -> bool:
        """Return whether the server's NOT NULL flag may be wrong for an expression."""
        for inner in node.walk():
            if may_fail(inner) or parses_in(inner, level, self):
                return True
            if isinstance(inner, exp.Column):
                found = level.resolve(inner)
                unknown = found is None and inner.find_ancestor(exp.Query) is level.node
                if unknown or (found is not None and found[2].unsure):
                    return True
            elif isinstance(inner, exp.Query):
                outputs = self.sub_select(inner, level).outputs
                if any(output.unsure for output in outputs or ()):
                    return True
        return False

    def star(self, level: Level, item: exp.Expr) -> list[Output] | None:
        """Return the columns of `*` or `t.*` after all joins are read, or None if unknown."""
        table, database = (item.table, item.db) if isinstance(item, exp.Column) else ("", "")
        sources = [level.source(table, database)] if table else list(level.sources)
        outputs: list[Output] = []
        for source in sources:
            if source is None or source.outputs is None or (level.joined_by_name and not table):
                return None
            for output in source.shown:
                verdict = _OVER_NO_ROW if level.bare_is_null else level.column(source, output)
                outputs.append(
                    Output(
                        output.name,
                        output.type,
                        verdict,
                        output.origin,
                        source.alias,
                        output.collation,
                        unsure=output.unsure,
                        nameless=output.nameless,
                        column=(source.number, output.name.lower()),
                        shape=handed_on(output.shape),
                        padded=output.padded,
                    )
                )
        return outputs

    # --- statements that change rows --------------------------------------------------------------

    def _change(self, node: exp.Update | exp.Delete) -> Result:
        level = Level(node, None, self._with(node, None, {}), self.schema.premises)
        self.levels[id(node)] = level
        target = node.this
        if isinstance(target, exp.Expr) and not node.args.get("using"):
            self._item(level, target)
        for clause in ("from_", "using"):
            extra = node.args.get(clause)
            for item in extra if isinstance(extra, list) else [extra] if extra else []:
                self._item(level, item.this if isinstance(item, exp.From) else item)
        self._joins(level, node, first=0, nested=False)
        where = node.args.get("where")
        settle(level, where.this if where else None, self.is_slice)
        returning = node.args.get("returning")
        if returning is None:
            return Result(())
        outputs = self._outputs(level, returning.expressions)
        return Result(outputs, levels.of_change(node, level, outputs, self), node)

    def _insert(self, node: exp.Insert) -> Result:
        level = Level(node, None, {}, self.schema.premises)
        self.levels[id(node)] = level
        target = node.this.this if isinstance(node.this, exp.Schema) else node.this
        if isinstance(target, exp.Table):
            self._table(level, target)
        read = None
        if isinstance(node.expression, exp.Query):
            read = self.query(node.expression, None, self._with(node, None, {}))
        returning = node.args.get("returning")
        if returning is None:
            return Result(())
        outputs = self._outputs(level, returning.expressions)
        return Result(outputs, levels.of_insert(node, level, read), node)

    def _rest(self, root: exp.Expr) -> None:
        """Analyse the sub-selects in expressions, as in WHERE, that have not been analysed yet."""
        level = self.levels.get(id(root))
        if level is not None:
            self._visit(root, level)

    def _visit(self, node: exp.Expr, level: Level) -> None:
        for child in own_nodes(node):
            if isinstance(child, exp.Query) and child is not level.node and not _in_from(child):
                self.query(child, level, level.ctes)


def _in_from(node: exp.Expr) -> bool:
    """Return whether a sub-select is in FROM or WITH, where it cannot use the query's columns."""
    parent = node.parent
    return isinstance(
        parent, exp.From | exp.Join | exp.CTE | exp.SetOperation | exp.Subquery | exp.Table
    )


def _offered(relation: Relation) -> tuple[Output, ...]:
    table = relation.table
    return tuple(
        Output(
            name=column.name,
            type=column.type,
            verdict=DECLARED if column.not_null else NULLABLE,
            origin=ColumnRef(table.schema, table.name, column.name),
            collation=relation.collations.get(column.name.lower(), ""),
            invisible=column.name.lower() in relation.invisible,
            shape=_document_in(relation, column),
            padded=column.name.lower() in relation.padded,
        )
        for column in table.columns
    )


def _document_in(relation: Relation, column: TableColumn) -> JsonShape | None:
    """Return the shape of the JSON in a table's or view's column, or None for other columns."""
    found = relation.shapes.get(column.name.lower())
    at = ColumnRef(relation.table.schema, relation.table.name, column.name)
    return found or (stored_in(at) if column.type.name == "json" else None)


def _columns_of(schema: exp.Expr | None) -> tuple[Output, ...] | None:
    """Return the columns of JSON_TABLE, including nested paths."""
    found: list[Output] = []
    for column in schema.expressions if schema is not None else ():
        nested = column.args.get("nested_schema")
        if nested is not None:
            inner = _columns_of(nested)
            found += inner or ()
            continue
        kind = column.args.get("kind")
        said = types.declared(kind.sql(dialect="mysql").lower()) if kind is not None else types.INT
        shape = ANY if said.name == "json" else None
        found.append(Output(column.name, said, unsure=True, shape=shape))
    return tuple(found) or None


def _renamed(result: Result, named: exp.Expr) -> Result:
    """Apply the column aliases of `t (a, b)`."""
    alias = named.args.get("alias")
    names = [column.name for column in alias.args.get("columns") or []] if alias is not None else []
    if not names or result.outputs is None:
        return result
    outputs = tuple(
        replace(o, name=name, invisible=False, nameless=False)
        for name, o in zip(names, result.outputs, strict=False)
    )
    return replace(result, outputs=outputs)


def _names(node: exp.Expr, name: str) -> bool:
    return any(table.name.lower() == name for table in node.find_all(exp.Table))


def of_both(
    node: exp.SetOperation, ours: Output, theirs: Output, index: int, premises: Premises
) -> Output:
    """Combine the columns at one index of both operands of a set operation."""
    kinds = [ours.type, theirs.type]
    converts = parses(kinds) or (None in kinds and (ours.unsure or theirs.unsure))
    sides = zip(kinds, (node.left, node.right), strict=True)
    return Output(
        ours.name,
        of_rows([kind for kind, side in sides if kind or not _gives_null(side, index)]),
        _in_both(node, (ours.verdict, theirs.verdict), converts, premises),
        origin=ours.origin if ours.origin == theirs.origin else None,
        unsure=converts or ours.unsure or theirs.unsure,
        nameless=ours.nameless,
        shape=_shape_of_both(ours, theirs),
        padded=ours.padded or theirs.padded,
    )


def _shape_of_both(ours: Output, theirs: Output) -> JsonShape | None:
    if ours.shape is None and theirs.shape is None:
        return None
    return weakest_shape(ours.shape, theirs.shape) or ANY


def _gives_null(node: exp.Expr, index: int) -> bool:
    """Return whether a column of a SELECT is the literal NULL, which has no type of its own."""
    items = node.expressions if isinstance(node, exp.Select) else []
    item = items[index] if index < len(items) else None
    return isinstance(item.this if isinstance(item, exp.Alias) else item, exp.Null)


def _in_both(
    node: exp.SetOperation, parts: tuple[Verdict, Verdict], converts: bool, premises: Premises
) -> Verdict:
    holds = premises.holds
    if not holds("set-operation", "no value is converted to another type", not converts):
        return maybe("a value is converted to the type of the other SELECT, and may become NULL")
    proof: tuple[Verdict, ...] = parts
    if isinstance(node, exp.Except):
        proof = parts[:1]
        known = not parts[0].null
    elif isinstance(node, exp.Intersect):
        proof = tuple(part for part in parts if not part.null)[:1]
        known = holds("set-operation", ONE_PART, proof)
    else:
        known = holds("set-operation", EVERY_PART, not any(part.null for part in parts))
    text = f"{node.key.upper()} returns only rows of its two queries"
    if known:
        return never("set-operation", text, *proof)
    return maybe(text, *(part for part in parts if part.null))


def _is_comma(join: exp.Join) -> bool:
    """Return whether a join is written as a comma."""
    return not any(name != "this" for name in join.args)


def _common(level: Level, left: frozenset[int], right: frozenset[int]) -> tuple[str, ...]:
    """Return the column names that a NATURAL join compares."""
    theirs = {o.name.lower() for n in right for o in level.sources[n].shown}
    ours = [o.name.lower() for n in sorted(left) for o in level.sources[n].shown]
    return tuple(dict.fromkeys(name for name in ours if name in theirs))


def _merge(level: Level, join: Join, name: str) -> None:
    """Record that `x` in USING (x) or NATURAL comes from the table that always has a row."""
    side = join.right if join.side == "RIGHT" else join.left
    having = [number for number in sorted(side) if level.sources[number].output(name)]
    if len(having) == 1 and (join.side == "RIGHT" or name not in level.merged):
        level.merged[name] = having[0]
