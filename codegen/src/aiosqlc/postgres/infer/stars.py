"""Find each `*` and the columns that replace it, so that a column added later changes no result.

The columns are only proposed. `postgres.written` compares the server's parse trees of both texts,
and keeps a `*` if the replacement is not proved to be the same query.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from aiosqlc.parse.scanner import Kind, Token, code_tokens
from aiosqlc.postgres.infer import kinds
from aiosqlc.postgres.infer.listed import listed_stars
from aiosqlc.postgres.infer.outputs import parts_of
from aiosqlc.postgres.tree import Node, located

_PLAIN = re.compile(r"[a-z_][a-z0-9_$]*")
_QUERY = "{QUERY "
# An entry of a list that is a column, and the text between two entries of a list.
_ENTRY = re.compile(
    r"\{TARGETENTRY :expr \{VAR :varno \d+ :varattno [1-9]\d* [^{}]* :location (\d+)\} :resno \d+"
    r" :resname ((?:\\.|[^\s\\])+) :ressortgroupref \d+ :resorigtbl \d+ :resorigcol \d+"
    r" :resjunk false\}"
)
_BETWEEN = 1
_FIXED = frozenset({kinds.Rte.FUNCTION, kinds.Rte.VALUES, kinds.Rte.TABLEFUNC})
_GROUPED = ":hasGroupRTE true"
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
# The tokens before an item of a select list or RETURNING list. The parenthesis ends DISTINCT ON (…)
# or RETURNING WITH (…).
_BEFORE_ITEMS = frozenset({"SELECT", "DISTINCT", "ALL", "RETURNING", ",", ")"})
# The same in a text of ASCII characters without these: strings, quoted names and comments.
_NOT_PLAIN = re.compile(r"['\"]|--|/\*|\$(?!\d)|[^\x00-\x7f]")
_ITEM = re.compile(
    r"(?:(?<![\w$])(?:SELECT|DISTINCT|ALL|RETURNING)(?![\w$])|[,)])\s*"
    r"((?:[A-Z_][\w$]*\s*\.\s*)*)\*(?![-+*/<>=~!@#%^&|`?])",
    re.IGNORECASE | re.ASCII,
)


class Star(Struct, frozen=True):
    """A `*`: its position in the text, its columns, and the position of the columns in the result.

    `first` is the index of the first column in the result, or None for a `*` in a subquery that is
    not an operand of a set operation. `varno` is the range table entry of the columns, or 0 if
    there are several entries. `fixed` is true if all columns come from VALUES or functions, whose
    columns do not change with a table. `unknown` means that the tree does not show the columns.
    Then `text` is the `*` itself.
    """

    start: int
    end: int
    text: str
    count: int
    first: int | None
    varno: int
    fixed: bool = False
    unknown: bool = False


class _Place(Struct, frozen=True):
    """A `*` in the text that may stand for columns, with the qualifier before it, such as `a.`."""

    start: int
    end: int
    qualifier: str
    spaced_before: bool
    spaced_after: bool

    def star(self, columns: str, count: int, first: int | None = None, varno: int = 0) -> Star:
        """Return the `*` at this position, with the columns that replace it."""
        before = "" if self.spaced_before else " "
        after = "" if self.spaced_after else " "
        return Star(self.start, self.end, f"{before}{columns}{after}", count, first, varno)


class _Member(Struct, frozen=True):
    """An entry of a select list: its index, its name, and its column as the user wrote it."""

    index: int
    name: str
    var: Node
    grouped: bool

    @property
    def column(self) -> tuple[int, int, int, int]:
        """Return a key that identifies the column; two entries of one `*` have different keys."""
        var = self.var
        returning = var.get("varreturningtype", 0)
        return (var["varlevelsup"], var["varnosyn"], var["varattnosyn"], returning)


def find_stars(
    sql: str, dump: str, reserved: Collection[str], *, embeds: bool = False
) -> tuple[Star, ...]:
    """Return each `*` in the select and RETURNING lists of a query and its subqueries, in order.

    With `embeds`, the position of each star's columns in the result is also determined.
    """
    if sql.count("*") == sql.count("(*"):  # no star, or only `count(*)`
        return ()
    found = _known_stars(sql, dump, reserved, embeds=embeds)
    if len(found) == sql.count("*"):
        return tuple(found)
    ends = {star.end for star in found}
    unknown = [
        Star(start, end, sql[start:end], 0, None, 0, unknown=True)
        for start, end in listed_stars(sql)
        if end not in ends
    ]
    return tuple(sorted([*found, *unknown], key=lambda star: star.start))


def _known_stars(
    sql: str, dump: str, reserved: Collection[str], *, embeds: bool
) -> tuple[Star, ...]:
    """Return each `*` whose columns the parse tree shows: they have the position of the `*`."""
    places = _places(sql)
    if not places:
        return ()
    plain = None if embeds or _GROUPED in dump else _plain_stars(dump, places, reserved)
    if plain is not None:
        return plain
    stars: dict[int, Star] = {}
    for top in located(dump):
        shown = [top["rtable"][n - 1]["subquery"] for n in parts_of(top)] or [top]
        for query in _queries(top):
            for star in _stars_of(query, places, reserved, main=query in shown):
                stars[star.start] = star
    return tuple(stars[start] for start in sorted(stars))


def expand(sql: str, stars: Collection[Star]) -> str:
    """Replace each `*` by its columns."""
    for star in sorted(stars, key=lambda s: s.start, reverse=True):
        sql = sql[: star.start] + star.text + sql[star.end :]
    return sql


def quote(name: str, reserved: Collection[str]) -> str:
    """Quote an identifier if necessary."""
    if _PLAIN.fullmatch(name) and name not in reserved:
        return name
    return '"' + name.replace('"', '""') + '"'


# --- in the text ----------------------------------------------------------------------------------


def _places(sql: str) -> dict[int, _Place]:
    """Return each `*` in the text that may stand for columns, by byte offset.

    The result may include the asterisk of a multiplication, because no column in the tree has its
    position.
    """
    found = {}
    if not _NOT_PLAIN.search(sql):
        for item in _ITEM.finditer(sql):
            qualifier = "".join(item[1].split())
            found[item.start(1)] = _place(sql, item.start(1), item.end(), qualifier)
        return found
    tokens = code_tokens(sql)
    for at, token in enumerate(tokens):
        if token.text != "*" or not at:
            continue
        first = _item(tokens, at)
        if first is None:
            continue
        start, end = tokens[first].start, token.end
        offset = start if sql.isascii() else len(sql[:start].encode())
        found[offset] = _place(sql, start, end, "".join(part.text for part in tokens[first:at]))
    return found


def _place(sql: str, start: int, end: int, qualifier: str) -> _Place:
    return _Place(
        start,
        end,
        qualifier,
        spaced_before=not (_is_word(sql[start - 1 : start]) or sql[start - 1] == ")"),
        spaced_after=not _is_word(sql[end : end + 1]),
    )


def _item(tokens: Sequence[Token], star: int) -> int | None:
    """Return the index of the token where `a.b.*` or `*` begins, or None for a multiplication."""
    first = star
    while first >= 2 and tokens[first - 1].text == "." and _is_name(tokens[first - 2]):
        first -= 2
    before = tokens[first - 1].text.upper() if first else ""
    return first if before in _BEFORE_ITEMS else None


def _is_name(token: Token) -> bool:
    return token.kind in {Kind.NAME, Kind.QUOTED}


def _is_word(char: str) -> bool:
    return char.isalnum() or char in {"_", "$", '"'} or (bool(char) and not char.isascii())


# --- in the tree's text ---------------------------------------------------------------------------


def _plain_stars(
    dump: str, places: dict[int, _Place], reserved: Collection[str]
) -> tuple[Star, ...] | None:
    """Find each `*` in the parse tree; return None if two columns of a `*` have the same name.

    A select list is in the tree before the lists that repeat its columns (INSERT, set operations).
    So the first group of entries with the position of a `*` belongs to this `*`.
    """
    runs: dict[int, list[str]] = {}
    last_place = last_end = -1
    for entry in _ENTRY.finditer(dump):
        place = int(entry[1])
        follows = place == last_place and entry.start() == last_end + _BETWEEN
        if place in places and (follows or place not in runs):
            name = entry[2]
            if "\\" in name:
                name = _ESCAPED.sub(r"\1", name)
            runs.setdefault(place, []).append(name)
            last_place, last_end = place, entry.end()
        else:
            last_place = -1
    if any(len(set(names)) < len(names) for names in runs.values()):
        return None
    stars = []
    for at in sorted(runs):
        columns = ", ".join(places[at].qualifier + quote(name, reserved) for name in runs[at])
        stars.append(places[at].star(columns, len(runs[at])))
    return tuple(stars)


# --- in the tree ----------------------------------------------------------------------------------


def _queries(value: Any) -> Iterator[Node]:
    """Yield all query nodes in a value of a parse tree; the value itself may be one."""
    if isinstance(value, list):
        for item in value:
            yield from _queries(item)
    elif isinstance(value, Node) and _QUERY in value.text:
        if value.kind == "QUERY":
            yield value
        for _, inner in value.children():
            yield from _queries(inner)


def _stars_of(
    query: Node, places: dict[int, _Place], reserved: Collection[str], *, main: bool
) -> Iterator[Star]:
    members = _members(query)
    for offset, run in _runs(members, places).items():
        place = places[offset]
        columns = _columns(query, place.qualifier, run, reserved)
        entries = {0 if m.var["varlevelsup"] else int(m.var["varno"]) for m in run}
        first = run[0].index if main else None
        star = place.star(columns, len(run), first, min(entries) if len(entries) == 1 else 0)
        fixed = all(entry and query["rtable"][entry - 1]["rtekind"] in _FIXED for entry in entries)
        yield replace(star, fixed=fixed)


def _members(query: Node) -> list[_Member]:
    """Return the list entries that the user wrote; the server adds others for INSERT and UNION.

    Since PostgreSQL 18, a grouped column refers to its key. The key has one position, which may be
    that in the select list or that in GROUP BY.
    """
    if query["commandType"] != kinds.Command.SELECT:
        written = query.list_of("returningList")
    else:
        written = query.list_of("targetList") if query["setOperations"] is None else []
    found = []
    for index, target in enumerate(target for target in written if not target["resjunk"]):
        var, grouped = target["expr"], False
        if var.kind == "VAR" and not var["varlevelsup"]:
            entry = query["rtable"][var["varno"] - 1]
            if entry["rtekind"] == kinds.Rte.GROUP:
                var, grouped = entry["groupexprs"][var["varattno"] - 1], True
        if var.kind == "VAR" and var["varattno"] > 0:  # a `*` has no whole row as a column
            found.append(_Member(index, str(target["resname"]), var, grouped))
    return found


def _runs(members: list[_Member], places: dict[int, _Place]) -> dict[int, list[_Member]]:
    """Return the select list entries of each `*`, by the position of the `*`.

    They are adjacent entries with this position, and each is a different column.
    """
    by_index = {member.index: member for member in members}
    certain: dict[int, list[_Member]] = {}
    guessed: dict[int, list[_Member]] = {}
    for member in members:
        place = member.var["location"]
        if place in places:
            (guessed if member.grouped else certain).setdefault(place, []).append(member)
    taken = {member.index for run in certain.values() for member in run}
    runs = {}
    for place in sorted(certain.keys() | guessed.keys()):
        seeds = certain.get(place) or guessed[place][:1]
        first, last = seeds[0].index, seeds[-1].index
        inside = [by_index.get(index) for index in range(first, last + 1)]
        run = [member for member in inside if member is not None]
        if len(run) < len(inside):
            continue
        run = _widened(run, by_index, taken)
        if len({member.column for member in run}) == len(run):
            runs[place] = run
            taken |= {member.index for member in run}
    return runs


def _widened(
    run: list[_Member], by_index: dict[int, _Member], taken: Collection[int]
) -> list[_Member]:
    """Extend the columns of a `*` by adjacent grouped columns that can belong to the same `*`."""
    columns = {member.column for member in run}
    relations = {member.column[:2] for member in run}
    for step in (-1, 1):
        while True:
            end = run[0] if step < 0 else run[-1]
            beside = by_index.get(end.index + step)
            if beside is None or not beside.grouped or beside.index in taken:
                break
            if beside.column in columns or beside.column[:2] not in relations:
                break
            columns.add(beside.column)
            run = [beside, *run] if step < 0 else [*run, beside]
    return run


def _columns(query: Node, qualifier: str, run: Sequence[_Member], reserved: Collection[str]) -> str:
    """Return the SQL that lists the columns of a `*`.

    The columns get the qualifier of the `*`. If there is none, equal names get a table's name.
    """
    seen = Counter(member.name for member in run)
    parts = []
    for member in run:
        table = qualifier
        level, entry, *_ = member.column
        if not table and seen[member.name] > 1 and entry and not level:
            table = quote(str(query["rtable"][entry - 1]["eref"]["aliasname"]), reserved) + "."
        parts.append(table + quote(member.name, reserved))
    return ", ".join(parts)
