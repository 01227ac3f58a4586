"""Select the queries that an assistant may call, from the policy and the compiler's proofs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from aiosqlc.analysis.batchget import batch_name
from aiosqlc.analysis.bulk import is_bulk
from aiosqlc.analysis.grants import Needs, Right
from aiosqlc.config.policy import McpPolicy
from aiosqlc.ir import Catalog, Column, ColumnRef, Command, TypedQuery
from aiosqlc.messages.suggest import did_you_mean
from aiosqlc.parse.scanner import code_tokens
from aiosqlc.plan.batchget import many_of
from aiosqlc.plan.naming import argument, snake
from aiosqlc.plan.paging import without_hidden

OFFERED_COMMANDS: Final = frozenset(
    {Command.ONE, Command.MANY, Command.STREAM, Command.PAGE, Command.EXEC, Command.EXECROWS}
)
_COUNTS: Final = frozenset({"LIMIT", "OFFSET", "FETCH"})
_LONGEST_NAME: Final = 64  # longest name, in characters, that all clients accept


class Offer(Struct, frozen=True):
    """A query that is served as a tool.

    `writes` is true if the query can write, which the policy then allows. `bound` are the Python
    names of the parameters that the assistant cannot pass. `reads` are the tables and columns that
    the query reads, such as `person (id, name)`. `masked` are the positions of the result columns
    whose values are hidden. If the tool takes many keys, `single` is the project's `:batchget`
    query, and `query` is its version for many keys.
    """

    name: str
    query: TypedQuery
    writes: bool = False
    bound: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    masked: frozenset[int] = frozenset()
    single: TypedQuery | None = None

    @property
    def source(self) -> TypedQuery:
        """Return the project's query from which the tool's function is generated."""
        return self.single or self.query


class NotOffered(Struct, frozen=True):
    """A query that the policy names, but that cannot be a tool, with the reason."""

    query: TypedQuery
    why: str


class Mistake(Struct, frozen=True):
    """The error message for a name in a policy that matches nothing, and a hint or ''."""

    message: str
    hint: str = ""


class Offers(Struct, frozen=True):
    """The tools that a policy selects, the refused queries, and the mistakes in the policy.

    `mistakes` lists names in the policy that match nothing.
    """

    offered: tuple[Offer, ...] = ()
    refused: tuple[NotOffered, ...] = ()
    mistakes: tuple[Mistake, ...] = ()


def offers_of(
    queries: Sequence[TypedQuery],
    policy: McpPolicy,
    catalog: Catalog,
    needs_of: Callable[[TypedQuery], Needs],
) -> Offers:
    """Decide for each query whether it becomes a tool.

    `needs_of` returns the privileges that one query needs.
    """
    single = {batch_name(q.parsed.name): q for q in queries if q.batch}
    many = [many_of(q, q.batch) for q in queries if q.batch]
    queries = [*queries, *many]
    asked = [q for q in queries if any(fnmatchcase(q.parsed.name, p) for p in policy.queries)]
    offered: dict[str, Offer] = {}
    refused: list[NotOffered] = []
    for query in asked:
        found = _decide(query, policy, catalog, needs_of)
        if isinstance(found, Offer) and found.name in offered:
            other = offered[found.name].query.parsed.place
            found = f"`{other}` has the same tool name `{found.name}`"
        if isinstance(found, Offer):
            name = query.parsed.name
            of = single.get(name) if any(query is one for one in many) else None
            offered[found.name] = replace(found, single=of)
        else:
            refused.append(NotOffered(query, found))
    mistakes = tuple(_mistakes(policy, queries, asked, catalog))
    return Offers(tuple(offered.values()), tuple(refused), mistakes)


def _decide(
    query: TypedQuery,
    policy: McpPolicy,
    catalog: Catalog,
    needs_of: Callable[[TypedQuery], Needs],
) -> Offer | str:
    """Return the tool of a query, or the reason why the query is not a tool."""
    name, command = query.parsed.name, query.parsed.command
    if command not in OFFERED_COMMANDS:
        return f"a `:{command.value}` query cannot be a tool"
    if is_bulk(query.parsed):
        return "a `:bulk` query cannot be a tool"
    if len(snake(name)) > _LONGEST_NAME:
        return f"the name of the query's tool is longer than {_LONGEST_NAME} characters"
    writes = name in policy.writes
    if not query.read_only and not writes:
        return (
            f"the query is not proved to be read-only ({query.unproved_reading}), and `writes` "
            "does not list the query"
        )
    bound = _bound(query, policy)
    if isinstance(bound, str):
        return bound
    needs = needs_of(query)
    if needs.unknown:
        return f"the columns that the query reads cannot be determined: {needs.unknown[0]}"
    masked = _hidden(query, policy, catalog, needs)
    if isinstance(masked, str):
        return masked
    reads = tuple(sorted(_names(right) for right in needs.rights if right.privilege == "SELECT"))
    return Offer(snake(name), query, writes and not query.read_only, bound, reads, masked)


def _bound(query: TypedQuery, policy: McpPolicy) -> tuple[str, ...] | str:
    """Return the parameters that `bind` sets, or the reason why the query is refused."""
    names = {param.name for param in query.params}
    missing = [name for name, _ in policy.bind if name not in names]
    if missing and query.parsed.name not in policy.unbound:
        return (
            f"the query has no parameter `{missing[0]}` for `bind`, and `unbound` does not list "
            "the query"
        )
    return tuple(argument(name) for name, _ in policy.bind if name in names)


def _hidden(
    query: TypedQuery, policy: McpPolicy, catalog: Catalog, needs: Needs
) -> frozenset[int] | str:
    """Return the positions of masked result columns, or the reason why masking is not safe."""
    if not policy.mask and not policy.forbid:
        return frozenset()
    views = {
        (table.schema, table.name) for table in catalog.tables if table.kind in {"view", "matview"}
    }
    for right in sorted(needs.rights, key=_names):
        is_view = (right.schema or catalog.default_schema, right.name) in views
        is_routine = right.kind in {"FUNCTION", "PROCEDURE"}
        if (is_view or is_routine) and right.name not in policy.reviewed:
            kind = "view" if is_view else "function"
            return (
                f"the {kind} `{right.name}` may read hidden columns, and `reviewed` does not list "
                "it"
            )
        for name in policy.forbid:
            if _touches(right, _named(catalog, name)):
                return f"the query needs `{name}`, which `forbid` lists"
    unknown = sorted(needs.fired - set(policy.reviewed))
    if unknown and query.parsed.command.returns_rows:
        return (
            f"the trigger function `{unknown[0]}` may put hidden columns into the returned rows, "
            "and `reviewed` does not list it"
        )
    reads = [right for right in needs.rights if right.privilege == "SELECT"]
    reads_masked = [
        name
        for name in policy.mask
        if any(_touches(right, _named(catalog, name)) for right in reads)
    ]
    if not reads_masked:
        return frozenset()
    if _counts_by_subquery(query.sql):
        return (
            "a subquery in LIMIT or OFFSET decides the number of rows, which could reveal the "
            f"masked column `{reads_masked[0]}`"
        )
    columns = without_hidden(query).columns
    for column in columns:
        if column.origin is None:
            return (
                f"the result column `{column.name}` is an expression, which could reveal"
                f" the masked column `{reads_masked[0]}`"
            )
    return frozenset(
        position
        for position, column in enumerate(columns)
        if any(_is(ref, name) for ref in _origins(column) for name in policy.mask)
    )


def _counts_by_subquery(sql: str) -> bool:
    """Return whether LIMIT, OFFSET or FETCH contains a subquery; they are last in their query."""
    depth, at = 0, -1
    for token in code_tokens(sql):
        word = token.text.upper()
        depth += (word == "(") - (word == ")")
        if depth < at:
            at = -1
        if at < 0 and word in _COUNTS:
            at = depth
        if at >= 0 and word == "SELECT":
            return True
    return False


def _origins(column: Column) -> Iterator[ColumnRef]:
    yield from (ref for ref in (column.origin, column.via, column.kept) if ref is not None)


def _is(ref: ColumnRef, name: str) -> bool:
    """Return whether a name in a policy, with or without a schema, is the name of this column."""
    return name in {f"{ref.table}.{ref.column}", f"{ref.schema}.{ref.table}.{ref.column}"}


def _named(catalog: Catalog, name: str) -> list[ColumnRef]:
    """Return the columns that a policy names: several if the name has no schema."""
    return [ref for ref in catalog.columns if _is(ref, name)]


def _touches(right: Right, refs: Iterable[ColumnRef]) -> bool:
    """Return whether a privilege on a table includes at least one of the given columns."""
    return right.kind == "TABLE" and any(
        ref.table == right.name
        and right.schema in {"", ref.schema}
        and (right.columns is None or ref.column in right.columns)
        for ref in refs
    )


def _names(right: Right) -> str:
    """Return a privilege as text: `table (column, column)`."""
    table = f"{right.schema}.{right.name}" if right.schema else right.name
    return table if right.columns is None else f"{table} ({', '.join(sorted(right.columns))})"


def _mistakes(
    policy: McpPolicy,
    queries: Sequence[TypedQuery],
    asked: Sequence[TypedQuery],
    catalog: Catalog,
) -> Iterator[Mistake]:
    """Yield each name in a policy that matches nothing and therefore protects nothing."""
    names = [query.parsed.name for query in queries]
    for pattern in policy.queries:
        if not any(fnmatchcase(name, pattern) for name in names):
            yield Mistake(
                f"`queries` contains `{pattern}`, but there is no such query",
                did_you_mean(pattern, names),
            )
    wanted = {query.parsed.name for query in asked}
    for key, listed in (("writes", policy.writes), ("unbound", policy.unbound)):
        for name in listed:
            if name not in wanted:
                yield Mistake(f"`{key}` contains `{name}`, but `queries` does not")
    short = [f"{ref.table}.{ref.column}" for ref in catalog.columns]
    full = [f"{ref.schema}.{ref.table}.{ref.column}" for ref in catalog.columns]
    for key, columns in (("mask", policy.mask), ("forbid", policy.forbid)):
        for name in columns:
            if not _named(catalog, name):
                yield Mistake(
                    f"`{key}` contains `{name}`, but there is no such column",
                    did_you_mean(name, full if name.count(".") > 1 else short),
                )
    params = {param.name for query in asked for param in query.params}
    for name in _unknown(policy.bind, params):
        yield Mistake(f"`bind` contains `{name}`, but no query of `queries` has this parameter")


def _unknown(bind: Iterable[tuple[str, str]], params: set[str]) -> Iterator[str]:
    yield from (name for name, _ in bind if name not in params)
