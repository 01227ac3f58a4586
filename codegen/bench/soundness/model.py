"""Queries, what tools claim of them, and what rows show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Query:
    """One statement with `$1 …`. `source` is the kind of collection that it comes from."""

    name: str
    sql: str
    source: str


@dataclass(frozen=True, slots=True)
class Suite:
    """A schema, as whole statements, with queries over it. `own` is whether its text is ours."""

    name: str
    statements: tuple[str, ...]
    queries: tuple[Query, ...]
    own: bool = True

    @property
    def sql(self) -> str:
        """Return the schema as one text, without the statements that make rows."""
        return "".join(
            f"{statement};\n"
            for statement in self.statements
            if not statement.lower().startswith(("insert", "update", "set "))
        )


@dataclass(frozen=True, slots=True)
class Kind:
    """A type in a tool's language: a scalar's name, or `any`, `list`, `object`, `map`, `union`.

    `items` are the types of elements, members or alternatives; `keys` are those of an object, of
    which `absent` may be missing. `values` are the only values of a literal type.
    """

    name: str
    nullable: bool = False
    items: tuple[Kind, ...] = ()
    keys: tuple[str, ...] = ()
    absent: frozenset[str] = frozenset()
    values: tuple[str, ...] = ()


ANY = Kind("any", nullable=True)


@dataclass(frozen=True, slots=True)
class Claim:
    """The types that a tool gives to a query; `least` and `most` bound its number of rows."""

    columns: tuple[Kind, ...]
    params: tuple[Kind, ...] = ()
    least: int = 0
    most: int | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a tool does not type a query, in the tool's words."""

    reason: str


Verdict = Claim | Refusal
Verdicts = Mapping[str, Verdict]
"""The verdict on each query, by the query's name."""


@dataclass(frozen=True, slots=True)
class Refutation:
    """A claim that an execution contradicts; `replay` shows it again.

    `category` is `null`, `element`, `type`, `rows` or `parameter`. `rows` is the seed of the data
    set, and `arguments` are the values of the parameters, as texts.
    """

    id: str
    peer: str
    category: str
    suite: str
    query: str
    sql: str
    rows: int
    arguments: tuple[str | None, ...]
    claim: str
    observed: str
