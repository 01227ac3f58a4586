"""Rewrite a `:page` query for keyset pagination, forward and backward from a cursor."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from aiosqlc.ir import OptionalPart, Output, Paging, Param, ParsedQuery, SortKey, Variant
from aiosqlc.parse.clauses import Clauses, UnfitError, clauses_of, inserted
from aiosqlc.parse.outputs import is_enclosed, is_path, name_of, output_of
from aiosqlc.parse.scanner import LEXES, Kind, Token
from aiosqlc.source import Dialect, SourceMap, Span

KEY = "page_key_"
"""The prefix of the numbered hidden columns and parameters for the sort keys."""

AFTER, BACKWARD, NULL = "page_after", "page_backward", "page_null_"
"""The flags of a variant: a cursor is passed, the order is reversed, a cursor's value is NULL."""

SIZE = "page_size"
CURSOR = "cursor"
_OWN = (AFTER, BACKWARD, SIZE, CURSOR)
_NEEDS = (
    "order by columns or expressions that are never NULL, and end with a unique column, such as "
    "`id`"
)
_SUBQUERY = "put the query into a subquery: `SELECT * FROM (…) AS q ORDER BY …`"
_ALIAS = "give the output column a name with AS, and sort by this name"


class _Term(Struct, frozen=True):
    """An item of ORDER BY. `nulls` is FIRST or LAST if the query contains it, or else ''.

    `name` is the item if it is only a name, which means an output column or a table's column.
    """

    sql: str
    start: int
    descending: bool = False
    nulls: str = ""
    name: str = ""

    def reversed(self) -> _Term:
        """Return the ORDER BY item that sorts in the opposite direction."""
        other = {"FIRST": "LAST", "LAST": "FIRST", "": ""}[self.nulls]
        return replace(self, descending=not self.descending, nulls=other)

    def order(self, column: str) -> str:
        """Return this ORDER BY item, with an output column's name in place of its expression."""
        nulls = f" NULLS {self.nulls}" if self.nulls else ""
        return f"{column}{' DESC' if self.descending else ''}{nulls}"


class _Text(Struct, frozen=True):
    """One variant of a query before the paging rewrite, with its clauses and ORDER BY items."""

    variant: Variant
    clauses: Clauses
    terms: tuple[_Term, ...]
    items: Sequence[Sequence[Token]]


def with_cursors(query: ParsedQuery, dialect: Dialect) -> bool:
    """Return whether a `:page` query has ORDER BY, but neither LIMIT nor OFFSET."""
    at = clauses_of(query.sql, dialect).at
    return "LIMIT" not in at and "OFFSET" not in at and "ORDER" in at


def with_keyset(query: ParsedQuery, dialect: Dialect) -> ParsedQuery:
    """Return the query with four kinds of variants: with and without cursor, forward and backward.

    Raises `UnfitError` if the query has no sort keys that a condition can compare.
    """
    if any(_is_own(param.name or "") for param in query.params):
        raise UnfitError(
            f"the generated function has its own parameters `{SIZE}` and `{CURSOR}`",
            "rename the parameter of the query",
        )
    if any(param.name is None for param in query.params):
        raise UnfitError("a parameter has no name", "write `sqlc.arg(name)`")
    plain = Variant((), query.sql, tuple(p.number for p in query.params), query.source_map)
    texts = [_read(one, dialect) for one in query.variants or (plain,)]
    keys = _keys(query, texts)
    size = max([0, *(param.number for param in query.params)]) + len(keys) + 1
    nulls = [place for place, key in enumerate(keys, 1) if key.nulls]
    variants = tuple(
        _variant(text, keys, size, dict(zip((AFTER, BACKWARD, *nulls), chosen, strict=True)))
        for text in texts
        for chosen in itertools.product((1, 0), repeat=2 + len(nulls))
    )
    sql, source_map = _full(texts[0], keys, size)
    added = [Param(key.number, f"{KEY}{at}", (key.span,)) for at, key in enumerate(keys, 1)]
    added.append(Param(size, SIZE, (keys[-1].span,)))
    span = keys[0].span
    parts = [AFTER, BACKWARD, *(f"{NULL}{place}" for place in nulls)]
    return replace(
        query,
        sql=sql,
        source_map=source_map,
        params=(*query.params, *added),
        dynamic=(*query.dynamic, *(OptionalPart("if", name, span) for name in parts)),
        variants=variants,
        paging=Paging(
            len(keys),
            size,
            keys=keys,
            outputs=tuple(dict.fromkeys(one for text in texts for one in _outputs(text, dialect))),
            orders=tuple(dict.fromkeys(_order(text) for text in texts)),
            probes=tuple(
                {probe.sql: probe for probe in (_probe(text, keys) for text in texts)}.values()
            ),
        ),
    )


def _is_own(name: str) -> bool:
    return name in _OWN or name.startswith((KEY, NULL))


def _read(variant: Variant, dialect: Dialect) -> _Text:
    clauses = clauses_of(variant.sql, dialect)
    for word in ("GROUP", "HAVING"):
        if word in clauses.at:
            raise UnfitError(f"{word} is not possible in the outermost SELECT", _SUBQUERY)
    listed = _listed(clauses)
    items = _items(listed)
    order = clauses.of("ORDER")
    if not order or order[0].text.upper() != "BY":
        raise UnfitError("ORDER BY is missing", _NEEDS)
    if _has_window(listed) or _has_window(order) or "WINDOW" in clauses.at:
        raise UnfitError("a window function would see only the rows behind the cursor", _SUBQUERY)
    found: dict[str, _Term] = {}  # an expression again changes nothing
    for item in _items(order[1:]):
        term = _term(variant.sql, item, items, dialect)
        found.setdefault(term.sql, term)
    terms = tuple(found.values())
    if terms[-1].nulls:
        raise UnfitError("the last sort key must not have NULLS FIRST or NULLS LAST", _NEEDS)
    return _Text(variant, clauses, terms, items)


def _listed(clauses: Clauses) -> Sequence[Token]:
    """Return the tokens of the select list."""
    listed = clauses.tokens[clauses.at["SELECT"] + 1 : clauses.at["FROM"]]
    start = next((n for n, t in enumerate(listed) if t.text.upper() not in _MODIFIERS), 0)
    for word in (token.text.upper() for token in listed[: start + 1]):
        if word in {"DISTINCT", "DISTINCTROW"}:
            raise UnfitError("DISTINCT is not possible in the outermost SELECT", _SUBQUERY)
    return listed[start:]


def _has_window(tokens: Sequence[Token]) -> bool:
    """Return whether an expression outside subqueries calls a window function."""
    inside = [False]
    for at, token in enumerate(tokens):
        following = tokens[at + 1].text.upper() if at + 1 < len(tokens) else ""
        if token.text == "(":
            inside.append(inside[-1] or following in {"SELECT", "WITH", "VALUES"})
        elif token.text == ")":
            inside.pop()
        elif token.text.upper() == "OVER" and not inside[-1] and at:
            before = tokens[at - 1].text.upper()
            if token.kind is Kind.NAME and before in {")", "NULLS"} and following:
                return True
    return False


def _items(tokens: Sequence[Token]) -> list[Sequence[Token]]:
    """Split a select list or an ORDER BY list at its commas outside parentheses."""
    found: list[list[Token]] = [[]]
    depth = 0
    for token in tokens:
        depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(token.text, 0)
        if token.text == "," and not depth:
            found.append([])
        else:
            found[-1].append(token)
    if not all(found):
        raise UnfitError("a list has an empty item", _NEEDS)
    return list(found)


def _term(
    sql: str, tokens: Sequence[Token], items: Sequence[Sequence[Token]], dialect: Dialect
) -> _Term:
    nulls, descending = "", False
    words = [token.text.upper() for token in tokens]
    if words[-2:-1] == ["NULLS"] and words[-1] in {"FIRST", "LAST"}:
        nulls, tokens, words = words[-1], tokens[:-2], words[:-2]
    if words and words[-1] in {"ASC", "DESC"}:
        descending, tokens = words[-1] == "DESC", tokens[:-1]
    number = len(tokens) == 1 and tokens[0].kind is Kind.NUMBER
    if not tokens or "USING" in words or number:
        raise UnfitError(
            "ORDER BY with a position or with USING has no expression to compare", _NEEDS
        )
    start, name = tokens[0].start, ""
    if len(tokens) == 1 and tokens[0].kind in {Kind.NAME, Kind.QUOTED}:
        name = name_of(tokens[0], dialect)
        tokens = _behind(name, items, dialect) or tokens  # SQL looks for an output column first
    if any(token.kind is Kind.PARAM or token.text == "$" for token in tokens):
        raise UnfitError("a parameter in ORDER BY would need to be part of the cursor", _NEEDS)
    text = sql[tokens[0].start : tokens[-1].end]
    closed = is_path(tokens) or is_enclosed(tokens)
    return _Term(text if closed else f"({text})", start, descending, nulls, name)


def _behind(
    name: str, items: Sequence[Sequence[Token]], dialect: Dialect
) -> Sequence[Token] | None:
    """Return the expression of the output column with this name, or None."""
    found = [tokens for own, tokens in (output_of(item, dialect) for item in items) if own == name]
    if len({tuple(token.text for token in tokens) for tokens in found}) > 1:
        raise UnfitError(f"several output columns have the name `{name}`", _ALIAS)
    return found[0] if found else None


def _outputs(text: _Text, dialect: Dialect) -> list[Output]:
    """Return the checks of the output columns' names.

    The column that a sort key names must have this name, and no other column may have it.
    """
    stars = [at for at, item in enumerate(text.items) if item[-1].text == "*"]
    found = []
    for term in text.terms:
        for at, item in enumerate(text.items if term.name else ()):
            if not stars or at < stars[0]:
                place = at
            elif at > stars[-1]:
                place = at - len(text.items)
            else:
                continue
            start = text.variant.source_map.to_source(term.start)
            own = output_of(item, dialect)[0]
            if own in {"", term.name} - _RENAMED:
                span, named = Span(start, start + 1), own == term.name
                folds = LEXES[dialect].folds_quoted
                found.append(Output(term.name, place, named, folds, span))
    return found


def _keys(query: ParsedQuery, texts: Sequence[_Text]) -> tuple[SortKey, ...]:
    """Return the distinct ORDER BY expressions of all variants, in order of first use."""
    found: dict[str, SortKey] = {}
    number = max([0, *(param.number for param in query.params)])
    for text in texts:
        for term in text.terms:
            start = text.variant.source_map.to_source(term.start)
            span = Span(start, start + 1)
            known = found.get(term.sql)
            if known is None:
                number += 1
                found[term.sql] = SortKey(term.sql, span, number, bool(term.nulls))
            elif known.nulls != bool(term.nulls):
                raise UnfitError(
                    "a sort key has NULLS FIRST or NULLS LAST in some orders, but not in all",
                    _NEEDS,
                )
    if len(found) > _MOST:
        raise UnfitError(f"more than {_MOST} sort keys", "sort by fewer expressions")
    return tuple(found.values())


_MOST = 8
# The name is certain, but as in sqlc the analysis uses the name of the first argument instead.
_RENAMED = frozenset({"coalesce"})
# MySQL's words between SELECT and the list.
_MODIFIERS = frozenset({
    "ALL", "HIGH_PRIORITY", "STRAIGHT_JOIN", "SQL_SMALL_RESULT", "SQL_BIG_RESULT",
    "SQL_BUFFER_RESULT", "SQL_NO_CACHE", "SQL_CACHE", "SQL_CALC_FOUND_ROWS",
})  # fmt: skip


def _order(text: _Text) -> str:
    return ", ".join(term.order(term.sql) for term in text.terms)


def _place(keys: Sequence[SortKey], term: _Term) -> int:
    return next(at for at, key in enumerate(keys, 1) if key.sql == term.sql)


def _variant(
    text: _Text, keys: Sequence[SortKey], size: int, chosen: dict[str | int, int]
) -> Variant:
    terms = [term.reversed() if chosen[BACKWARD] else term for term in text.terms]
    places = [_place(keys, term) for term in terms]
    numbers = list(text.variant.numbers)
    local = {}
    if chosen[AFTER]:
        for place in sorted(places):  # as all parameters are passed
            numbers.append(keys[place - 1].number)
            local[place] = f"${len(numbers)}"
    numbers.append(size)
    condition = ""
    if chosen[AFTER]:
        values = [
            (term, local[at], bool(chosen.get(at))) for term, at in zip(terms, places, strict=True)
        ]
        condition = _follows(values)
    order = ", ".join(term.order(f"{KEY}{at}") for term, at in zip(terms, places, strict=True))
    tail = f"\nORDER BY {order}\nLIMIT ${len(numbers)}"
    sql, source_map = _written(text, keys, condition, tail)
    return Variant((*text.variant.key, *chosen.values()), sql, tuple(numbers), source_map)


def _full(text: _Text, keys: Sequence[SortKey], size: int) -> tuple[str, SourceMap]:
    """Return the SQL from which types are inferred; it has a parameter for each sort key."""
    condition = " AND ".join(f"{key.sql} = ${key.number}" for key in keys)
    places = [(term, _place(keys, term)) for term in text.terms]
    order = ", ".join(term.order(f"{KEY}{place}") for term, place in places)
    return _written(text, keys, condition, f"\nORDER BY {order}\nLIMIT ${size}")


def _written(
    text: _Text, keys: Sequence[SortKey], condition: str, tail: str
) -> tuple[str, SourceMap]:
    """Return the SQL with the sort keys as columns, `condition` in WHERE, and `tail` at the end."""
    clauses, sql, source_map = text.clauses, text.variant.sql, text.variant.source_map
    tokens, at = clauses.tokens, clauses.at
    order = tokens[at["ORDER"] - 1].end
    sql, source_map = (
        sql[:order],
        SourceMap(tuple(piece for piece in source_map.pieces if piece[0] < order)),
    )
    source = keys[0].span.start
    sql, source_map = inserted(sql, source_map, order, tail, source)
    if condition:
        last = tokens[at["ORDER"] - 1]
        if "WHERE" in at:
            last = clauses.of("WHERE")[-1]
            sql, source_map = inserted(sql, source_map, last.end, f"\n) AND {condition}", source)
            sql, source_map = inserted(sql, source_map, tokens[at["WHERE"]].end, " (", source)
        else:
            sql, source_map = inserted(sql, source_map, last.end, f"\nWHERE {condition}", source)
    columns = "".join(f",\n    {key.sql} AS {KEY}{place}" for place, key in enumerate(keys, 1))
    return inserted(sql, source_map, tokens[at["FROM"] - 1].end, columns, source)


_Value = tuple[_Term, str, bool]


def _follows(values: Sequence[_Value]) -> str:
    """Return the SQL condition that a row comes after the given values of the sort keys."""
    certain = not any(term.nulls for term, _, _ in values)
    if certain and len({term.descending for term, _, _ in values}) == 1 and len(values) > 1:
        sign = "<" if values[0][0].descending else ">"
        left = ", ".join(term.sql for term, _, _ in values)
        right = ", ".join(place for _, place, _ in values)
        first, place, _ = values[0]
        # MySQL uses an index for the first comparison, PostgreSQL for the second.
        return f"({first.sql} {sign}= {place} AND ({left}) {sign} ({right}))"
    (term, place, null), *rest = values
    after, equal = _compared(term, place, null=null)
    if not rest:
        return after
    if null and term.nulls == "LAST":
        return f"({equal} AND {_follows(rest)})"
    nested = f"({after} OR ({equal} AND {_follows(rest)}))"
    if null or term.nulls == "LAST":
        return nested
    sign = "<=" if term.descending else ">="
    return f"({term.sql} {sign} {place} AND {nested})"  # what an index can look up


def _compared(term: _Term, place: str, *, null: bool) -> tuple[str, str]:
    """Return two SQL conditions: a row sorts after the value of a sort key, or has the value."""
    if null:  # the value is passed, too: its type must be known
        return (
            f"{term.sql} IS NOT NULL",
            f"({term.sql} IS NULL AND {term.sql} IS NOT DISTINCT FROM {place})",
        )
    after = f"{term.sql} {'<' if term.descending else '>'} {place}"
    if term.nulls == "LAST":
        after = f"({after} OR {term.sql} IS NULL)"
    return after, f"{term.sql} = {place}"


def _probe(text: _Text, keys: Sequence[SortKey]) -> Variant:
    """Return a query for the rows with given values of all sort keys except those that may be NULL.

    If the query returns at most one row, no two rows have equal sort keys.
    """
    numbers = list(text.variant.numbers)
    conditions = []
    for term in text.terms:
        if not term.nulls:
            numbers.append(keys[_place(keys, term) - 1].number)
            conditions.append(f"{term.sql} = ${len(numbers)}")
    clauses, sql = text.clauses, text.variant.sql
    tokens, at = clauses.tokens, clauses.at
    sql = sql[: tokens[at["ORDER"] - 1].end]
    condition = " AND ".join(conditions)
    if "WHERE" in at:
        start = tokens[at["WHERE"]].end
        sql = f"{sql[:start]} ({sql[start:]}\n) AND {condition}"
    else:
        sql = f"{sql}\nWHERE {condition}"
    return Variant((), sql, tuple(numbers), SourceMap(((0, keys[0].span.start, False),)))
