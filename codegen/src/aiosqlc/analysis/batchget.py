"""Turn a `:batchget` query, which reads the rows of one key, into SQL that reads many keys' rows.

`WHERE id = @id` becomes `WHERE id = ANY (@ids)`, or `IN (@ids)` without arrays, and each row gets
its key as a hidden last column. For `:batchget(shop_id, id)`, both conditions together become
`(shop_id, id) IN (…)` with a list of rows. The engine has proved that each key still gets the rows
of the original query. Each text of a dynamic query is rewritten in this way.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from aiosqlc.analysis.port import Analyze
from aiosqlc.diagnostics import Diagnostic, Label
from aiosqlc.ir import (
    Analysis,
    AnalyzeOptions,
    Catalog,
    Command,
    Lookup,
    Param,
    ParsedQuery,
    SchemaFile,
    TypedBatch,
    TypedQuery,
)
from aiosqlc.parse.clauses import Clauses, UnfitError, clauses_of, inserted
from aiosqlc.parse.scanner import LEXES, Kind, Token
from aiosqlc.source import Dialect, SourceMap, Span

OPTION = "batchget"
KEY = "batch_key"
"""The name of the hidden column that holds the key of a row."""
_COMMANDS = frozenset({Command.ONE, Command.MANY})
_WRITE = "write one condition `column = @key` in the outermost WHERE, combined by AND"


def is_batchget(query: ParsedQuery) -> bool:
    """Return whether a query is marked `:batchget`."""
    return any(name == OPTION for name, _ in query.options)


def batch_name(name: str) -> str:
    """Return the name of the query that reads many keys: `GetUser` → `GetUserMany`."""
    return f"{name}Many"


def plural(name: str) -> str:
    """Return the name of a list of keys: `id` → `ids`, `key` → `keys`, `city` → `cities`."""
    if name.endswith(("s", "x", "ch", "sh")):
        return f"{name}es"
    return f"{name[:-1]}ies" if name.endswith("y") and name[-2:-1] not in "aeiou" else f"{name}s"


def with_batchget(analyze: Analyze, engine: Dialect = Dialect.POSTGRESQL) -> Analyze:
    """Return an analyser that also analyses the SQL for many keys of each `:batchget` query."""

    def analyze_both(
        schema: Sequence[SchemaFile], queries: Sequence[ParsedQuery], options: AnalyzeOptions
    ) -> tuple[Analysis, tuple[Diagnostic, ...]]:
        analysis, problems = analyze(schema, queries, options)
        marked = [query for query in analysis.queries if is_batchget(query.parsed)]
        if not marked:
            return analysis, problems
        drafts, refused = _drafts(marked, analysis.catalog, engine)
        asked = [draft.parsed for draft in drafts.values()]
        found, more = analyze(schema, asked, options) if asked else (Analysis(Catalog()), ())
        reported = {(item.code, item.labels) for item in problems}
        more = tuple(item for item in more if (item.code, item.labels) not in reported)
        many = {query.parsed.name: query for query in found.queries}
        merged = tuple(_merged(query, drafts, many) for query in analysis.queries)
        return replace(analysis, queries=merged), (*problems, *refused, *more)

    return analyze_both


class _UnfitAtError(UnfitError):
    """Raised if a query cannot read many keys; `span` is the part of the query that prevents it."""

    def __init__(self, why: str, hint: str, span: Span) -> None:
        super().__init__(why, hint)
        self.span = span


class _Draft(Struct, frozen=True):
    """A query that reads many keys, with the numbers of its list parameters.

    `position` is the index of the result column with the key, or None if hidden columns contain it.
    """

    parsed: ParsedQuery
    numbers: tuple[int, ...]
    position: int | None


class _Condition(Struct, frozen=True):
    """A condition `column = $number` or `$number = column`.

    `column` and `equals` are the tokens of the column and of the `=`. The condition extends from
    `start` to `end`. `connected` is the end of the condition before it, or `start` if it is the
    first condition.
    """

    column: Sequence[Token]
    equals: Token
    number: int
    start: int
    end: int
    connected: int

    @property
    def commuted(self) -> bool:
        """Return whether the parameter is the left operand, as in `$1 = id`."""
        return self.start < self.column[0].start


def _drafts(
    marked: Sequence[TypedQuery], catalog: Catalog, engine: Dialect
) -> tuple[dict[str, _Draft], list[Diagnostic]]:
    drafts: dict[str, _Draft] = {}
    problems = []
    for query in marked:
        try:
            drafts[query.parsed.name] = _draft(query, catalog, engine)
        except UnfitError as unfit:
            parsed = query.parsed
            place = unfit.span if isinstance(unfit, _UnfitAtError) else parsed.name_span
            label = Label(parsed.file, place, unfit.why)
            message = f"`{parsed.name}` cannot be `:batchget`"
            problems.append(Diagnostic("E395", message, (label,), unfit.hint))
    return drafts, problems


def _merged(
    query: TypedQuery, drafts: dict[str, _Draft], many: dict[str, TypedQuery]
) -> TypedQuery:
    query = replace(query, lookup=None)
    draft = drafts.get(query.parsed.name)
    found = many.get(draft.parsed.name) if draft else None
    if draft is None or found is None:
        return query
    params = tuple(param for param in found.params if param.number in draft.numbers)
    columns = found.columns[-len(params) :]
    if draft.position is not None:
        columns = (query.columns[draft.position],)
    batch = TypedBatch(
        found.sql,
        params,
        tuple(replace(column, not_null=True) for column in columns),
        draft.position,
        found.variants,
        found.parsed.variants,
    )
    # A list of tenants is not one tenant.
    leaks = tuple(dict.fromkeys((*query.leaks, *found.leaks)))
    return replace(query, batch=batch, leaks=leaks)


def _draft(query: TypedQuery, catalog: Catalog, engine: Dialect) -> _Draft:
    parsed = query.parsed
    lookup = query.lookup or Lookup()
    if parsed.command not in _COMMANDS:
        raise UnfitError("the command must be `:one` or `:many`", "write `:many :batchget`")
    clauses = _clauses(parsed.sql, engine, lookup.why)
    keys = _chosen(query, _conditions(clauses))
    if lookup.why:
        raise UnfitError(
            lookup.why, "select the rows of each key in SQL, and combine them in Python"
        )
    for key in keys:
        _check_key(query, key, lookup)
    if not query.read_only:
        raise UnfitError(
            f"the query is not proved to be read-only: {query.unproved_reading}",
            "remove the part that writes",
        )
    if parsed.command is Command.ONE and not query.cardinality.at_most_one:
        raise UnfitError("a key may have several rows", "write `:many :batchget`")
    return _rewritten(query, clauses, keys, catalog, engine)


def _check_key(query: TypedQuery, key: _Condition, lookup: Lookup) -> None:
    """Raise an error if a `:batchget` query cannot use the column of a condition as its key."""
    parsed = query.parsed
    written = parsed.spelled(key.number)
    given = next(param for param in parsed.params if param.number == key.number)
    if len(given.spans) > 1:
        why = f"{written} is also used elsewhere in the query"
        raise _UnfitAtError(why, _WRITE, given.spans[-1])
    if any(given.name in {part.name, *part.also} for part in parsed.dynamic):
        why = f"{written} decides whether an optional part of the query is used"
        raise _UnfitAtError(why, "write the condition on the key without `:if`", given.spans[0])
    if key.number not in lookup.keys:
        name = "".join(token.text for token in key.column)
        raise _UnfitAtError(
            f"`=` and a Python dict may disagree about which values of `{name}` are equal",
            "use a column of an integer, UUID, date, time, bytes, enum or text type, without a "
            "cast; a text needs a deterministic collation (MySQL: `utf8mb4_0900_bin`, MariaDB: "
            "`utf8mb4_nopad_bin`)",
            _span(parsed, key),
        )


def _clauses(sql: str, engine: Dialect, why: str) -> Clauses:
    try:
        return clauses_of(sql, engine)
    except UnfitError:
        form = "the query must be one SELECT with FROM, without FETCH, FOR, LOCK and INTO"
        hint = "write another query that reads several keys: `column IN (sqlc.slice(keys))`"
        raise UnfitError(why or form, hint) from None


def _conditions(clauses: Clauses) -> list[_Condition]:
    """Return the conditions `column = $n` or `$n = column` that AND combines in the outer WHERE."""
    if "WHERE" not in clauses.at:
        return []
    found = []
    first = clauses.of("WHERE")[0].start
    before = first
    for part in _split(clauses.of("WHERE"), "AND"):
        at = next((at for at, token in enumerate(part) if token.text == "="), 0)
        for column, given in ((part[:at], part[at + 1 :]), (part[at + 1 :], part[:at])):
            number = "".join(token.text for token in given)
            if _is_column(column) and number[:1] == "$" and number[1:].isdigit():
                start, end = part[0].start, part[-1].end
                connected = start if before == first else before
                found.append(_Condition(column, part[at], int(number[1:]), start, end, connected))
        before = part[-1].end if part else before
    return found


def _is_column(tokens: Sequence[Token]) -> bool:
    """Return whether tokens are a name, or several names with dots between them."""
    return len(tokens) % 2 == 1 and all(
        token.kind in {Kind.NAME, Kind.QUOTED} if place % 2 == 0 else token.text == "."
        for place, token in enumerate(tokens)
    )


def _split(tokens: Sequence[Token], at: str) -> list[list[Token]]:
    """Split tokens at each occurrence of a word or sign that is outside parentheses."""
    parts: list[list[Token]] = [[]]
    depth = 0
    for token in tokens:
        depth += {"(": 1, ")": -1, "[": 1, "]": -1}.get(token.text, 0)
        if not depth and token.text.upper() == at:
            parts.append([])
        else:
            parts[-1].append(token)
    return parts


def _chosen(query: TypedQuery, conditions: Sequence[_Condition]) -> list[_Condition]:
    """Return the conditions whose parameters `:batchget(…)` lists; without a list, the only one."""
    names = {param.number: param.name for param in query.params}
    option = dict(query.parsed.options)[OPTION]
    if not option:
        always = [
            one
            for one in conditions
            if all(one.number in variant.numbers for variant in query.parsed.variants)
        ]
        return [_only(query, always or conditions, names)]
    found = []
    for name in option.split(","):
        some = [one for one in conditions if names.get(one.number) == name]
        if not some:
            raise UnfitError(f"no condition `column = @{name}` in the outermost WHERE", _WRITE)
        found.append(some[0])
    ordered = sorted({one.number: one for one in found}.values(), key=lambda one: one.number)
    if ordered != found:
        listed = ", ".join(names[one.number] for one in ordered)
        raise UnfitError(
            "`:batchget` must list each parameter once, in the order of the function's parameters",
            f"write `:batchget({listed})`",
        )
    return found


def _only(query: TypedQuery, conditions: Sequence[_Condition], names: dict[int, str]) -> _Condition:
    if not conditions:
        raise UnfitError("no condition `column = @key` in the outermost WHERE", _WRITE)
    if len(conditions) == 1:
        return conditions[0]
    listed = [names[one.number] for one in sorted(conditions, key=lambda one: one.number)]
    each = " or ".join(f"`:batchget({name})`" for name in listed)
    raise _UnfitAtError(
        f"the query has {len(conditions)} conditions `column = @key`:"
        " state which of them are the key",
        f"write {each}, or `:batchget({', '.join(listed)})` for keys that are tuples",
        _span(query.parsed, conditions[-1]),
    )


def _span(parsed: ParsedQuery, condition: _Condition) -> Span:
    """Return the span of a condition's column in the source file."""
    first, last = condition.column[0], condition.column[-1]
    start = parsed.source_map.to_source(first.start)
    return Span(start, start + last.end - first.start)


def _rewritten(
    query: TypedQuery,
    clauses: Clauses,
    keys: Sequence[_Condition],
    catalog: Catalog,
    engine: Dialect,
) -> _Draft:
    parsed = query.parsed
    numbers = tuple(key.number for key in keys)
    position = None
    if len(keys) == 1 and not parsed.dynamic:
        position = _selected(query, clauses, keys[0], catalog)
    hidden = KEY
    while hidden in parsed.sql.lower():  # a column has this name, and ORDER BY may contain it
        hidden += "_"
    names = [f"{hidden}_{at}" if at else hidden for at, _ in enumerate(keys)]
    last = max(param.number for param in parsed.params)
    own = _Text(parsed.sql, parsed.source_map, range(1, last + 1))
    texts = [_for_many(own, numbers, names if position is None else [], engine)]
    for variant in parsed.variants:
        text = _Text(variant.sql, variant.source_map, variant.numbers)
        texts.append(_for_many(text, numbers, names, engine))
    variants = tuple(
        replace(variant, sql=text.sql, source_map=text.source_map)
        for variant, text in zip(parsed.variants, texts[1:], strict=True)
    )
    draft = replace(
        parsed,
        name=batch_name(parsed.name),
        command=Command.MANY,
        sql=texts[0].sql,
        source_map=texts[0].source_map,
        params=_listed(query, numbers),
        variants=variants,
        options=(),
        hints=(),
    )
    return _Draft(draft, numbers, position)


def _listed(query: TypedQuery, numbers: Sequence[int]) -> tuple[Param, ...]:
    """Return the parameters of the query for many keys, with a list in place of the key.

    If the key has several columns, its parameters become the columns of one list of rows.
    """
    names = {param.number: param.name for param in query.params}
    rows = "keys" if len(numbers) > 1 else ""
    while rows and rows in {name for number, name in names.items() if number not in numbers}:
        rows += "_"
    found = []
    for param in query.parsed.params:
        if param.number not in numbers:
            found.append(param)
            continue
        at = numbers.index(param.number)
        name = plural(names[param.number]) if not rows else f"{rows}[{at}]" if at else rows
        found.append(replace(param, name=name, is_slice=True, nullable=None, row=rows))
    return tuple(found)


class _Text(Struct, frozen=True):
    """One SQL text of a query. `numbers` maps the text's parameters to those of the query."""

    sql: str
    source_map: SourceMap
    numbers: Sequence[int]


def _for_many(text: _Text, keys: Sequence[int], hidden: Sequence[str], engine: Dialect) -> _Text:
    """Return the SQL for many keys, with the key's columns appended under the names in `hidden`."""
    clauses = _clauses(text.sql, engine, "")
    found = {text.numbers[one.number - 1]: one for one in _conditions(clauses)}
    if not set(keys) <= found.keys():
        raise UnfitError("the condition on the key is not in every variant of the query", _WRITE)
    parts = [found[number] for number in keys]
    first, *rest = sorted(parts, key=lambda part: part.equals.start)
    sql, source_map = text.sql, text.source_map
    at = source_map.to_source(first.equals.start)
    for part in reversed(rest):
        sql, source_map = _replaced(sql, source_map, (part.connected, part.end), "", at)
    columns = [text.sql[part.column[0].start : part.column[-1].end] for part in parts]
    place, condition = first.equals.start, f"IN (${first.number})"
    if rest:
        row = ", ".join(f"${part.number}" for part in parts)
        place, condition = first.start, f"({', '.join(columns)}) IN (({row}))"
    elif LEXES[engine].has_arrays:
        condition = f"= ANY (${first.number})"
    if first.commuted and not rest:
        place, condition = first.start, f"{columns[0]} {condition}"
    sql, source_map = _replaced(sql, source_map, (place, first.end), condition, at)
    if hidden:
        end = clauses.tokens[clauses.at["FROM"] - 1].end
        pairs = zip(columns, hidden, strict=True)
        added = "".join(f", {column} AS {name}" for column, name in pairs)
        sql, source_map = inserted(sql, source_map, end, added, at)
    return _Text(sql, source_map, text.numbers)


def _selected(query: TypedQuery, clauses: Clauses, key: _Condition, catalog: Catalog) -> int | None:
    """Return the index of the result column that certainly contains the key, or None.

    The positions of columns after a `*` are unknown.
    """
    words = [token.text for token in key.column]
    start = clauses.at["SELECT"] + 1
    for position, item in enumerate(_split(clauses.tokens[start : clauses.at["FROM"]], ",")):
        if any(token.text == "*" for token in item) or query.embeds:
            return None
        if [token.text for token in item] == words:
            origin = query.columns[position].origin
            stored = catalog.columns.get(origin) if origin else None
            return position if stored and stored.not_null else None
    return None


def _replaced(
    sql: str, source_map: SourceMap, span: tuple[int, int], text: str, source: int
) -> tuple[str, SourceMap]:
    """Replace a span of `sql` by `text`, and map `text` to the position `source` in the file."""
    start, end = span
    moved = start + len(text) - end
    before = [piece for piece in source_map.pieces if piece[0] < start]
    after = [(out + moved, src, copied) for out, src, copied in source_map.pieces if out >= end]
    if not after or after[0][0] > end + moved:  # the rest of a piece that was cut
        copied = [piece for piece in source_map.pieces if piece[0] < end][-1][2]
        after.insert(0, (end + moved, source_map.to_source(end), copied))
    added = [(start, source, False)] if text else []
    return f"{sql[:start]}{text}{sql[end:]}", SourceMap((*before, *added, *after))
