"""Rewrite a `:page` query for keyset pagination, forward and backward from a cursor."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from aiosqlc.ir import OptionalPart, Paging, Param, ParsedQuery, SortKey, Variant
from aiosqlc.parse.clauses import Clauses, UnfitError, clauses_of, inserted
from aiosqlc.parse.scanner import Kind, Token, unquote
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


class _Term(Struct, frozen=True):
    """An item of ORDER BY. `nulls` is FIRST or LAST if the query contains it, or else ''."""

    sql: str
    start: int
    descending: bool = False
    nulls: str = ""

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
    first = clauses.tokens[clauses.at["SELECT"] + 1]
    if first.text.upper() == "DISTINCT":
        raise UnfitError("DISTINCT is not possible in the outermost SELECT", _SUBQUERY)
    items = _items(clauses.tokens[clauses.at["SELECT"] + 1 : clauses.at["FROM"]])
    order = clauses.of("ORDER")
    if not order or order[0].text.upper() != "BY":
        raise UnfitError("ORDER BY is missing", _NEEDS)
    found: dict[str, _Term] = {}  # an expression again changes nothing
    for item in _items(order[1:]):
        term = _term(variant.sql, item, items)
        found.setdefault(term.sql, term)
    terms = tuple(found.values())
    if terms[-1].nulls:
        raise UnfitError("the last sort key must not have NULLS FIRST or NULLS LAST", _NEEDS)
    return _Text(variant, clauses, terms)


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


def _term(sql: str, tokens: Sequence[Token], items: Sequence[Sequence[Token]]) -> _Term:
    nulls, descending = "", False
    words = [token.text.upper() for token in tokens]
    if words[-2:-1] == ["NULLS"] and words[-1] in {"FIRST", "LAST"}:
        nulls, tokens, words = words[-1], tokens[:-2], words[:-2]
    if words and words[-1] in {"ASC", "DESC"}:
        descending, tokens = words[-1] == "DESC", tokens[:-1]
    if not tokens or "USING" in words or tokens[0].kind is Kind.NUMBER:
        raise UnfitError(
            "ORDER BY with a position or with USING has no expression to compare", _NEEDS
        )
    if any(token.kind is Kind.PARAM or token.text == "$" for token in tokens):
        raise UnfitError("a parameter in ORDER BY would need to be part of the cursor", _NEEDS)
    text = sql[tokens[0].start : tokens[-1].end]
    if len(tokens) == 1:  # SQL looks for the name of an output column first
        text = _behind(sql, unquote(tokens[0]), items) or text
    return _Term(text, tokens[0].start, descending, nulls)


def _behind(sql: str, name: str, items: Sequence[Sequence[Token]]) -> str:
    """Return the expression of the output column with this name, or ''."""
    for item in items:
        last = item[-1]
        if last.kind in {Kind.NAME, Kind.QUOTED} and unquote(last).lower() == name.lower():
            before = item[-2].text.upper() if len(item) > 1 else ""
            if before in {"", "."}:
                return sql[item[0].start : last.end]
            end = item[-3 if before == "AS" else -2].end
            return f"({sql[item[0].start : end]})"
        called = next((at for at, token in enumerate(item) if token.text == "("), 0)
        if called and unquote(item[called - 1]).lower() == name.lower():
            return f"({sql[item[0].start : last.end]})"  # a function's name is that of its column
    return ""


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
        last = tokens[min(at[name] for name in ("WINDOW", "ORDER") if name in at) - 1]
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
    sql = sql[: tokens[min(at[name] for name in ("WINDOW", "ORDER") if name in at) - 1].end]
    condition = " AND ".join(conditions)
    if "WHERE" in at:
        start = tokens[at["WHERE"]].end
        sql = f"{sql[:start]} ({sql[start:]}\n) AND {condition}"
    else:
        sql = f"{sql}\nWHERE {condition}"
    return Variant((), sql, tuple(numbers), SourceMap(((0, keys[0].span.start, False),)))
