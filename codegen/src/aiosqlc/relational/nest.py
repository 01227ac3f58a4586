"""Find and prove the keys that group joined rows into the lists of `sqlc.nest(t)`.

The result has levels: the outer rows that the generated function returns, the lists in them, the
lists in those lists, and so on. A row of a level stands for one row of each FROM item whose columns
the level shows. The level's key is proved if two joined rows contain the same row of the level
exactly when they agree in the columns of the key. For this, the key must determine one row of each
FROM item of the level, and of the levels that contain it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from aiosqlc.ir import (
    Cardinality,
    Column,
    Nesting,
    NestLevel,
    NotNested,
    SqlType,
    TypedEmbed,
    TypeKind,
)
from aiosqlc.relational.closure import EXACT, Binding, Closure, columns_of
from aiosqlc.relational.joins import joins_of, optional_side, sources_of
from aiosqlc.relational.rows import RowCounter
from aiosqlc.relational.tree import (
    Column as Part,
)
from aiosqlc.relational.tree import (
    Command,
    Equality,
    Expr,
    From,
    Join,
    JoinItem,
    JoinKind,
    Leaf,
    Limit,
    Opaque,
    Query,
    Subquery,
    Table,
)

# The types of which every driver returns hashable values, equal only for one stored value.
# A NaN is not equal to itself, and an hour of a MySQL timestamp may occur twice.
_POSTGRES = frozenset(
    {
        *("bool", "int2", "int4", "int8", "oid", "uuid", "bytea", "text", "varchar", "bpchar"),
        *("name", "citext", "date", "timestamp", "timestamptz"),
    }
)
_MYSQL = frozenset(
    {
        *("tinyint", "smallint", "mediumint", "int", "bigint", "decimal", "year"),
        *("char", "varchar", "text", "tinytext", "mediumtext", "longtext"),
        *("date", "datetime", "time", "binary", "varbinary", "uuid"),
    }
)


def paths_of(embeds: Sequence[TypedEmbed]) -> dict[tuple[str, ...], int]:
    """Return the index of each `sqlc.nest(t)` in `embeds`, by its path: `("books", "reviews")`."""
    return {tuple(e.name.split(".")): i for i, e in enumerate(embeds) if e.nest}


def nested(
    counter: RowCounter, query: Query, embeds: Sequence[TypedEmbed], columns: Sequence[Column]
) -> tuple[Nesting | NotNested, Cardinality]:
    """Prove which columns identify the rows of each list, and how many rows the function returns.

    `columns` are the result columns, inferred as if every embedded row were present.
    """
    nest = _Nest(counter, query, embeds, columns)
    found = nest.proved()
    if isinstance(found, NotNested):
        return found, Cardinality.ZERO_OR_ONE  # whose diagnostic says everything
    return found, nest.rows(found.levels[0].key)


def merged(
    one: Nesting | NotNested | None, other: Nesting | NotNested | None
) -> Nesting | NotNested | None:
    """Combine the nestings of two variants; each list's key gets the key columns of both."""
    if not isinstance(one, Nesting) or not isinstance(other, Nesting):
        return one if not isinstance(one, Nesting) else other
    levels = tuple(
        replace(
            mine,
            key=tuple(dict.fromkeys((*mine.key, *theirs.key))),
            repeats=mine.repeats or theirs.repeats,
        )
        for mine, theirs in zip(one.levels, other.levels, strict=True)
    )
    return Nesting(levels, one.adjacent and other.adjacent)


class _UnfitError(Exception):
    def __init__(self, embed: int, why: str, hint: str) -> None:
        super().__init__(why)
        self.unfit = NotNested(embed, why, hint)


class _Above(Struct, frozen=True):
    """The outer rows and lists (levels) that contain a list of `sqlc.nest`.

    `optional` are their FROM items that may have no row. `key` is the key of the level directly
    above.
    """

    optional: frozenset[int]
    key: frozenset[int]


class _Nest:
    """Proves the keys of nested rows in one text of a query."""

    def __init__(
        self,
        counter: RowCounter,
        query: Query,
        embeds: Sequence[TypedEmbed],
        columns: Sequence[Column],
    ) -> None:
        self.counter = counter
        self.query = query
        self.columns = columns
        self.paths = paths_of(embeds)
        self.embeds = embeds
        self.first = min(self.paths.values())
        self.plain = Closure(counter, query)
        outputs = query.outputs()
        self.outputs = [self.plain.resolve(output) for output in outputs]
        outer = [join for join in joins_of(query.root) if join.kind is not JoinKind.INNER]
        self._outer = [(join, frozenset(sources_of(optional_side(join)))) for join in outer]

    def proved(self) -> Nesting | NotNested:
        """Return the keys of the outer rows and of each list, or why a key is not proved."""
        query = self.query
        simple = (
            query.command is Command.SELECT
            and query.plain_list
            and query.arms is None
            and not query.group_keys
            and query.grouping_sets == ()
            and not query.one_group
            and _is_uncut(query.limit)
            and not self.plain.has_full_join
            and len(self.outputs) == len(self.columns)
        )
        if not simple:
            return NotNested(
                self.first,
                "the rows of this query are not proved to be rows of joined tables",
                "use a SELECT from tables, views and subqueries without GROUP BY, FULL JOIN and"
                " LIMIT; put these into a subquery in FROM",
            )
        try:
            levels = [self._top()]
            for path in sorted(self.paths, key=len):
                levels.append(self._level(path, levels))
        except _UnfitError as error:
            return error.unfit
        return Nesting(tuple(levels), self._is_adjacent(levels[0].key))

    # --- the rows that the function returns -------------------------------------------------------

    def _top(self) -> NestLevel:
        """Return the top level, whose rows the generated function returns, with its key."""
        own = self._top_outputs()
        if not own:
            hint = "also select the columns of the rows that the lists belong to"
            raise _UnfitError(self.first, "the query selects only lists", hint)
        self.top = frozenset(c.source for at in own for c in columns_of(self.outputs[at]))
        certain = [at for at in own if self._is_certain(at)]
        key = self._shrunk(self.query, certain, self.top, certain)
        if key is None:
            closure = Closure(self.counter, self.query, _given(certain))
            missing = min(self.top - closure.exact_sources)
            raise _UnfitError(
                self.first,
                f"the selected columns do not determine one row of `{self.query.name(missing)}`",
                self._remedy(missing, own),
            )
        return NestLevel(None, 0, (*key, *self._values(key, own)))

    def _values(self, key: Sequence[int], own: Sequence[int]) -> Iterator[int]:
        """Yield the columns that may differ between rows with the same key.

        An outer join may find a row of a FROM item for only some of these rows. Then one NOT NULL
        column of the item is enough, because it shows whether a row was found.
        """
        closure = Closure(self.counter, self.query, _given(key))
        shown = {self._part(at).source for at in key}
        for at in own:
            expr = self.outputs[at]
            if at in key or self._is_fixed(expr, closure):
                continue
            if not isinstance(expr, Part) or expr.source not in closure.exact_sources:
                self._check_value(at, closure)
                yield at
            elif expr.source not in shown:
                same = [o for o in own if self._part(o).source == expr.source]
                presence = next(filter(self._is_certain, same), None)
                if presence is None:
                    self._check_value(at, closure)
                else:
                    shown.add(expr.source)
                yield at if presence is None else presence

    def _is_fixed(self, expr: Expr, closure: Closure) -> bool:
        """Return whether an expression has one value in all joined rows with equal keys.

        `closure` has the columns that the key fixes.
        """
        expr = self.plain.resolve(expr)
        if closure.is_exact(expr):
            return True
        if isinstance(expr, Part):
            exact = not expr.level and expr.source in closure.exact_sources
            return exact and self._is_alike(expr.source, closure)
        if isinstance(expr, Subquery):
            return expr.stable and all(self._is_fixed(column, closure) for column in expr.reads)
        if isinstance(expr, Opaque):
            stable = expr.from_args and expr.stable
            return stable and all(self._is_fixed(arg, closure) for arg in expr.args)
        return False

    def _is_alike(self, source: int, closure: Closure) -> bool:
        """Return whether a FROM item has a row in all of the joined rows, or in none of them.

        The joined rows are those that `closure` describes. The property is proved if the outer
        joins around the item depend only on columns that have one value in all these rows.
        """
        for join, side in self._outer:
            if source not in side:
                continue
            reads = join.reads()
            if reads is None or not side <= closure.exact_sources:
                return False
            other = [column for column in reads if column.source not in side]
            if not all(self._is_fixed(column, closure) for column in other):
                return False
        return True

    def _top_outputs(self) -> list[int]:
        inside = {
            at
            for index in self.paths.values()
            for at in range(
                self.embeds[index].first, self.embeds[index].first + self.embeds[index].count
            )
        }
        return [at for at in range(len(self.columns)) if at not in inside]

    def _check_value(self, at: int, closure: Closure) -> None:
        """Raise an error if a column's value may differ between rows with equal keys.

        Also raise an error if Python and the database may disagree on which values are equal.
        """
        name = self.columns[at].name
        if not self._depends_on(self.outputs[at], closure.determined):
            raise _UnfitError(
                self.first,
                f"the value of column `{name}` is not proved to be the same in all joined rows",
                "calculate it in a subquery of FROM, or after the query",
            )
        if not is_key(self.columns[at].type):
            raise _UnfitError(
                self.first,
                f"column `{name}` may differ between joined rows, and Python cannot compare it",
                "calculate it in a subquery of FROM",
            )

    def _depends_on(self, expr: Expr, sources: set[int]) -> bool:
        if isinstance(expr, Part):
            return not expr.level and expr.source in sources
        if isinstance(expr, Subquery):
            return expr.one_value and all(self._depends_on(c, sources) for c in expr.reads)
        if isinstance(expr, Opaque):
            stable = expr.from_args and expr.stable
            return stable and all(self._depends_on(arg, sources) for arg in expr.args)
        return True

    def rows(self, key: Sequence[int]) -> Cardinality:
        """Return how many rows the generated function returns, as far as it is proved."""
        some = self.counter.at_least_one(self.query)
        if all(self._is_fixed(self.outputs[at], self.plain) for at in key):
            return Cardinality.ONE if some else Cardinality.ZERO_OR_ONE
        return Cardinality.SOME if some else Cardinality.MANY

    def _is_adjacent(self, key: Sequence[int]) -> bool:
        """Return whether ORDER BY puts the joined rows of each outer row next to each other."""
        parent = Closure(self.counter, self.query, _given(key))
        pinned: list[tuple[Expr, Binding]] = []
        sorted_by = set[int]()
        for item in self.query.order():
            expr = self.plain.resolve(item.expr)
            if item.output - 1 not in key and not self._is_fixed(expr, parent):
                break
            sorted_by.add(item.output - 1)
            certain = item.output and self.columns[item.output - 1].not_null
            if item.classes is not None and isinstance(expr, Part) and not expr.absent and certain:
                pinned.append((expr, Binding(False, item.classes, expr.collation)))
        closure = Closure(self.counter, self.query, pinned=pinned)
        rest = [at for at in key if at not in sorted_by]
        return self.top <= closure.determined and all(
            self._is_fixed(self.outputs[at], closure) for at in rest
        )

    # --- the rows of the lists --------------------------------------------------------------------

    def _level(self, path: tuple[str, ...], levels: Sequence[NestLevel]) -> NestLevel:
        """Return the key of one list, with the list's position in the nesting.

        `levels` are the outer rows and the lists that were proved before.
        """
        index = self.paths[path]
        embed = self.embeds[index]
        above = self.paths.get(path[:-1])
        parent = next(n for n, level in enumerate(levels) if level.embed == above)
        own = range(embed.first, embed.first + embed.count)
        source = self._source(own)
        if source is None:
            raise _UnfitError(index, "its columns are not those of one FROM item", _ONE_ITEM)
        present, joins = self._present(source)
        sources = {source, *self.top}
        up = parent
        while up:
            there = self.embeds[levels[up].embed or 0]
            middle = self._source(range(there.first, there.first + there.count))
            sources |= {middle or source}
            if middle not in present:
                names = self.query.name(source), self.query.name(middle or 0)
                raise _UnfitError(
                    index,
                    f"a row of `{names[0]}` may be joined although `{names[1]}` has no row",
                    f"compare a column of `{names[0]}` with a column of `{names[1]}` in ON",
                )
            up = levels[up].parent
        if embed.nullable and embed.presence is None:
            why = f"no column shows whether `{self.query.name(source)}` has a row"
            raise _UnfitError(index, why, "embed a table with a column that is NOT NULL")
        query = msgspec.structs.replace(self.query, root=_matched(self.query.root, joins))
        certain = [at for at in own if self._is_certain(at)]
        inherited = list(levels[parent].key)
        # A row of the list belongs to another row if an outer join finds a row of a level above in
        # some joined rows only. The key shows that row, or the key of the level above is kept.
        above_it = _Above(frozenset(sources - present), frozenset(inherited))
        key = self._shrunk(query, [*certain, *inherited], sources, certain, above_it)
        if key is None:
            name = self.query.name(source)
            raise _UnfitError(
                index,
                f"it is not proved that the selected columns distinguish the rows of `{name}`",
                self._remedy(source, own),
            )
        closure = Closure(self.counter, query, _given(key))
        return NestLevel(index, parent, key, not closure.all_determined)

    def _source(self, own: range) -> int | None:
        found = {
            output.source if isinstance(output, Part) and not output.level else None
            for output in self.outputs[own.start : own.stop]
        }
        return found.pop() if len(found) == 1 else None

    def _present(self, source: int) -> tuple[set[int], list[Join]]:
        """Return the FROM items that have a row if `source` has one, and the joins that then match.

        If a join matches on `x = y`, neither operand is NULL, so the FROM items of both have a row.
        """
        present, matching = {source}, list[Join]()
        while True:
            matching = [join for join, side in self._outer if side & present]
            found = {
                column.source
                for join in matching
                for condition in join.conditions
                if isinstance(condition.meaning, Equality)
                for operand in (condition.meaning.left, condition.meaning.right)
                for column in [self.plain.resolve(operand)]
                if isinstance(column, Part) and not column.level
            }
            found |= {
                other
                for other in sources_of(self.query.root)
                if all(join in matching for join, side in self._outer if other in side)
            }
            if found <= present:
                return present, matching
            present |= found

    # --- keys -------------------------------------------------------------------------------------

    def _is_certain(self, at: int) -> bool:
        """Return whether a column is NOT NULL in its FROM item, and Python can compare it."""
        column, part = self.columns[at], self._part(at)
        item = self.query.source(part.source) if part.source else None
        declared = isinstance(item, Table) and self.counter.engine.not_null(
            item.relation, part.column
        )
        return item is not None and (column.not_null or declared) and is_key(column.type)

    def _part(self, at: int) -> Part:
        """Return the column that a result column shows unchanged, or `_NO_PART` if none."""
        expr = self.outputs[at]
        return expr if isinstance(expr, Part) and not expr.level else _NO_PART

    def _shrunk(
        self, query: Query, candidates: Sequence[int], sources: frozenset[int] | set[int],
        first: Sequence[int], above: _Above | None = None,
    ) -> tuple[int, ...] | None:  # fmt: skip
        """Return candidates, as few as possible, that determine one row of each of the `sources`.

        Return None if all candidates together do not determine these rows.

        A LIMIT 1 alone does not determine a row, because a query plan may read another row each
        time. A single column of `first` is preferred. Otherwise the last candidates are omitted
        first.
        """
        if not self._determine(query, candidates, sources, above):
            return None
        for at in first:
            if self._determine(query, [at], sources, above):
                return (at,)
        key = list(candidates)
        for at in reversed(candidates):
            fewer = [other for other in key if other != at]
            if self._determine(query, fewer, sources, above):
                key = fewer
        return tuple(key)

    def _determine(
        self, query: Query, key: Sequence[int], sources: frozenset[int] | set[int],
        above: _Above | None,
    ) -> bool:  # fmt: skip
        closure = Closure(self.counter, query, _given(key))
        if not sources <= closure.exact_sources:
            return False
        if above is None or above.key.issubset(key):
            return True
        shown = {self._part(at).source for at in key if self._is_certain(at)}
        return all(item in shown or self._is_alike(item, closure) for item in above.optional)

    def _remedy(self, source: int, own: Sequence[int]) -> str:
        """Return a hint to select a unique key of a FROM item."""
        item, name = self.query.source(source), self.query.name(source)
        if not isinstance(item, Table):
            return f"select a unique column of `{name}` that is NOT NULL"
        shown = map(self._part, own)  # unlike `id + 1`, a column itself
        selected = {(part.source, part.column) for part in shown}
        for key in self.counter.engine.keys(item):
            parts = [part.column for part in key.parts]
            names = [self.counter.engine.column_name(item.relation, part) for part in parts]
            missing = [
                f"`{name}.{called}`"
                for part, called in zip(parts, names, strict=True)
                if (source, part) not in selected and called
            ]
            certain = all(self.counter.engine.not_null(item.relation, part) for part in parts)
            if missing and certain and all(names) and not key.predicate:
                return f"add {' and '.join(missing)} to the select list"
        return (
            f"give `{name}` a unique key of columns that are NOT NULL and of a type such as"
            " integer, text or uuid"
        )


_NO_PART = Part(source=0, column=0)
_ONE_ITEM = "nest one table, view or subquery of FROM"


def is_key(kind: SqlType) -> bool:
    """Return whether Python and the database agree on which values of a type are equal."""
    while kind.kind is TypeKind.DOMAIN and kind.base:
        kind = kind.base
    if kind.array_dims:
        return False
    if kind.kind is TypeKind.ENUM:
        return True
    return kind.name in (_MYSQL if kind.schema == "" else _POSTGRES)


def _given(key: Sequence[int]) -> dict[int, Binding]:
    return {at + 1: EXACT for at in key}


def _is_uncut(limit: Limit) -> bool:
    return limit.most is None and limit.some and limit.from_first


def _matched(item: From, joins: Sequence[Join]) -> From:
    """Return the join tree with the given outer joins turned into inner joins."""
    return msgspec.structs.replace(item, items=tuple(_inner(item.items, joins)))


def _inner(items: Sequence[JoinItem], joins: Sequence[Join]) -> Iterator[JoinItem]:
    for item in items:
        if isinstance(item, Leaf):
            yield item
        elif isinstance(item, From):
            yield _matched(item, joins)
        else:
            left, right = _inner((item.left, item.right), joins)
            kind = JoinKind.INNER if item in joins else item.kind
            yield msgspec.structs.replace(item, kind=kind, left=left, right=right)
