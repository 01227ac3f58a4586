"""Create a typed query from a parsed query and the server's description."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence

from msgspec import Struct, field
from msgspec.structs import replace

from aiosqlc.analysis.batchget import is_batchget
from aiosqlc.analysis.json_shapes import weakest_shape
from aiosqlc.analysis.shapes import Shape
from aiosqlc.ir import (
    Cardinality,
    Column,
    ColumnRef,
    Embed,
    JsonShape,
    Lookup,
    Param,
    ParsedQuery,
    SqlType,
    Tenant,
    TypedParam,
    TypedQuery,
    TypeKind,
)
from aiosqlc.postgres.catalog.facts import Facts
from aiosqlc.postgres.catalog.types import Types
from aiosqlc.postgres.describe import ColumnHead, Described
from aiosqlc.postgres.infer import kinds
from aiosqlc.postgres.infer.access import Access, access_of
from aiosqlc.postgres.infer.advice import Advice, advice_of
from aiosqlc.postgres.infer.dimensions import dimensions
from aiosqlc.postgres.infer.documents import IS_JSON, Documents
from aiosqlc.postgres.infer.elements import array_elements
from aiosqlc.postgres.infer.embeds import as_if_present, places_of
from aiosqlc.postgres.infer.handed_on import handed_on
from aiosqlc.postgres.infer.levels import level_of, row_counter
from aiosqlc.postgres.infer.notified import sent_in
from aiosqlc.postgres.infer.outputs import column_type, output_targets
from aiosqlc.postgres.infer.params import Use, as_written, parameter_uses
from aiosqlc.postgres.infer.prover import Prover
from aiosqlc.postgres.infer.records import Field, fields_of, whole_row
from aiosqlc.postgres.infer.relations import columns_in
from aiosqlc.postgres.infer.required import Missing, missing_columns
from aiosqlc.postgres.infer.resolver import RESOLVER
from aiosqlc.postgres.infer.scope import Scope
from aiosqlc.postgres.infer.sources import origin_of, source_of, variable_name
from aiosqlc.postgres.infer.stars import Star, find_stars
from aiosqlc.postgres.infer.tenants import Tenants
from aiosqlc.postgres.infer.user_functions import call_of, procedure_verdicts
from aiosqlc.postgres.infer.verdict import Verdict, maybe
from aiosqlc.postgres.reading import ReadProofs
from aiosqlc.postgres.tree import Node
from aiosqlc.relational import tree
from aiosqlc.relational.batch import in_both, lookup_of
from aiosqlc.relational.embeds import (
    Found,
    Row,
    as_present,
    embedded_rows,
    fitting,
    operands_of,
    weakest,
)
from aiosqlc.relational.nest import merged, nested

_NOT_SEEN = maybe("a rule rewrites the statement, or the query is nested too deeply")
_NO_ARRAY = maybe("the value is not an array")
_SIMPLE = frozenset("ber")  # base types, enums and ranges
_CALLS = frozenset({"FUNCEXPR", "AGGREF", "WINDOWFUNC"})


class _Text(Struct, frozen=True):
    """The analysis of one SQL text: a query with optional parts has several texts."""

    columns: tuple[Column, ...]
    cardinality: Cardinality
    reasons: tuple[str, ...]
    stars: tuple[Star, ...] = ()
    embeds: Found = field(default_factory=dict)
    level: tree.Query | None = None
    advice: tuple[Advice, ...] = ()


class Inferred(Struct, frozen=True):
    """A typed query, and the results of the inference that must still be checked.

    `stars` are the `*` in the query's text and in each variant, which are not expanded yet.
    `missing` are the required columns that the query does not set. `unfit` are the refused
    `sqlc.embed(t)`, each with its reason. `failure` is the reason why nothing is inferred, or '' if
    the proofs succeeded.
    """

    query: TypedQuery
    stars: tuple[tuple[Star, ...], ...] = ()
    missing: Missing = field(default_factory=Missing)
    unfit: Sequence[tuple[Embed, str]] = ()
    failure: str = ""


class QueryTyper:
    """Infers the types of one schema's queries."""

    def __init__(self, facts: Facts, tenant: Tenant | None = None) -> None:
        self.facts = facts
        self.tenants = Tenants(facts, tenant) if tenant else None
        self.types = Types(facts)
        self.reading = ReadProofs(facts)
        self._columns_made: dict[tuple[Hashable, ...], Column] = {}
        self._scopes: list[Scope] = []  # those of the query that is typed now

    def type_query(
        self, query: ParsedQuery, described: Described, variants: Sequence[Described] = ()
    ) -> Inferred:
        """Infer the types, nullability and row count of a query and its variants.

        If a proof fails, the types come from the server, nothing else is inferred, and the result
        contains the reason.
        """
        try:
            return self._type_query(query, described, variants)
        except _NOT_UNDERSTOOD as error:
            failure = _why(error)
        finally:
            for scope in self._scopes:
                scope.release()
            self._scopes.clear()
        bare = [replace(answer, tree="") for answer in (described, *variants)]
        return replace(self._type_query(query, bare[0], bare[1:]), failure=failure)

    def with_columns_of_rows(self, inferred: Inferred, draft: Described) -> Inferred:
        """Find the compared table column for each column of a parameter that is a list of rows."""
        query = inferred.query
        try:
            scope = self._main_scope(self._nodes(draft), draft)
            uses = parameter_uses(scope) if scope is not None else {}
        except _NOT_UNDERSTOOD:
            return inferred
        params = []
        for param in query.params:
            met = next((use for use in uses.get(param.number, ()) if use.relation), None)
            origin = self.facts.column_ref(met.relation, met.attribute) if met else None
            params.append(replace(param, origin=origin) if param.row else param)
        return replace(inferred, query=replace(query, params=tuple(params)))

    def shape(self, described: Described) -> Shape:
        """Return the columns and parameters in the server's description, with type names."""
        columns = tuple((c.name, self._type_name(c.type_oid)) for c in described.columns or ())
        return Shape(columns, tuple(self._type_name(oid) for oid in described.param_oids))

    def _type_name(self, oid: int) -> str:
        kind = self.types.get(oid)
        schema = "" if kind.schema == "pg_catalog" else f"{kind.schema}."
        return f"{schema}{kind.name}{'[]' if kind.array_dims else ''}"

    def columns_of(self, described: Described) -> tuple[tuple[Column, ...], str]:
        """Return a statement's columns, or no columns and the reason why the inference fails."""
        try:
            scope = self._main_scope(self._nodes(described), described)
            prover = Prover(self.facts, RESOLVER)
            return self._columns(prover, scope, described), ""
        except _NOT_UNDERSTOOD as error:
            return (), _why(error)

    def _type_query(
        self, query: ParsedQuery, described: Described, variants: Sequence[Described]
    ) -> Inferred:
        nodes = self._nodes(described)
        scope = self._main_scope(nodes, described)
        utility = _single_row(nodes)
        params = self._params(query, described, scope or self._call_scope(nodes))
        optional = frozenset(p.number for p in params if not p.not_null)
        loose = frozenset(p.number for p in params if not p.element_not_null)
        main = self._text(query.sql, query.embeds, described, scope, optional, loose)
        texts = [main]
        trees = [nodes]
        leaks = self._leaks(params, nodes, scope, range(1, len(params) + 1))
        lookup = self._lookup(query, nodes, scope)
        sends = sent_in(self.facts, self.types, nodes, optional)
        for variant, answer in zip(query.variants, variants, strict=True):
            own, held = (
                {i for i, number in enumerate(variant.numbers, 1) if number in some}
                for some in (optional, loose)
            )
            trees.append(self._nodes(answer))
            inner = self._main_scope(trees[-1], answer)
            embeds = query.embeds_in(variant)
            texts.append(self._text(variant.sql, embeds, answer, inner, own, held))
            leaks += self._leaks(params, trees[-1], inner, variant.numbers)
            theirs = self._lookup(query, trees[-1], inner)
            lookup = in_both(lookup, theirs, variant.numbers)
            sends += sent_in(self.facts, self.types, trees[-1], own)
        access = access_of(self.facts, nodes) if nodes else Access((), (), None, False)
        unproved = (self.reading.why_not(tree) for tree in trees)
        rows, unfit = fitting(query, [text.embeds for text in texts])
        columns = _weakest_columns(
            [as_present(text.columns, [row[i] for row in rows]) for i, text in enumerate(texts)]
        )
        columns = tuple([_with_names(query, column) for column in columns])
        typed = TypedQuery(
            parsed=query,
            sql=query.sql,
            params=params,
            columns=columns,
            cardinality=Cardinality.ONE
            if utility
            else _weakest_count([text.cardinality for text in texts]),
            embeds=tuple(weakest([text.embed for text in row], columns) for row in rows),
            variants=query.variants,
            insert_into=access.insert_into,
            writes=access.writes,
            violable=access.violable,
            unproved_reading=next(filter(None, unproved), ""),
            session_clean=access.session_clean,
            cardinality_reasons=(utility,) if utility else main.reasons,
            advice=tuple(a for a in main.advice if all(a in text.advice for text in texts)),
            leaks=tuple(dict.fromkeys(leaks)),
            lookup=lookup,
            sends=tuple(dict.fromkeys(sends)),
        )
        if any(embed.nest for embed in typed.embeds) and not unfit:
            typed = self._nested(typed, texts, rows)
        stars = tuple(text.stars for text in texts)
        return Inferred(typed, stars, missing_columns(self.facts, nodes), unfit)

    def _nested(
        self, query: TypedQuery, texts: Sequence[_Text], rows: Sequence[Sequence[Row]]
    ) -> TypedQuery:
        """Add the keys by which the rows of all variants are grouped into `sqlc.nest(t)` lists."""
        for number, text in enumerate(texts):
            columns = as_present(text.columns, [row[number] for row in rows])
            level = text.level or tree.Query()
            nesting, count = nested(row_counter(self.facts), level, query.embeds, columns)
            if number:
                nesting = merged(query.nesting, nesting) or nesting
                count = _weakest_count((query.cardinality, count))
            query = replace(query, nesting=nesting, cardinality=count)
        return query

    def _leaks(
        self,
        params: Sequence[TypedParam],
        nodes: Sequence[Node],
        scope: Scope | None,
        numbers: Sequence[int],
    ) -> tuple[str, ...]:
        """Describe each use of a table that may read or write other tenants' rows.

        `numbers` has, for each parameter of the text, its number in the query.
        """
        if self.tenants is None:
            return ()
        name = self.tenants.tenant.parameter
        number = next((p.number for p in params if p.name == name), 0)
        at = next((at for at, given in enumerate(numbers, 1) if given == number), 0)
        # A rewrite rule adds other queries.
        return self.tenants.leaks(scope if len(nodes) == 1 else None, at)

    def _lookup(
        self, query: ParsedQuery, nodes: Sequence[Node], scope: Scope | None
    ) -> Lookup | None:
        """Return the parameters by which a `:batchget` query finds rows; None for other queries."""
        if not is_batchget(query):
            return None
        return lookup_of(level_of(scope)) if scope and len(nodes) == 1 else Lookup()

    def _text(
        self,
        sql: str,
        embeds: Sequence[Embed],
        described: Described,
        scope: Scope | None,
        optional: Iterable[int],
        loose: Iterable[int],
    ) -> _Text:
        """Infer the columns, row count, stars and embedded rows of one SQL text."""
        prover = Prover(self.facts, RESOLVER, frozenset(optional), loose_params=frozenset(loose))
        columns = self._columns(prover, scope, described)
        counter = row_counter(self.facts)
        cardinality = counter.count(level_of(scope)) if scope is not None else Cardinality.MANY
        stars = find_stars(sql, described.tree, self.facts.reserved, embeds=bool(embeds))
        found: Found = {}
        if embeds and scope is not None:
            level = level_of(scope)
            found = embedded_rows(
                places_of(embeds, stars, level),
                len(operands_of(level)),
                columns,
                counter.engine,
                as_if_present(prover, scope, columns),
            )
        return _Text(
            columns,
            cardinality,
            tuple(counter.reasons),
            stars,
            found,
            level_of(scope) if scope is not None else None,
            tuple(advice_of(prover, row_counter(self.facts), scope)) if scope is not None else (),
        )

    def _nodes(self, described: Described) -> list[Node]:
        nodes = self.facts.reader.read(described.tree) if described.tree else []
        return [node for node in nodes if node.kind == "QUERY"]

    def _main_scope(self, nodes: list[Node], described: Described) -> Scope | None:
        """Return the one query whose rows the client receives, or None if there is none or several.

        A rewrite rule can turn a statement into several queries, or into none.
        """
        shown = [q for q in nodes if q["canSetTag"]]
        if len(shown) != 1 or len(output_targets(shown[0])) != len(described.columns or ()):
            return None
        scope = Scope(shown[0], None, self.facts)
        self._scopes.append(scope)
        return scope

    def _call_scope(self, nodes: list[Node]) -> Scope | None:
        """Return the scope of a CALL statement, or None for other statements."""
        return Scope(nodes[0], None, self.facts) if call_of(nodes) is not None else None

    # --- columns ------------------------------------------------------------------------------

    def _columns(
        self, prover: Prover, scope: Scope | None, described: Described
    ) -> tuple[Column, ...]:
        heads = described.columns or ()
        unseen = [_NOT_SEEN] * len(heads)
        if scope is None and " :utilityStmt {CALLSTMT " in described.tree:
            nodes = self._nodes(described)
            outer, call = self._call_scope(nodes), call_of(nodes)
            if outer is not None and call is not None:
                unseen = procedure_verdicts(prover, call, outer, len(heads))
        exprs: list[Node | None] = [None] * len(heads)
        if scope is not None and scope.query["setOperations"] is None:
            for index, target in enumerate(output_targets(scope.query)[: len(heads)]):
                exprs[index] = target["expr"]
        verdicts = columns_in(prover, scope) if scope is not None else unseen
        found = []
        for number, (head, verdict, expr) in enumerate(zip(heads, verdicts, exprs, strict=True), 1):
            key = self._column_key(scope, head, verdict, expr)
            column = self._columns_made.get(key) if key else None
            if column is None:
                column = self._column(prover, scope, head, verdict, number, expr)
                if key:
                    self._columns_made[key] = column
            found.append(column)
        return tuple(found)

    def _column_key(
        self, scope: Scope | None, head: ColumnHead, verdict: Verdict, expr: Node | None
    ) -> tuple[Hashable, ...]:
        """Return a cache key for a result column that has a simple type and comes from a table.

        The key has all data that determines the column, because many queries return the same
        column. For other columns, return ().
        """
        if scope is None or expr is None or expr.kind != "VAR" or not head.table:
            return ()
        if expr["varlevelsup"] or not self._is_simple(head.type_oid):
            return ()
        entry, kind = scope.entry(expr["varno"]), expr["vartype"]
        if entry["rtekind"] != kinds.Rte.RELATION or not self._is_simple(kind):
            return ()
        name = entry["eref"]["aliasname"]
        return (head, verdict, kind, entry["relid"], expr["varattno"], name)

    def _is_simple(self, oid: int) -> bool:
        """Return whether a type has neither elements nor fields, and is not JSON."""
        entry = self.facts.types.get(oid)
        return (
            entry is not None and entry.kind in _SIMPLE and not entry.element and oid not in IS_JSON
        )

    def _column(
        self,
        prover: Prover,
        scope: Scope | None,
        head: ColumnHead,
        verdict: Verdict,
        number: int,
        expr: Node | None,
    ) -> Column:
        attribute = self.facts.attributes.get((head.table, head.attribute))
        elements = scope is not None and expr is not None and self._is_array(head.type_oid)
        inside = _NO_ARRAY
        dims = attribute.dims if attribute else 0
        if elements and scope is not None and expr is not None:
            dims = dimensions(expr, scope)
            inside = array_elements(prover, expr, scope)
        shown = head.table, head.attribute
        if scope is not None and not head.table:
            shown = origin_of(scope, number)
        origin = self.facts.column_ref(*shown)
        kept = None
        if scope is not None and expr is not None and not origin:
            kept = self.facts.column_ref(*handed_on(expr, scope).column)
        source = source_of(scope, number) if scope is not None else None
        return Column(
            name=_shown_name(head.name, scope, expr),
            type=self._with_fields(self._type_of(scope, head, number, dims), prover, scope, expr),
            not_null=not verdict.null,
            element_not_null=not inside.null,
            origin=origin,
            via=source if source != origin else None,
            table_alias=_alias(scope, expr),
            is_function_call=expr is not None and expr.kind in _CALLS,
            reasons=(*verdict.reasons(), *(() if inside.null else inside.reasons())),
            kept=kept,
            shape=self._shape(prover, scope, expr),
        )

    def _shape(self, prover: Prover, scope: Scope | None, expr: Node | None) -> JsonShape | None:
        if scope is None or expr is None:
            return None
        return Documents(prover, self.types).column(expr, scope)

    def _type_of(self, scope: Scope | None, head: ColumnHead, number: int, dims: int) -> SqlType:
        """Return a column's type; for a domain, the server describes only the base type."""
        oid = column_type(scope.query, number) if scope is not None else head.type_oid
        below = self.facts.types.get(oid)
        while below is not None and below.kind == "d" and below.oid != head.type_oid:
            below = self.facts.types.get(below.base)
        if oid == head.type_oid or below is None or below.oid != head.type_oid:
            return self.types.get(head.type_oid, head.typmod, dims)
        return self.types.get(oid)

    def _with_fields(
        self, kind: SqlType, prover: Prover, scope: Scope | None, expr: Node | None
    ) -> SqlType:
        """Add the fields of an anonymous record to a type, or mark the NOT NULL fields of a row."""
        if scope is None or expr is None:
            return kind
        if kind.schema == "pg_catalog" and kind.name == "record":
            fields = tuple(
                (f"f{n}", self._field(prover, field), field.certain)
                for n, field in enumerate(fields_of(prover, expr, scope), 1)
            )
            return replace(kind, fields=fields)
        relation = whole_row(prover, expr, scope) if kind.kind is TypeKind.COMPOSITE else 0
        if not relation:
            return kind
        columns = self.facts.columns.get(relation, ())
        fields = tuple(
            (name, field, self.facts.not_null(relation, column.number))
            for (name, field, _), column in zip(kind.fields, columns, strict=True)
        )
        return replace(kind, fields=fields)

    def _field(self, prover: Prover, field: Field) -> SqlType:
        kind = self.types.get(field.type)
        if kind.name != "record":
            return kind
        return self._with_fields(kind, prover, field.scope, field.node)

    def _is_array(self, oid: int) -> bool:
        entry = self.facts.types.get(oid)
        return entry is not None and bool(entry.element)

    # --- parameters ---------------------------------------------------------------------------

    def _params(
        self, query: ParsedQuery, described: Described, scope: Scope | None
    ) -> tuple[TypedParam, ...]:
        uses = as_written(parameter_uses(scope), described.tree) if scope is not None else {}
        written = {param.number: param for param in query.params}
        taken = {p.name: 1 for p in query.params if p.name}
        typed = []
        for number, oid in enumerate(described.param_oids, 1):
            param = written.get(number) or Param(number, None, ())
            typed.append(self._param(param, oid, uses.get(number, []), taken))
        return tuple(typed)

    def _param(self, param: Param, oid: int, uses: list[Use], taken: dict[str, int]) -> TypedParam:
        column = next((u for u in uses if u.relation and u.attribute > 0), None)
        tolerant = next((u for u in uses if u.tolerant), None)
        not_null = tolerant is None if param.nullable is None else not param.nullable
        name = param.name or _free_name(_suggested(uses, param.number), taken)
        reason = tolerant.reason if tolerant else "no use of the parameter allows NULL"
        if param.nullable is not None:
            reason = "the query declares the parameter's nullability"
        met = self.facts.column_ref(column.relation, column.attribute) if column else None
        kept = next((u.kept for u in uses if u.kept[0]), (0, 0))
        return TypedParam(
            number=param.number,
            name=name,
            type=self.types.get(oid, dims=self._dimensions(oid, column)),
            not_null=not_null,
            element_not_null=param.is_slice
            or not (self._is_array(oid) and any(use.elements for use in uses)),
            origin=met,
            via=_view_of(column, met),
            is_part=any(use.part for use in uses),
            is_slice=param.is_slice,
            is_named=param.name is not None,
            reasons=(reason,),
            row=param.row,
            kept=None if met else self.facts.column_ref(*kept),
        )

    def _dimensions(self, oid: int, use: Use | None) -> int:
        """Return the declared dimensions of the array column that a parameter is compared with."""
        met = self.facts.attributes.get((use.relation, use.attribute)) if use else None
        return met.dims if met and met.type == oid else 0


# Raised for deep nesting, or for an unknown tree of a newer server.
_NOT_UNDERSTOOD = (RecursionError, LookupError)


def _why(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "the query is nested too deeply"
    return f"the parse tree is not supported ({type(error).__name__}: {error})"


def _with_names(query: ParsedQuery, column: Column) -> Column:
    """Replace the numbers of parameters in a column's reasons by names."""
    for reason in column.reasons:
        if "$" in reason:
            return replace(column, reasons=tuple(map(query.with_names, column.reasons)))
    return column


def _single_row(nodes: list[Node]) -> str:
    """Return why a utility statement returns exactly one row, or '' if this is not known."""
    statement = nodes[0].get("utilityStmt") if len(nodes) == 1 else None
    if call_of(nodes) is not None:
        return "CALL returns the OUT parameters of the procedure in one row"
    if statement is None:
        return ""
    if statement.kind == "VARIABLESHOWSTMT" and statement["name"] != "all":
        return "SHOW returns the setting"
    return ""


def _weakest_columns(texts: Sequence[tuple[Column, ...]]) -> tuple[Column, ...]:
    """Merge the columns of the query and its variants.

    A result column is not null only if it is not null in all of them.
    """
    first, *others = texts
    columns = list(first)
    for text in others:
        for index, column in enumerate(text[: len(columns)]):
            mine = columns[index]
            if mine.not_null and not column.not_null:
                columns[index] = mine = replace(mine, not_null=False, reasons=column.reasons)
            if mine.element_not_null and not column.element_not_null:
                columns[index] = mine = replace(mine, element_not_null=False)
            if mine.type.fields != column.type.fields:
                columns[index] = mine = replace(mine, type=_weakest_fields(mine.type, column.type))
            if mine.shape != column.shape:
                columns[index] = replace(mine, shape=weakest_shape(mine.shape, column.shape))
    return tuple(columns)


def _weakest_fields(mine: SqlType, other: SqlType) -> SqlType:
    """Merge two record types: a field is NOT NULL only if it is NOT NULL in both types."""
    if [field[:2] for field in mine.fields] != [field[:2] for field in other.fields]:
        return replace(mine, fields=())
    pairs = zip(mine.fields, other.fields, strict=True)
    return replace(mine, fields=tuple((*one[:2], one[2] and two[2]) for one, two in pairs))


def _weakest_count(counts: Sequence[Cardinality]) -> Cardinality:
    if len(counts) == 1:
        return counts[0]
    single = all(count.at_most_one for count in counts)
    some = all(count in {Cardinality.ONE, Cardinality.SOME} for count in counts)
    if single:
        return Cardinality.ONE if some else Cardinality.ZERO_OR_ONE
    return Cardinality.SOME if some else Cardinality.MANY


def _alias(scope: Scope | None, expr: Node | None) -> str:
    if scope is None or expr is None or expr.kind != "VAR" or expr["varlevelsup"]:
        return ""
    return str(scope.entry(expr["varno"])["eref"]["aliasname"])


def _shown_name(name: str, scope: Scope | None, expr: Node | None) -> str:
    """Return a column's name; for `coalesce(bio, '')` without an alias it is `bio`, as in sqlc."""
    if scope is None or expr is None or expr.kind != "COALESCEEXPR" or name != "coalesce":
        return name
    columns = [arg for arg in expr["args"] if arg.kind == "VAR" and arg["varattno"] > 0]
    return variable_name(columns[0], scope) if columns else name


def _view_of(use: Use | None, met: ColumnRef | None) -> ColumnRef | None:
    """Return the view column that a parameter is compared with, or None for a table's column."""
    named = use.via if use else None
    return named if named and named.schema and named != met else None


def _suggested(uses: Iterable[Use], number: int) -> str:
    order = ("assign", "compare", "any", "alternative", "limit", "offset", "argument", "function")
    ranked = sorted((u for u in uses if u.name), key=lambda u: order.index(u.role))
    return ranked[0].name if ranked else f"p{number}"


def _free_name(name: str, taken: dict[str, int]) -> str:
    """Return a name, with a number if it is in use; `taken` has the last number of each name."""
    free, count = name, taken.get(name, 1)
    while free in taken:
        count += 1
        free = f"{name}_{count}"
    taken[name] = count
    taken.setdefault(free, 1)
    return free
