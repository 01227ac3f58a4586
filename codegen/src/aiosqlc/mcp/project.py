"""Build the tools of a project: compile, select the queries, import their functions."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from aiosqlc.analysis.grants import Needs
from aiosqlc.config.policy import McpPolicy
from aiosqlc.config.project import Project, QuerySet
from aiosqlc.diagnostics import Diagnostic, Label
from aiosqlc.engines import Engine, engine_for
from aiosqlc.ir import TypedQuery
from aiosqlc.mcp.generated import functions_for
from aiosqlc.mcp.offers import NotOffered, Offer, Offers, offers_of
from aiosqlc.mcp.schemas import NoJsonFormError
from aiosqlc.mcp.tools import Tool, tool_of
from aiosqlc.pipeline.analysed import Analysed, options_of
from aiosqlc.plan.model import PyRow
from aiosqlc.plan.naming import argument


class Toolbox(Struct, frozen=True):
    """The tools of a project by name, and the queries that are not tools.

    `executor` converts a driver's connection to the first argument of the generated functions.
    """

    tools: Mapping[str, Tool]
    refused: tuple[NotOffered, ...]
    executor: Callable[[Any], Any]


def entry_of(project: Project, policy: McpPolicy) -> QuerySet | str:
    """Return the one entry of `sql` to which the policy applies, or else an error message."""
    named = [one for one in project.sets if policy.entry in {"", one.name}]
    if len(named) == 1:
        return named[0]
    if policy.entry:
        return f"`mcp.entry` names `{policy.entry}`, but no `sql` entry has this `name`"
    return "the configuration has several `sql` entries: set `mcp.entry` to the name of an entry"


def offers_in(part: Analysed, policy: McpPolicy) -> Offers:
    """Decide which queries of an analysed entry are tools."""
    with engine_for(part.entry.engine) as engine:

        def needs_of_one(query: TypedQuery) -> Needs:
            return needs_of(engine, part, [query])

        return offers_of(part.analysis.queries, policy, part.analysis.catalog, needs_of_one)


def needs_of(engine: Engine, part: Analysed, queries: Sequence[TypedQuery]) -> Needs:
    """Return the privileges that the SQL texts of the given queries need."""
    texts = [text for query in queries for text in _texts(query)]
    schema, shims = part.inputs.schema, part.inputs.shims
    return engine.needs(
        schema, part.analysis.catalog, options_of(part.entry, shims), list(dict.fromkeys(texts)), []
    )


def _texts(query: TypedQuery) -> Iterator[str]:
    yield query.sql
    yield from (variant.sql for variant in query.variants)


def mistakes_in(offers: Offers, project: Project, policy: McpPolicy) -> list[Diagnostic]:
    """Return an error for each name in a policy that matches nothing."""
    label = Label(project.file, policy.span, "in this section")
    return [Diagnostic("E003", one.message, (label,), one.hint) for one in offers.mistakes]


@contextlib.contextmanager
def toolbox_of(
    project: Project, part: Analysed, offers: Offers, policy: McpPolicy
) -> Iterator[Toolbox]:
    """Import the functions of offered queries and describe them as tools."""
    queries = list({o.source.parsed.name: o.source for o in offers.offered}.values())
    with functions_for(project, part, queries) as functions:
        tools: dict[str, Tool] = {}
        refused = list(offers.refused)
        for offer in offers.offered:
            found = _tool(offer, *functions.by_query[offer.query.parsed.name], policy.max_rows)
            if isinstance(found, Tool):
                tools[offer.name] = found
            else:
                refused.append(found)
        yield Toolbox(tools, tuple(refused), functions.executor)


def _tool(
    offer: Offer, call: Callable[..., Any], row: PyRow | None, most: int
) -> Tool | NotOffered:
    try:
        return tool_of(offer, call, row, most)
    except NoJsonFormError as error:
        return NotOffered(offer.query, f"JSON cannot represent a parameter of the type {error}")


def expanded(text: str, environ: Mapping[str, str]) -> str | list[str]:
    """Replace each `${NAME}` by the environment variable, or return the unset variables' names."""
    missing = [name for name in re.findall(r"\$\{(\w+)\}", text) if not environ.get(name)]
    return missing or re.sub(r"\$\{(\w+)\}", lambda found: environ[found[1]], text)


def bound_from(policy: McpPolicy, environ: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """Read the values of bound parameters from the environment. Also return unset variables."""
    missing = [name for _, name in policy.bind if not environ.get(name)]
    return {argument(p): environ[name] for p, name in policy.bind if name in environ}, missing
