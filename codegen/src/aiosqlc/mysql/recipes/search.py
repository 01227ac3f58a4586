"""Find values for the columns of each table: insert rows until the server accepts them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

import pymysql

from aiosqlc.analysis.recipes import (
    DEMANDS,
    ColumnRecipe,
    Demand,
    Name,
    Recipes,
    Reference,
    Syntax,
    TableRecipe,
    hopeless,
)
from aiosqlc.ir import AnalyzeOptions, SchemaFile, TableColumn
from aiosqlc.mysql.catalog import checks_of
from aiosqlc.mysql.errors import code_of, message_of
from aiosqlc.mysql.opened import applied
from aiosqlc.mysql.recipes.candidates import candidates, literal
from aiosqlc.mysql.relations import DEFAULT, Relation, Schema
from aiosqlc.mysql.relations import Reference as ForeignKey
from aiosqlc.servers.mysql.session import Session, open_session

_ATTEMPTS = 400  # per table
_SIMPLER = 60  # attempts to replace a value by an earlier one, once a row is accepted
_SYNTAX = Syntax("`", "CAST({} AS SIGNED)", "() VALUES ()", returning=False, schemas=False)
_DEFAULTS = """
SELECT table_name, column_name, column_default, extra LIKE '%DEFAULT_GENERATED%'
FROM information_schema.columns WHERE table_schema = DATABASE() AND column_default IS NOT NULL
"""
_FILLED = "the schema already inserts rows, and the server rejected another row"
_CONSTANT = re.compile(r"'(?:[^']|'')*'|-?\d+(?:\.\d+)?")
_BITS = re.compile(r"b'([01]+)'")
_LITERAL = re.compile(r"'((?:[^']|'')*)'|(?<![\w.])(-?\d+(?:\.\d+)?)\b")
_COLUMN = re.compile(r"[Cc]olumn (?:'|(?:`\w+`\.)*`)(?:\w+\.)*(\w+)")
_QUOTED = re.compile(r"[`']([^`']+)[`']")
_DUPLICATE, _CHECK, _MYSQL_CHECK, _NO_PARENT = 1062, 4025, 3819, 1452

Row = Mapping[str, Any]
"""The values of an inserted row, by the lower-case name of the column."""


def recipes_of(schema: Sequence[SchemaFile], options: AnalyzeOptions) -> Recipes:
    """Return a recipe for each table, or none if the schema is not valid.

    The rows are rolled back. Raises `NoServerError` if no server is available.
    """
    session = open_session(options.database_uri, options.cache_dir, options.server)
    with applied(session, schema, options) as found:
        if found is None:
            return Recipes((), (), _SYNTAX)
        session.run("BEGIN")
        try:
            return _Search(session, found.schema).all_tables()
        finally:
            session.run("ROLLBACK")


@dataclass
class _Search:
    """The search for recipes for the tables of one database, in one transaction."""

    session: Session
    schema: Schema
    made: dict[Name, list[Row]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        ((self.database,),) = self.session.rows("SELECT DATABASE()")
        own = [r for r in self.schema.relations if r.table.schema == DEFAULT and not r.is_view]
        self._relations = {_name(r): r for r in own}
        # MariaDB shows each default as an expression, and MySQL a constant without quotes.
        self.defaults = {
            (table, column.lower()): str(default)
            if generated or self.session.is_mariadb
            else literal(str(default))
            for table, column, default, generated in self.session.rows(_DEFAULTS)
            if str(default).upper() != "NULL"
        }
        self.likely = self._constants()

    def all_tables(self) -> Recipes:
        """Return the recipes, referenced tables first."""
        found: list[TableRecipe] = []
        refused: list[tuple[Name, str]] = []
        for relation in self._parents_first():
            recipe = self._table(relation)
            if isinstance(recipe, str):
                filled = self._has_rows(_name(relation))
                refused.append((_name(relation), f"{_FILLED}: {recipe}" if filled else recipe))
            else:
                found.append(recipe)
        return Recipes(tuple(found), tuple(refused), _SYNTAX)

    def _parents_first(self) -> list[Relation]:
        left = dict(self._relations)
        ordered: list[Relation] = []
        while left:
            ready = [
                name
                for name in left
                if not any(other in left and other != name for other, _ in self.keys(name))
            ]
            ordered += [left.pop(name) for name in ready or list(left)[:1]]
        return ordered

    def keys(self, table: Name) -> list[tuple[Name, ForeignKey]]:
        """Return the foreign keys of a table, each with the table that it refers to."""
        return sorted(
            (
                (name, key)
                for name, relation in self._relations.items()
                for key in relation.referring
                if (key.key.schema, key.key.table) == table
            ),
            key=lambda found: found[1].key.name,
        )

    def _table(self, relation: Relation) -> TableRecipe | str:
        """Return the recipe of a table, or the reason why none was found."""
        table = _name(relation)
        if not relation.transactional:
            return "its engine cannot undo an INSERT"
        key = _key_of(relation)
        keys = self.keys(table)
        required = [
            (other, k)
            for other, k in keys
            if all(_column(relation, c).not_null for c in k.key.columns)
        ]
        for other, _ in required:
            if not self.made.get(other) and not self._has_rows(other):
                lacks = "row" if _key_of(self._relations[other]) else "key that identifies a row"
                return f"the referenced table {other[1]} has no {lacks}"
        required = [(other, k) for other, k in required if self.made.get(other)]
        possible = [(other, k) for other, k in keys if self.made.get(other)]
        reason = said = ""
        # A CHECK may require one of several nullable references.
        for chosen in (required, possible) if len(possible) > len(required) else (required,):
            failed: list[tuple[Demand, int]] = []
            for demand in DEMANDS:
                if hopeless(demand, failed):
                    continue
                trial = _Trial(self, relation, key, chosen, demand)
                if trial.succeeds():
                    return trial.recipe()
                failed.append((demand, trial.most))
                said = trial.refusal
            reason = reason or said
        return reason

    def _has_rows(self, table: Name) -> bool:
        """Return whether the schema's own statements inserted rows into a table."""
        return not self.made.get(table) and bool(
            self.session.rows(f"SELECT 1 FROM {quoted(table[1])} LIMIT 1")  # noqa: S608 - quoted names
        )

    def _constants(self) -> Mapping[tuple[str, str], list[str]]:
        """Return, for each column, the constants in the CHECK conditions that name it."""
        texts = checks_of(self.session, (self.database,))
        found: dict[tuple[str, str], list[str]] = {}
        for (_, table), relation in self._relations.items():
            for constraint in relation.table.constraints:
                name = (self.database, table, constraint.name)
                text = texts.get(name) or texts.get((self.database, "", constraint.name), "")
                constants = [a.replace("''", "'") or b for a, b in _LITERAL.findall(text)]
                for column in constraint.columns if constraint.kind == "check" else ():
                    found.setdefault((table, column.lower()), []).extend(constants)
        return found

    def values_of(self, relation: Relation, column: TableColumn, key: Sequence[str]) -> list[str]:
        """Return the expressions to try as a column's value; '' stands for NULL."""
        name = column.name.lower()
        default = self.defaults.get((relation.table.name, name), "")
        if bits := _BITS.fullmatch(default):  # a parameter beside a literal of bits has no type
            default = str(int(bits[1], 2))
        if name in relation.counted:
            return [""]
        keys = self.keys(_name(relation))
        refers = any(name in map(str.lower, k.key.columns) for _, k in keys)
        if not column.not_null and refers:
            return [default]  # a random value refers to no row
        found = list(self._existing(relation, name)) if column.not_null and refers else []
        # A key is computed twice, so it must not change between the two.
        if default and (name not in key or _CONSTANT.fullmatch(default)):
            found.append(default)
        elif not column.not_null and not default and name not in key:
            found.append("")
        likely = self.likely.get((relation.table.name, name), ())
        found += candidates(column.type, (relation.table.name, column.name), likely)
        return self._valid(list(dict.fromkeys(found))) or [""]

    def _existing(self, relation: Relation, column: str) -> Iterator[str]:
        """Yield the expression that refers to the first row of a table that has rows."""
        for other, key in self.keys(_name(relation)):
            columns = [name.lower() for name in key.key.columns]
            if column in columns and self._has_rows(other):
                names = [quoted(name) for name in key.columns]
                name = names[columns.index(column)]
                yield f"(SELECT {name} FROM {quoted(other[1])} ORDER BY {', '.join(names)} LIMIT 1)"  # noqa: S608 - quoted names

    def _valid(self, expressions: Sequence[str]) -> list[str]:
        """Return the expressions that the server can evaluate with 1 as the number of the row."""
        found = []
        for text in expressions:
            try:
                self.session.rows(f"SELECT {_numbered(text, 1) or 'NULL'}")
            except pymysql.MySQLError:
                continue
            found.append(text)
        return found


class _Trial:
    """The attempts to insert rows into one table."""

    def __init__(
        self,
        search: _Search,
        relation: Relation,
        key: Sequence[str],
        keys: Sequence[tuple[Name, ForeignKey]],
        demand: Demand,
    ) -> None:
        bound = {name.lower() for _, k in keys for name in k.key.columns}
        self._search, self._relation, self._key = search, relation, key
        self._keys, self._demand = keys, demand
        self._columns = [
            c for c in relation.table.columns if c.name.lower() not in relation.generated
        ]
        self._values = {
            c.name.lower(): search.values_of(relation, c, key)
            for c in self._columns
            if c.name.lower() not in bound
        }
        self._chosen = dict.fromkeys(self._values, 0)
        self._random = Random(0)  # noqa: S311 - test data
        self.refusal = "no attempt was made"
        self.most = 0  # rows that an attempt inserted

    def succeeds(self) -> bool:
        """Choose values until the server accepts all rows, and keep the rows."""
        tried: dict[tuple[int, ...], Sequence[str] | None] = {}
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
        """Replace each chosen value by the first of its simpler candidates that the server accepts.

        The simpler candidates come earlier in the column's list of values.
        """
        left = _SIMPLER
        for name, chosen in list(self._chosen.items()):
            for earlier in range(chosen):
                if left == 0:
                    return
                left -= 1
                self._chosen[name] = earlier
                if self._insert() is None:
                    break
                self._chosen[name] = chosen

    def recipe(self) -> TableRecipe:
        """Return the columns with the chosen values, and the referenced rows."""
        relation = self._relation
        references = tuple(
            Reference(columns=_spelled(relation, k.key.columns), table=other, foreign=k.columns)
            for other, k in self._keys
        )
        columns = tuple(ColumnRecipe(c.name, self._value(c.name.lower())) for c in self._columns)
        shown = [c.name for c in relation.table.columns if c.name.lower() not in relation.invisible]
        counted = [c.name for c in relation.table.columns if c.name.lower() in relation.counted]
        return TableRecipe(
            _name(relation),
            columns,
            references,
            tuple(shown),
            key=_spelled(relation, self._key),
            counted=counted[0] if counted else "",
        )

    def _value(self, name: str) -> str:
        return self._values[name][self._chosen[name]] if name in self._values else ""

    def _insert(self, *, keep: bool = False) -> Sequence[str] | None:
        """Insert the rows; return None, or the columns of the violated constraint."""
        session = self._search.session
        session.run("SAVEPOINT recipe")
        rows: list[Row] = []
        try:
            for place, number in enumerate(self._demand.numbers):
                rows.append(self._one(place, number))
                self.most = max(self.most, place + 1)
            if not keep and self._demand.last > len(rows) and not self._counts_little():
                self._series(len(rows) + 1, self._demand.last)
        except pymysql.MySQLError as error:
            refused = self._constrained(error)
            # The rows of a series share one referenced row, unlike the rows of a test.
            if len(rows) == len(self._demand.numbers) and not self._values.keys() >= set(refused):
                session.run("ROLLBACK TO recipe")
                return None
            if len(rows) >= self.most:  # the best attempt gives the reason
                self.refusal = message_of(error, self._search.database)
            session.run("ROLLBACK TO recipe")
            return refused
        except LookupError:
            self.refusal = "the key of a new row is not the inserted key"
            session.run("ROLLBACK TO recipe")
            return self._key
        if keep and self._key:
            self._search.made[_name(self._relation)] = rows
        else:
            session.run("ROLLBACK TO recipe")
        return None

    def _counts_little(self) -> bool:
        """Return whether a counter of small numbers, which no rollback restores, counts rows."""
        return any(
            column.type.name in {"tinyint", "smallint"}
            and column.name.lower() in self._relation.counted
            for column in self._relation.table.columns
        )

    def _series(self, first: int, last: int) -> None:
        """Insert all rows from the number `first` to `last` with one statement."""
        given = dict(self._referenced(0))
        texts, values = [], []
        for column in self._columns:
            name = column.name.lower()
            texts.append("%s" if name in given else self._value(name).replace("%", "%%") or "NULL")
            values += [given[name]] if name in given else []
        counter = _SYNTAX.number.format("aiosqlc_row")
        shown = ", ".join(text.replace("{n}", counter) for text in texts)
        names = ", ".join(quoted(column.name) for column in self._columns)
        following = f"SELECT aiosqlc_row + 1 FROM aiosqlc_rows WHERE aiosqlc_row < {last}"  # noqa: S608 - a number
        rows = f"aiosqlc_rows (aiosqlc_row) AS (SELECT {first} UNION ALL {following})"
        table = quoted(self._relation.table.name)
        with self._search.session.connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO {table} ({names})"  # noqa: S608 - quoted names
                f" WITH RECURSIVE {rows} SELECT {shown} FROM aiosqlc_rows",
                values or (),
            )

    def _one(self, place: int, number: int) -> Row:
        """Insert a row and read it by its key, if the table has one.

        Raise `LookupError` if no row has the key.
        """
        given = dict(self._referenced(place))
        texts: dict[str, str] = {}
        for column in self._columns:
            name = column.name.lower()
            text = "%s" if name in given else _numbered(self._value(name), number) or "NULL"
            texts[name] = text if name in given else text.replace("%", "%%")
        table = quoted(self._relation.table.name)
        names = ", ".join(quoted(c.name) for c in self._columns)
        values = [given[name] for name in texts if name in given]
        with self._search.session.connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO {table} ({names}) VALUES ({', '.join(texts.values())})",  # noqa: S608 - quoted names
                values or (),
            )
            if not self._key:
                return {}
            last = cursor.lastrowid
            tests, read = [], []
            for name in self._key:
                if name in self._relation.counted:
                    tests.append(f"{quoted(name)} = {int(last or 0)}")
                else:
                    tests.append(f"{quoted(name)} = {texts[name]}")
                    read += [given[name]] if name in given else []
            cursor.execute(f"SELECT * FROM {table} WHERE {' AND '.join(tests)}", read or ())  # noqa: S608 - quoted names
            found = cursor.fetchone()
            heads = [str(head[0]).lower() for head in cursor.description or ()]
        if found is None:
            raise LookupError
        return dict(zip(heads, found, strict=True))

    def _referenced(self, place: int) -> Iterator[tuple[str, Any]]:
        """Yield the foreign-key columns of the row at `place`, with values of referenced rows."""
        for other, key in self._keys:
            parents = self._search.made[other]
            parent = parents[place % len(parents)]
            for name, foreign in zip(key.key.columns, key.columns, strict=True):
                yield name.lower(), parent[foreign.lower()]

    def _constrained(self, error: pymysql.MySQLError) -> Sequence[str]:
        """Return the columns of the constraint that refused a row, if the server names one."""
        text = message_of(error, self._search.database)
        if code_of(error) in {_DUPLICATE, _CHECK, _MYSQL_CHECK, _NO_PARENT}:
            names = [name.rpartition(".")[2].lower() for name in _QUOTED.findall(text)]
            for constraint in self._relation.table.constraints:
                if constraint.name.lower() in names:
                    return [column.lower() for column in constraint.columns]
        found = _COLUMN.search(text)
        return [found[1].lower()] if found else []

    def _choose_others(self, refused: Sequence[str]) -> bool:
        """Choose other values for the refused columns or, if these have none, for any columns."""
        open_ = [n for n in refused if len(self._values.get(n, ())) > 1]
        if refused and not open_:
            return False  # no other column is part of the constraint
        open_ = open_ or [n for n, values in self._values.items() if len(values) > 1]
        if not open_:
            return False
        for name in self._random.sample(open_, self._random.randint(1, min(2, len(open_)))):
            count = len(self._values[name])
            following = (self._chosen[name] + 1) % count
            self._chosen[name] = following if len(open_) == 1 else self._random.randrange(count)
        return True


def quoted(name: str) -> str:
    """Return an identifier in backticks."""
    return "`" + name.replace("`", "``") + "`"


def _name(relation: Relation) -> Name:
    return relation.table.schema, relation.table.name


def _numbered(text: str, number: int) -> str:
    return text.replace("{n}", _SYNTAX.number.format(number))


def _column(relation: Relation, name: str) -> TableColumn:
    return next(c for c in relation.table.columns if c.name.lower() == name.lower())


def _spelled(relation: Relation, names: Sequence[str]) -> tuple[str, ...]:
    """Return the names of columns as the table spells them."""
    return tuple(_column(relation, name).name for name in names)


def _key_of(relation: Relation) -> tuple[str, ...]:
    """Return the lower-case columns of a key by which a new row can be read, or nothing."""
    primary = [c.columns for c in relation.table.constraints if c.kind == "primary"]
    for key in (*primary, *relation.unique):
        columns = [_column(relation, name) for name in key]
        names = tuple(c.name.lower() for c in columns)
        if all(c.not_null for c in columns) and not relation.generated & set(names):
            return names
    return ()
