"""Derive the schema without a server: parse the schema files' statements, and apply them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec.structs import replace
from sqlglot import exp

from aiosqlc.diagnostics import Diagnostic, Label, Severity
from aiosqlc.ir import SchemaFile, Table, TableColumn
from aiosqlc.mysql import types
from aiosqlc.mysql.reader import Reader
from aiosqlc.mysql.relations import DEFAULT, Relation, Schema
from aiosqlc.mysql.syntax import parse
from aiosqlc.source import Span

Name = tuple[str, str]


def schema_from_files(files: Sequence[SchemaFile]) -> tuple[Schema, list[Diagnostic]]:
    """Apply the statements of schema files in order, without a server, and return the result.

    If sqlglot cannot parse a statement, the table that the statement changes becomes unknown.
    """
    replay = _Replay()
    lost = set[str]()
    problems = []
    for file in files:
        for span in file.statements:
            problem = replay.run(file.sql[span.start : span.end])
            if problem:
                lost.add(problem.lower())
                problems.append(_not_understood(file, span, problem))
    return Schema(tuple(replay.relations.values()), lost=frozenset(lost)), problems


def _not_understood(file: SchemaFile, span: Span, table: str) -> Diagnostic:
    return Diagnostic(
        "E203",
        f"without a server this change of `{table}` cannot be analysed",
        (Label(file.file, span, "after this statement the columns of the table are unknown"),),
        severity=Severity.WARNING,
    )


_MERGING = frozenset({"MERGE", "MRG_MYISAM"})
_TABLE = re.compile(
    r"(?i)\s*(?:alter|rename|create(?:\s+or\s+replace)?)\s+(?:table|view)\s+"
    r"(?:if\s+(?:not\s+)?exists\s+)?"
    r"(?:\w+\.)?(?P<name>[\w$]+)"
)


def changed_by(sql: str) -> str:
    """Return the table or view that a statement creates or changes, or an empty string."""
    found = _TABLE.match(sql.replace("`", ""))
    return found["name"] if found else ""


class _Replay:
    """The tables and views that exist after the statements that `run` has applied so far."""

    def __init__(self) -> None:
        self.relations: dict[Name, Relation] = {}

    def run(self, sql: str) -> str:
        """Apply one statement, and return the name of a table that became unknown, or ''."""
        tree = parse(sql)
        root = tree.root if tree else None
        if isinstance(root, exp.Create):
            return self._create(root, sql)
        if isinstance(root, exp.Drop):
            return self._drop(root)
        if isinstance(root, exp.Alter):
            return self._alter(root)
        return self._unknown(sql)

    def _unknown(self, sql: str) -> str:
        """Remove the table that an unparsable statement changes, and return its name."""
        name = changed_by(sql)
        self.relations = {k: r for k, r in self.relations.items() if k[1].lower() != name.lower()}
        return name

    def _create(self, root: exp.Create, sql: str) -> str:
        if root.kind == "TABLE":
            return self._create_table(root)
        if root.kind == "VIEW":
            return self._create_view(root, sql)
        if root.kind == "INDEX" and root.args.get("unique"):
            self._unique_index(root)
        return ""

    def _create_table(self, root: exp.Create) -> str:
        table = root.this.this if isinstance(root.this, exp.Schema) else root.this
        name = _name(table)
        if name in self.relations and root.args.get("exists"):
            return ""
        like = root.find(exp.LikeProperty)
        if like is not None:
            source = self.relations.get(_name(like.this))
            if source is not None:
                moved = replace(source.table, schema=name[0], name=name[1])
                self.relations[name] = replace(source, table=moved)
            return "" if source else name[1]
        if not isinstance(root.this, exp.Schema):
            return name[1]
        relation = Relation(Table(name[0], name[1], ()))
        for part in root.this.expressions:
            relation = _with_definition(relation, part)
        engine = root.find(exp.EngineProperty)
        # The table's parts may contain equal keys.
        if engine is not None and engine.name.upper() in _MERGING:
            relation = replace(relation, unique=())
        self.relations[name] = relation
        return ""

    def _create_view(self, root: exp.Create, sql: str) -> str:
        target = root.this.this if isinstance(root.this, exp.Schema) else root.this
        name = _name(target)
        tree = parse(sql)
        body = root.expression
        if tree is None or not isinstance(body, exp.Query):
            return name[1]
        outputs = Reader(Schema(tuple(self.relations.values())), tree).query(body, None, {}).outputs
        names = (
            [part.name for part in root.this.expressions]
            if isinstance(root.this, exp.Schema)
            else []
        )
        if outputs is None:
            self.relations.pop(name, None)
            return name[1]
        columns = tuple(
            TableColumn(
                names[i] if names else output.name, output.type or types.ANY, output.not_null
            )
            for i, output in enumerate(outputs)
        )
        self.relations[name] = Relation(
            Table(name[0], name[1], columns, kind="view"),
            unproved_reading="the query reads a view",
            shapes={
                column.name.lower(): output.shape
                for column, output in zip(columns, outputs, strict=True)
                if output.shape
            },
        )
        return ""

    def _unique_index(self, root: exp.Create) -> None:
        index = root.this
        table = index.args.get("table")
        params = index.args.get("params")
        name = _name(table) if table is not None else ("", "")
        if name not in self.relations or params is None:
            return
        key = _key(params.args.get("columns") or [])
        relation = self.relations[name]
        if key:
            self.relations[name] = replace(relation, unique=(*relation.unique, key))

    def _drop(self, root: exp.Drop) -> str:
        if root.args.get("kind") in {"TABLE", "VIEW"}:
            for table in _dropped(root):
                self.relations.pop(_name(table), None)
        elif root.args.get("kind") == "INDEX":
            # The dropped key is unknown, so none of the table's keys may be used.
            holder = root.args.get("cluster") or root.find(exp.Table)
            if isinstance(holder, exp.Table) and _name(holder) in self.relations:
                self.relations[_name(holder)] = replace(self.relations[_name(holder)], unique=())
        return ""

    def _alter(self, root: exp.Alter) -> str:
        name = _name(root.this)
        relation = self.relations.get(name)
        if relation is None:
            return ""
        for action in root.args.get("actions") or []:
            changed = _altered(relation, action)
            if changed is None:
                del self.relations[name]
                return name[1]
            relation = changed
        del self.relations[name]
        self.relations[relation.table.schema, relation.table.name] = relation
        return ""


def _name(table: exp.Expr) -> Name:
    return (table.args["db"].name if table.args.get("db") else DEFAULT), table.name


def _altered(relation: Relation, action: exp.Expr) -> Relation | None:
    """Apply one clause of ALTER TABLE, or return None if the clause is unsupported."""
    table = relation.table
    if isinstance(action, exp.ColumnDef):
        return _with_definition(_without(relation, action.name), action)
    if isinstance(action, exp.ModifyColumn):
        return _changed(relation, action)
    if isinstance(action, exp.AddConstraint):
        for part in action.expressions:
            relation = _with_definition(relation, part)
        return relation
    if isinstance(action, exp.Drop):
        if action.args.get("kind") == "COLUMN":
            for column in _dropped(action):
                relation = _without(relation, column.name)
            return relation
        return replace(relation, unique=())
    if isinstance(action, exp.RenameColumn):
        columns = tuple(
            replace(c, name=action.args["to"].name)
            if c.name.lower() == action.this.name.lower()
            else c
            for c in table.columns
        )
        return replace(relation, table=replace(table, columns=columns), unique=())
    if isinstance(action, exp.AlterRename):
        return replace(relation, table=replace(table, name=action.this.name))
    return None


def _dropped(node: exp.Drop) -> list[exp.Expr]:
    """Return the names that a DROP lists."""
    named = [node.this, *(node.args.get("tables") or []), *node.expressions]
    return [item for item in named if isinstance(item, exp.Table | exp.Column | exp.Identifier)]


def _changed(relation: Relation, action: exp.ModifyColumn) -> Relation | None:
    definition = action.this
    old = action.args.get("rename_from")
    name = old.name if old is not None else definition.name
    if not isinstance(definition, exp.ColumnDef):
        return None
    added = _with_definition(Relation(replace(relation.table, columns=())), definition)
    columns = tuple(
        added.table.columns[0] if c.name.lower() == name.lower() else c
        for c in relation.table.columns
    )
    return replace(
        relation,
        table=replace(relation.table, columns=columns),
        unique=relation.unique + added.unique,
        invisible=(relation.invisible - {name.lower()}) | added.invisible,
        padded=(relation.padded - {name.lower()}) | added.padded,
    )


def _without(relation: Relation, name: str) -> Relation:
    columns = tuple(c for c in relation.table.columns if c.name.lower() != name.lower())
    unique = tuple(key for key in relation.unique if name.lower() not in key)
    return replace(relation, table=replace(relation.table, columns=columns), unique=unique)


def _with_definition(relation: Relation, part: exp.Expr) -> Relation:
    """Add a column or a key to a table."""
    if isinstance(part, exp.ColumnDef):
        return _with_column(relation, part)
    if isinstance(part, exp.PrimaryKey):
        key = _key(part.expressions)
        columns = tuple(
            replace(c, not_null=True) if c.name.lower() in _names(part.expressions) else c
            for c in relation.table.columns
        )
        table = replace(relation.table, columns=columns)
        return replace(relation, table=table, unique=relation.unique + ((key,) if key else ()))
    unique = (
        part
        if isinstance(part, exp.UniqueColumnConstraint)
        else part.find(exp.UniqueColumnConstraint)
    )
    if unique is not None and not isinstance(part, exp.ColumnDef) and unique.this is not None:
        key = _key(unique.this.expressions)
        return replace(relation, unique=relation.unique + ((key,) if key else ()))
    if isinstance(part, exp.Constraint):
        for inner in part.expressions:
            relation = _with_definition(relation, inner)
    return relation


def _with_column(relation: Relation, part: exp.ColumnDef) -> Relation:
    kinds = [constraint.kind for constraint in part.constraints]
    primary = any(isinstance(kind, exp.PrimaryKeyColumnConstraint) for kind in kinds)
    written = part.args.get("kind")
    text = written.sql(dialect="mysql").lower() if written is not None else ""
    serial = text == "serial"
    kind = types.declared(text, enum_name=f"{relation.table.name}_{part.name}")
    not_null = (
        primary
        or serial
        or any(
            isinstance(kind, exp.NotNullColumnConstraint) and not kind.args.get("allow_null")
            for kind in kinds
        )
    )
    automatic = serial or any(isinstance(kind, exp.AutoIncrementColumnConstraint) for kind in kinds)
    default = automatic or any(isinstance(kind, exp.DefaultColumnConstraint) for kind in kinds)
    column = TableColumn(part.name, kind, not_null, has_default=default)
    unique = (
        primary or serial or any(isinstance(kind, exp.UniqueColumnConstraint) for kind in kinds)
    )
    hidden = any(isinstance(kind, exp.InvisibleColumnConstraint) for kind in kinds)
    padded = any(isinstance(kind, exp.ZeroFillColumnConstraint) for kind in kinds)
    return replace(
        relation,
        table=replace(relation.table, columns=(*relation.table.columns, column)),
        unique=relation.unique + (((part.name.lower(),),) if unique else ()),
        invisible=relation.invisible | ({part.name.lower()} if hidden else set()),
        padded=relation.padded | ({part.name.lower()} if padded else set()),
    )


def _names(parts: Sequence[exp.Expr]) -> set[str]:
    return {part.name.lower() for part in parts}


def _key(parts: Sequence[exp.Expr]) -> tuple[str, ...]:
    """Return the columns of a key, or () if the key has a prefix or an expression."""
    names = []
    for part in parts:
        inner = part.this if isinstance(part, exp.Ordered) else part
        if not isinstance(inner, exp.Identifier | exp.Column):
            return ()
        names.append(inner.name.lower())
    return tuple(names)
