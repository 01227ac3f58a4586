"""The data from a database's catalog, indexed for fast lookup."""

from __future__ import annotations

import functools
import importlib.resources
import itertools
import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import TypeVar

from msgspec import Struct, field

from aiosqlc.analysis.verdict import Verdict
from aiosqlc.ir import ColumnRef, Constraint
from aiosqlc.postgres.catalog import rows
from aiosqlc.postgres.catalog.lookup import Moving
from aiosqlc.postgres.catalog.totality import total_functions
from aiosqlc.postgres.tree import Node, Reader
from aiosqlc.relational.tree import Class, KeyPart, UniqueKey
from aiosqlc.servers.postgres.connection import Connection

# Settings with which the server reads back its own output exactly.
_CALCULATING = """
set search_path = pg_catalog; set statement_timeout = '1s'; set datestyle = 'ISO';
set intervalstyle = 'postgres'; set extra_float_digits = 1
"""
_SEARCH_PATH = "select unnest(current_schemas(false))"
# The server's text of such a CHECK. Constraints not enforced or not inherited have more words.
_CHECKED = re.compile(r'CHECK \(\("?(\w+)"? IS NOT NULL\)\)')
FIRST_USER_OID = rows.FIRST_USER_OID
_LONGEST = 10_000  # largest value, in bytes, that is computed
_HasRelation = TypeVar(
    "_HasRelation", rows.ConstraintRow, rows.Index, rows.Trigger, rows.PartitionBound
)
# pg_trigger.tgtype
_ROW, _BEFORE, _INSERT, _DELETE, _UPDATE, _INSTEAD = 1, 2, 4, 8, 16, 64


class Equality(Struct, frozen=True):
    """An equality operator: for each operand, the pairs of operator family and compared type."""

    left: frozenset[Class]
    right: frozenset[Class]


class Facts(Struct):
    """The catalog data from which the compiler infers. It is read once for each schema."""

    major: int
    reader: Reader
    types: dict[int, rows.TypeRow] = field(default_factory=dict)
    labels: dict[int, tuple[str, ...]] = field(default_factory=dict)
    relations: dict[int, rows.Relation] = field(default_factory=dict)
    attributes: dict[tuple[int, int], rows.Attribute] = field(default_factory=dict)
    columns: dict[int, list[rows.Attribute]] = field(default_factory=dict)
    constraints: dict[int, list[rows.ConstraintRow]] = field(default_factory=dict)
    referring: dict[int, list[rows.ConstraintRow]] = field(default_factory=dict)
    domain_checks: dict[int, str] = field(default_factory=dict)
    partition_bounds: dict[int, list[rows.PartitionBound]] = field(default_factory=dict)
    functions: dict[int, rows.Function] = field(default_factory=dict)
    equalities: dict[int, Equality] = field(default_factory=dict)
    untrusted_families: frozenset[int] = frozenset()
    children: dict[int, list[int]] = field(default_factory=dict)
    triggers: dict[int, list[rows.Trigger]] = field(default_factory=dict)
    indexes: dict[int, list[rows.Index]] = field(default_factory=dict)
    operators: dict[int, rows.Operator] = field(default_factory=dict)
    trees: dict[int, list[str]] = field(default_factory=dict)
    set_off: dict[int, list[int]] = field(default_factory=dict)
    nondeterministic: frozenset[int] = frozenset()
    cast_to_json: frozenset[int] = frozenset()
    total: frozenset[int] = frozenset()
    search_path: tuple[str, ...] = ()
    moving: Moving = field(default_factory=Moving)
    declared_not_null: frozenset[str] = frozenset()
    reserved: frozenset[str] = frozenset()
    dropped: frozenset[tuple[str, str]] = frozenset()
    single_rows: dict[tuple[int, frozenset[tuple[str, str]]], bool] = field(default_factory=dict)
    connect: Callable[[], Connection] | None = None
    described_constraints: dict[int, tuple[Constraint, ...]] = field(default_factory=dict)
    column_verdicts: dict[tuple[int, int, bool], Verdict] = field(default_factory=dict)
    _not_null: dict[tuple[int, int, bool], bool] = field(default_factory=dict)
    _keys: dict[int, tuple[UniqueKey, ...]] = field(default_factory=dict)
    _refs: dict[tuple[int, int], ColumnRef | None] = field(default_factory=dict)
    _calculated: dict[str, frozenset[str | None] | None] = field(default_factory=dict)

    def holds(self, rule: str, premise: str, value: object) -> bool:
        """Return whether a precondition of an inference rule is met.

        A precondition in `dropped` always counts as met. Only tests use this, to weaken a rule and
        check that the precondition is necessary.
        """
        return bool(value) or (rule, premise) in self.dropped

    def calculated(self, calls: Iterable[str]) -> frozenset[str | None] | None:
        """Evaluate constant SQL expressions on the server, and return their distinct results.

        Return None if the server refuses an expression, or if a result is long, as for `repeat('x',
        300000000)`.
        """
        values = " union all ".join(f"select {call} as v" for call in calls)
        size = "coalesce(pg_column_size(v), 0)"
        sql = f"select v, 1 / ({size} < {_LONGEST})::int from ({values} offset 0) t"  # noqa: S608 - generated text
        if sql not in self._calculated and self.connect is not None:
            # The original connection may be in use, or may belong to another process.
            with self.connect() as connection:
                connection.run(_CALCULATING)
                try:
                    self._calculated[sql] = frozenset(row[0] for row in connection.rows(sql))
                except RuntimeError:
                    self._calculated[sql] = None
        return self._calculated.get(sql)

    def column_ref(self, relation: int, attribute: int) -> ColumnRef | None:
        """Return the full name of a column (cached), or None if there is no such column."""
        key = relation, attribute
        try:
            return self._refs[key]
        except KeyError:
            entry, column = self.relations.get(relation), self.attributes.get(key)
            found = ColumnRef(entry.schema, entry.name, column.name) if entry and column else None
            return self._refs.setdefault(key, found)

    def descendants(self, relation: int) -> Iterable[int]:
        """Yield the tables that inherit from the relation, directly or indirectly."""
        for child in self.children.get(relation, ()):
            yield child
            yield from self.descendants(child)

    def not_null(self, relation: int, attribute: int, *, with_children: bool = True) -> bool:
        """Return whether a column is NOT NULL in every row that a scan of the table reads.

        With `with_children`, the scan includes child tables.

        The flag in the catalog alone is not enough. A NOT VALID constraint sets the flag, a foreign
        table does not enforce NOT NULL, and a child table may lack the constraint of its parent.
        """
        entry = self.relations.get(relation)
        # A row inserted into a partitioned table is in a partition, although the tree contains
        # ONLY.
        with_children |= entry is not None and entry.kind == "p"
        key = (relation, attribute, with_children)
        known = self._not_null.get(key)
        if known is None:
            known = self._not_null[key] = self._prove_not_null(*key)
        return known

    def _prove_not_null(self, relation: int, attribute: int, with_children: bool) -> bool:
        column = self.attributes.get((relation, attribute))
        if column is None or not self._declared(column) or self._unenforced(relation, attribute):
            return False
        for child in self.descendants(relation) if with_children else ():
            same = next((c for c in self.columns.get(child, ()) if c.name == column.name), None)
            kept = (
                same is not None
                and self._declared(same)
                and not self._unenforced(child, same.number)
            )
            if not self.holds(
                "column-constraint", "every child table has the constraint too", kept
            ):
                return False
        return True

    def _declared(self, column: rows.Attribute) -> bool:
        """Return whether a column is NOT NULL by its declaration or by a CHECK of its table."""
        return column.not_null or any(
            c.kind == "c"
            and c.validated
            and (said := _CHECKED.fullmatch(c.definition)) is not None
            and said[1] == column.name
            for c in self.constraints.get(column.relation, ())
        )

    def _unenforced(self, relation: int, attribute: int) -> bool:
        entry = self.relations.get(relation)
        if entry is not None and entry.kind not in "rp":
            return True
        validated = all(
            c.validated
            for c in self.constraints.get(relation, ())
            if c.kind == "n" and c.columns == [attribute]
        )
        return not self.holds("column-constraint", "the constraint is validated", validated)

    def unique_keys(self, relation: int, *, with_children: bool) -> tuple[UniqueKey, ...]:
        """Return the keys that are unique among all rows that a scan of a table returns.

        An index of an inheritance parent does not cover the rows of child tables, but an index of a
        partitioned table covers the rows of partitions.
        """
        entry = self.relations.get(relation)
        inherited = with_children and self.children.get(relation)
        alone = not inherited or (entry is not None and entry.kind == "p")
        if not self.holds("unique-key", "the table has no child tables except partitions", alone):
            return ()
        if relation not in self._keys:
            self._keys[relation] = tuple(self._key(i) for i in self.indexes.get(relation, ()))
        return self._keys[relation]

    def _key(self, index: rows.Index) -> UniqueKey:
        expressions = iter(self.reader.read_text(index.expressions))
        parts = zip(index.columns, index.families, index.inputs, index.collations, strict=False)
        return UniqueKey(
            name=index.name,
            parts=tuple(
                KeyPart(
                    column=column,
                    expr=None if column else next(expressions, None),
                    cls=None if family in self.untrusted_families else (family, kind),
                    collation=collation,
                )
                for column, family, kind, collation in itertools.islice(parts, index.keys)
            ),
            predicate=tuple(_conjuncts(self.reader.read_text(index.predicate))),
        )

    def may_skip_insert(self, relation: int) -> bool:
        """Return whether a trigger (or a foreign server) may silently skip an inserted row."""
        return self._intercepted(relation, _INSERT)

    def may_skip_update(self, relation: int) -> bool:
        """Return whether a trigger (or a foreign server) may silently skip an update of a row."""
        return self._intercepted(relation, _UPDATE)

    def rewrites(self, relation: int, attribute: int) -> bool:
        """Return whether a column may be stored with a different value from that in the statement.

        A trigger may change the value, and a generated column is computed from other columns. A
        plain UPDATE may move a row to another partition, where triggers for INSERT run.
        """
        column = self.attributes.get((relation, attribute))
        if column is None or self.may_skip_insert(relation) or self.may_skip_update(relation):
            return True
        below = (c for child in self.descendants(relation) for c in self.columns.get(child, ()))
        return column.generated or any(c.generated and c.name == column.name for c in below)

    def _intercepted(self, relation: int, event: int) -> bool:
        for oid in (relation, *self.descendants(relation)):
            entry = self.relations.get(oid)
            if entry is None or entry.kind not in "rp":
                return True
            for trigger in self.triggers.get(oid, ()):
                before = trigger.type & (_BEFORE | _INSTEAD)
                if trigger.type & event and trigger.type & _ROW and before:
                    return True
        return False

    def volatile(self, function: int) -> bool:
        """Return whether equal calls of a function in one statement may return different values."""
        entry = self.functions.get(function)
        return entry is None or entry.volatility == "v"

    def is_total(self, function: int) -> bool:
        """Return whether a strict function never returns NULL for arguments that are not NULL."""
        return function in self.total

    def built_in(self, function: int) -> str:
        """Return the name of a built-in function, or '' for a user-defined one."""
        entry = self.functions.get(function)
        return entry.name if entry is not None and entry.schema == "pg_catalog" else ""

    def deterministic(self, collation: int) -> bool:
        """Return whether a collation treats only strings with equal bytes as equal."""
        return collation not in self.nondeterministic

    def base_type(self, oid: int) -> int:
        """Return the base type of a domain, even of nested domains, or any other type unchanged."""
        entry = self.types.get(oid)
        while entry is not None and entry.kind == "d":
            oid = entry.base
            entry = self.types.get(oid)
        return oid

    def is_array(self, oid: int) -> bool:
        """Return whether a type is an array, or a domain over one."""
        entry = self.types.get(self.base_type(oid))
        return entry is not None and bool(entry.element)

    def is_plain(self, oid: int) -> bool:
        """Return whether a type is a base type: no array, composite, domain, enum or range."""
        entry = self.types.get(oid)
        return entry is not None and entry.kind == "b" and not entry.element

    def is_built_in_type(self, oid: int) -> bool:
        """Return whether a type is built in."""
        entry = self.types.get(oid)
        return entry is not None and entry.schema == "pg_catalog"

    def type_name(self, oid: int) -> str:
        """Return the name of a type without its schema, or '' if there is no such type."""
        entry = self.types.get(oid)
        return entry.name if entry else ""

    def relation_name(self, oid: int) -> str:
        """Return the name of a relation without its schema."""
        entry = self.relations.get(oid)
        return entry.name if entry else f"relation {oid}"


def _conjuncts(nodes: list[Node]) -> Iterable[Node]:
    """Yield the conditions that AND combines in a predicate, which is a list of conditions."""
    for node in nodes:
        if node.kind == "BOOLEXPR" and node["boolop"] == "and":
            yield from _conjuncts(node["args"])
        else:
            yield node


@functools.cache
def _queries() -> dict[str, str]:
    """Return the queries of `queries.sql` by name: the text below each `-- name:` line."""
    text = importlib.resources.files(__package__).joinpath("queries.sql").read_text("utf-8")
    parts = text.split("-- name: ")[1:]
    return {name: sql.strip() for name, _, sql in (part.partition("\n") for part in parts)}


def load_facts(connection: Connection, declared_not_null: Iterable[str] = ()) -> Facts:
    """Read the catalog of the connected database."""
    sql = _queries()
    facts = Facts(connection.major, Reader(), connect=connection.another)
    facts.search_path = tuple(str(name) for (name,) in connection.rows(_SEARCH_PATH))
    facts.types = {t.oid: t for t in connection.decode(sql["types"], rows.TypeRow)}
    facts.labels = {
        e.type: tuple(e.labels) for e in connection.decode(sql["enum_labels"], rows.EnumRow)
    }
    facts.relations = {r.oid: r for r in connection.decode(sql["relations"], rows.Relation)}
    columns: dict[int, list[rows.Attribute]] = defaultdict(list)
    for attribute in connection.decode(sql["attributes"], rows.Attribute):
        facts.attributes[attribute.relation, attribute.number] = attribute
        columns[attribute.relation].append(attribute)
    facts.columns = dict(columns)
    facts.constraints = _grouped(connection.decode(sql["constraints"], rows.ConstraintRow))
    referring: dict[int, list[rows.ConstraintRow]] = defaultdict(list)
    for constraint in (c for entries in facts.constraints.values() for c in entries):
        if constraint.kind == "f":
            referring[constraint.foreign_relation].append(constraint)
    facts.referring = dict(referring)
    for check in connection.decode(sql["domain_checks"], rows.DomainCheck):
        before = facts.domain_checks.get(check.type, "")
        facts.domain_checks[check.type] = f"{before} {check.definition}"
    facts.partition_bounds = _grouped(
        connection.decode(sql["partition_bounds"], rows.PartitionBound)
    )
    facts.indexes = _grouped(connection.decode(sql["indexes"], rows.Index))
    facts.triggers = _grouped(connection.decode(sql["triggers"], rows.Trigger))
    children: dict[int, list[int]] = defaultdict(list)
    for link in connection.decode(sql["inheritance"], rows.Inheritance):
        children[link.parent].append(link.child)
    facts.children = dict(children)
    facts.functions = {f.oid: f for f in connection.decode(sql["functions"], rows.Function)}
    facts.operators = {o.oid: o for o in connection.decode(sql["operators"], rows.Operator)}
    trees: dict[int, list[str]] = defaultdict(list)
    for owned in connection.decode(sql["trees"], rows.OwnedTree):
        trees[owned.owner].append(owned.tree)
    facts.trees = dict(trees)
    set_off: dict[int, list[int]] = defaultdict(list)
    for call in connection.decode(sql["set_off"], rows.SetOff):
        set_off[call.owner].append(call.function)
    facts.set_off = dict(set_off)
    facts.untrusted_families = frozenset(
        r.oid for r in connection.decode(sql["untrusted_families"], rows.Oid)
    )
    facts.equalities = _equalities(
        connection.decode(sql["equalities"], rows.Equality), facts.untrusted_families
    )
    facts.nondeterministic = frozenset(
        r.oid for r in connection.decode(sql["nondeterministic"], rows.Oid)
    )
    facts.cast_to_json = frozenset(r.oid for r in connection.decode(sql["json_casts"], rows.Oid))
    facts.reserved = frozenset(
        word.name for word in connection.decode(sql["reserved_words"], rows.Word)
    )
    facts.total = frozenset(
        oid
        for oid, name in total_functions(connection.major).items()
        if facts.built_in(oid) == name
    )
    facts.declared_not_null = frozenset(declared_not_null)
    return facts


def _equalities(entries: Iterable[rows.Equality], untrusted: frozenset[int]) -> dict[int, Equality]:
    """Return the equality operators by OID.

    An operator family with a function in SQL or PL/pgSQL is not trusted. The function may return
    NULL, or treat values as equal that the index distinguishes.
    """
    found = {}
    for entry in entries:
        families = [family for family in entry.families if family not in untrusted]
        if families:
            found[entry.operator] = Equality(
                frozenset((family, entry.left) for family in families),
                frozenset((family, entry.right) for family in families),
            )
    return found


def _grouped(entries: list[_HasRelation]) -> dict[int, list[_HasRelation]]:
    grouped: dict[int, list[_HasRelation]] = defaultdict(list)
    for entry in entries:
        grouped[entry.relation].append(entry)
    return dict(grouped)
