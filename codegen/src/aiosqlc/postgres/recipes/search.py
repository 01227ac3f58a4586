"""Find values for the columns of each table: insert rows until the server accepts them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

from msgspec import Struct
from psycopg import pq

from aiosqlc.analysis.recipes import (
    DEMANDS,
    ColumnRecipe,
    Demand,
    Recipes,
    Reference,
    Syntax,
    TableRecipe,
    hopeless,
)
from aiosqlc.postgres.catalog.facts import Facts
from aiosqlc.postgres.catalog.rows import Attribute, ConstraintRow, Relation
from aiosqlc.postgres.catalog.types import Types
from aiosqlc.postgres.population import (
    answered,
    constraint_constants,
    parents_first,
    quoted,
    undone,
)
from aiosqlc.postgres.recipes.candidates import candidates, literal
from aiosqlc.servers.postgres.connection import Connection, server_error

_ATTEMPTS = 400  # per table
_SIMPLER = 60  # attempts to replace a value by an earlier one, once a row is accepted
_DECLARED = """
select a.attrelid, a.attnum, format_type(a.atttypid, a.atttypmod), a.attidentity,
    case when a.attgenerated = '' then pg_get_expr(d.adbin, d.adrelid) end
from pg_attribute a left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
where a.attnum > 0 and not a.attisdropped
    and a.attrelid in (select oid from pg_class where relkind in ('r', 'p'))
"""

_SYNTAX = Syntax('"', "{}::bigint", "DEFAULT VALUES", returning=True, schemas=True)
_COUNTER = "aiosqlc_row"
_FILLED = "the schema already inserts rows, and the server rejected another row"
_PARTITIONS = "select oid from pg_class where relispartition"

Row = dict[str, str | None]


def recipes_of(connection: Connection, facts: Facts) -> Recipes:
    """Return, for each table, values that its constraints accept; roll back all inserted rows."""
    connection.run("begin")
    connection.run("set local statement_timeout = '2s'")
    connection.run("set constraints all immediate")
    search = _Search(connection, facts, _declared(connection))
    try:
        return search.all_tables()
    finally:
        connection.run("rollback")


class _Declared(Struct, frozen=True):
    """A column's type as a declaration names it, its default, and its identity clause."""

    type: str
    default: str
    identity: str


def _declared(connection: Connection) -> Mapping[tuple[int, int], _Declared]:
    return {
        (int(relation or 0), int(number or 0)): _Declared(kind or "", default or "", identity or "")
        for relation, number, kind, identity, default in connection.rows(_DECLARED)
    }


@dataclass
class _Search:
    """The search for column values that each table of a database accepts, in one transaction."""

    connection: Connection
    facts: Facts
    declared: Mapping[tuple[int, int], _Declared]
    made: dict[int, list[Row]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._types = Types(self.facts)
        # A row of the partitioned table reaches its partition.
        self._partitions = {int(oid or 0) for (oid,) in self.connection.rows(_PARTITIONS)}

    def all_tables(self) -> Recipes:
        """Return accepted column values (a recipe) for each table, with referenced tables first."""
        found: list[TableRecipe] = []
        refused: list[tuple[tuple[str, str], str]] = []
        for table in parents_first(self.facts, self.facts.relations):
            if table in self._partitions:
                continue
            relation = self.facts.relations[table]
            recipe = self._table(table, relation)
            if isinstance(recipe, str):
                reason = f"{_FILLED}: {recipe}" if self._has_rows(table) else recipe
                refused.append(((relation.schema, relation.name), reason))
            else:
                found.append(recipe)
        return Recipes(tuple(found), tuple(refused), _SYNTAX)

    def _table(self, table: int, relation: Relation) -> TableRecipe | str:
        """Return the column values that a table accepts, or the reason why none were found."""
        if not self.facts.columns.get(table):
            return "the table has no columns"
        columns = [
            column
            for column in self.facts.columns.get(table, ())
            if not column.generated and self.declared[table, column.number].identity != "a"
        ]
        required = [key for key in self._keys(table) if self._is_required(key)]
        existing = {key.oid for key in required if self._has_rows(key.foreign_relation)}
        for key in required:
            if not self.made.get(key.foreign_relation) and key.oid not in existing:
                return f"the referenced table {self._named(key.foreign_relation)} has no row"
        required = [key for key in required if self.made.get(key.foreign_relation)]
        possible = [key for key in self._keys(table) if self.made.get(key.foreign_relation)]
        reason = said = ""
        # A CHECK may require one of several nullable references.
        for keys in (required, possible) if len(possible) > len(required) else (required,):
            failed: list[tuple[Demand, int]] = []
            for demand in DEMANDS:
                if hopeless(demand, failed):
                    continue
                trial = _Trial(self, table, columns, keys, demand)
                if trial.succeeds():
                    return trial.recipe(relation)
                failed.append((demand, trial.most))
                said = trial.refusal
            reason = reason or said
        return reason

    def _has_rows(self, table: int) -> bool:
        """Return whether all rows of a table, at least one, come from the schema's statements."""
        relation = self.facts.relations[table]
        name = f"{quoted(relation.schema)}.{quoted(relation.name)}"
        return not self.made.get(table) and bool(
            self.connection.rows(f"select 1 from {name} limit 1")  # noqa: S608 - quoted names
        )

    def _existing(self, column: Attribute) -> Iterator[str]:
        """Yield, for each foreign key of a column, a subquery for the first referenced value.

        A foreign key counts only if the schema's own statements inserted the referenced rows.
        """
        for key in self._keys(column.relation):
            if column.number in key.columns and self._has_rows(key.foreign_relation):
                there = self.facts.relations[key.foreign_relation]
                names = [
                    quoted(self.facts.attributes[key.foreign_relation, number].name)
                    for number in key.foreign_columns
                ]
                name = names[key.columns.index(column.number)]
                table = f"{quoted(there.schema)}.{quoted(there.name)}"
                yield f"(select {name} from {table} order by {', '.join(names)} limit 1)"  # noqa: S608 - quoted names

    def _keys(self, table: int) -> list[ConstraintRow]:
        found = [c for c in self.facts.constraints.get(table, ()) if c.kind == "f"]
        return sorted(found, key=lambda key: key.name)

    def _is_required(self, key: ConstraintRow) -> bool:
        """Return whether a foreign key must refer to a row, because its columns cannot be NULL."""
        columns = [self.facts.attributes[key.relation, number] for number in key.columns]
        return all(column.not_null for column in columns)

    def _named(self, table: int) -> str:
        relation = self.facts.relations[table]
        return (
            relation.name if relation.schema == "public" else f"{relation.schema}.{relation.name}"
        )

    def values_of(self, column: Attribute, likely: Sequence[str]) -> list[str]:
        """Return the expressions to try as a column's value; '' stands for NULL."""
        declared = self.declared[column.relation, column.number]
        kind = self._types.get(column.type, column.typmod, column.dims)
        if not column.not_null and any(
            column.number in k.columns for k in self._keys(column.relation)
        ):
            return [declared.default]  # a random value refers to no row
        found = list(self._existing(column)) if column.not_null else []
        found += [declared.default] if declared.default else []
        relation = self.facts.relations[column.relation]
        if declared.identity:
            table = literal(f"{quoted(relation.schema)}.{quoted(relation.name)}")
            found.append(f"nextval(pg_get_serial_sequence({table}, {literal(column.name)}))")
        elif not column.not_null and not declared.default:
            found.append("")
        found += candidates(kind, declared.type, (relation.name, column.name), likely)
        return self._valid(list(dict.fromkeys(found))) or [""]

    def _valid(self, expressions: Sequence[str]) -> list[str]:
        """Return the expressions that the server can evaluate for row number 1 (`{n}` is 1)."""
        texts = [f"select {text.replace('{n}', '1::bigint') or 'null'}" for text in expressions]
        answers = undone(self.connection, [(text, ()) for text in texts])
        pairs = zip(expressions, answers, strict=True)
        return [text for text, found in pairs if answered(found)]


class _Trial:
    """The attempts to insert rows into one table."""

    def __init__(
        self,
        search: _Search,
        table: int,
        columns: Sequence[Attribute],
        keys: Sequence[ConstraintRow],
        demand: Demand,
    ) -> None:
        bound = {number for key in keys for number in key.columns}
        self._search, self._table, self._columns = search, table, columns
        self._keys, self._demand = keys, demand
        likely = constraint_constants(search.facts, table)
        self._free = {column.number: column for column in columns if column.number not in bound}
        self._values = {
            number: search.values_of(column, likely.get(number, ()))
            for number, column in self._free.items()
        }
        self._chosen = dict.fromkeys(self._free, 0)
        self._random = Random(0)  # noqa: S311 - test data
        self.refusal = "no attempt was made"
        self.most = 0  # rows that an attempt inserted

    def succeeds(self) -> bool:
        """Choose values until the server accepts all rows; the rows then stay in the tables."""
        tried: dict[tuple[int, ...], list[int] | None] = {}
        for _ in range(_ATTEMPTS):
            chosen = tuple(self._chosen.values())
            if chosen not in tried:
                tried[chosen] = self._insert()
            refused = tried[chosen]
            if refused is None:
                self._simplify()
                return self._insert(keep=True) is None
            if not self._choose_others(refused):
                return False
        return False

    def _simplify(self) -> None:
        """Replace each value by an earlier candidate if the server still accepts the rows."""
        left = _SIMPLER
        for number, chosen in list(self._chosen.items()):
            for earlier in range(chosen):
                if left == 0:
                    return
                left -= 1
                self._chosen[number] = earlier
                if self._insert() is None:
                    break
                self._chosen[number] = chosen

    def recipe(self, relation: Relation) -> TableRecipe:
        """Return the recipe of the table, with the chosen values and the referenced tables."""
        facts = self._search.facts
        names = {column.number: column.name for column in facts.columns[self._table]}
        references = tuple(
            Reference(
                columns=tuple(names[number] for number in key.columns),
                table=(
                    facts.relations[key.foreign_relation].schema,
                    facts.relations[key.foreign_relation].name,
                ),
                foreign=tuple(
                    facts.attributes[key.foreign_relation, number].name
                    for number in key.foreign_columns
                ),
            )
            for key in self._keys
        )
        columns = tuple(
            ColumnRecipe(column.name, self._value(column.number)) for column in self._columns
        )
        return TableRecipe(
            (relation.schema, relation.name), columns, references, tuple(names.values())
        )

    def _value(self, number: int) -> str:
        return self._values[number][self._chosen[number]] if number in self._free else ""

    def _insert(self, *, keep: bool = False) -> list[int] | None:
        """Insert the rows; return None, or the columns of the constraint that refused a row."""
        connection = self._search.connection
        connection.run("savepoint recipe")
        rows: list[Row] = []
        for place, number in enumerate(self._demand.numbers):
            result = connection.execute(*self._statement(place, number))
            if not answered(result) or not result.ntuples:
                refused = self._constrained(result, place)
                connection.run("rollback to recipe; release recipe")
                return refused
            self.most = max(self.most, place + 1)
            rows.append(
                {
                    (result.fname(at) or b"").decode(): _text(result.get_value(0, at))
                    for at in range(result.nfields)
                }
            )
        if keep:
            self._search.made[self._table] = rows
        elif self._demand.last > len(rows) and not self._counts_little():
            result = connection.execute(*self._series(len(rows) + 1, self._demand.last))
            columns = [] if answered(result) else self._constrained(result, len(rows))
            # These rows share one referenced row, unlike the rows of a test.
            if not answered(result) and self._free.keys() >= set(columns):
                connection.run("rollback to recipe; release recipe")
                return columns
        connection.run("release recipe" if keep else "rollback to recipe; release recipe")
        return None

    def _counts_little(self) -> bool:
        """Return whether a sequence of small numbers, which no rollback restores, counts rows."""
        declared = self._search.declared
        return any(
            declared[self._table, column.number].type == "smallint"
            and (
                declared[self._table, column.number].identity
                or "nextval(" in declared[self._table, column.number].default
            )
            for column in self._search.facts.columns[self._table]
        )

    def _series(self, first: int, last: int) -> tuple[str, list[str | None]]:
        """Return a statement that inserts all rows from the number `first` to `last`."""
        into, shown, values = self._parts(0, f"{_COUNTER}.{_COUNTER}")
        series = f"generate_series({first}::bigint, {last}) {_COUNTER}"
        names = ", ".join(quoted(column.name) for column in self._columns)
        columns = f"({names})" if names else ""
        chosen = f"select {', '.join(shown)} from {series}"  # noqa: S608 - quoted names
        return f"insert into {into} {columns} {chosen}", values

    def _statement(self, place: int, number: int) -> tuple[str, list[str | None]]:
        into, shown, values = self._parts(place, f"{number}::bigint")
        names = ", ".join(quoted(column.name) for column in self._columns)
        filled = f"({names}) values ({', '.join(shown)})" if shown else "default values"
        return f"insert into {into} {filled} returning *", values

    def _parts(self, place: int, number: str) -> tuple[str, list[str], list[str | None]]:
        """Return the table, an expression for each column, and the values of the parameters."""
        relation = self._search.facts.relations[self._table]
        given = dict(self._referenced(place))
        shown, values = list[str](), list[str | None]()
        for column in self._columns:
            if column.number in given:
                values.append(given[column.number])
                kind = self._search.declared[self._table, column.number].type
                shown.append(f"${len(values)}::{kind}")
            else:
                expression = self._value(column.number) or "null"
                shown.append(expression.replace("{n}", number))
        return f"{quoted(relation.schema)}.{quoted(relation.name)}", shown, values

    def _referenced(self, place: int) -> Iterator[tuple[int, str | None]]:
        """Yield the columns of foreign keys in the row at `place`, with the referenced values."""
        facts = self._search.facts
        for key in self._keys:
            parents = self._search.made[key.foreign_relation]
            parent = parents[place % len(parents)]
            for number, foreign in zip(key.columns, key.foreign_columns, strict=True):
                yield number, parent[facts.attributes[key.foreign_relation, foreign].name]

    def _constrained(self, result: pq.abc.PGresult, accepted: int) -> list[int]:
        """Return the columns of the constraint that refused a row, if the server names one.

        `accepted` is the number of rows before it.
        """
        message = "a trigger skips each row"
        message = message if answered(result) else server_error(result).message
        # The best attempt gives the reason.
        self.refusal = message if accepted >= self.most else self.refusal
        if answered(result):
            return []
        name = (result.error_field(pq.DiagnosticField.CONSTRAINT_NAME) or b"").decode()
        named = (result.error_field(pq.DiagnosticField.COLUMN_NAME) or b"").decode()
        facts = self._search.facts
        for constraint in facts.constraints.get(self._table, ()):
            if constraint.name == name:
                return constraint.columns
        for index in facts.indexes.get(self._table, ()):
            if index.name == name:
                return index.columns
        return [number for number, column in self._free.items() if column.name == named]

    def _choose_others(self, refused: Sequence[int]) -> bool:
        """Choose other values for one or two refused columns; return False if there are none.

        If the refused columns have no other values, choose for any other columns.
        """
        open_ = [n for n in refused if len(self._values.get(n, ())) > 1]
        if refused and not open_:
            return False  # no other column is part of the constraint
        open_ = open_ or [n for n, values in self._values.items() if len(values) > 1]
        if not open_:
            return False
        for number in self._random.sample(open_, self._random.randint(1, min(2, len(open_)))):
            count = len(self._values[number])
            following = (self._chosen[number] + 1) % count
            self._chosen[number] = following if len(open_) == 1 else self._random.randrange(count)
        return True


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode()
