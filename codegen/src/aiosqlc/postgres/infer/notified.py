"""Find the calls of pg_notify in a statement, and prove the structure of their payloads."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from msgspec.structs import replace

from aiosqlc.ir import Sent
from aiosqlc.postgres.catalog.facts import Facts
from aiosqlc.postgres.catalog.types import Types
from aiosqlc.postgres.infer.constants import text_constant
from aiosqlc.postgres.infer.documents import Documents
from aiosqlc.postgres.infer.oids import functions_in
from aiosqlc.postgres.infer.outputs import expression_type
from aiosqlc.postgres.infer.prover import Prover
from aiosqlc.postgres.infer.resolver import RESOLVER
from aiosqlc.postgres.infer.scope import Scope
from aiosqlc.postgres.tree import Node

_PG_NOTIFY = 3036  # the same in every version of the server
_JSON = frozenset({114, 3802})
_CASTS = frozenset({"COERCEVIAIO", "RELABELTYPE"})
_NOT_BUILT = "the structure of the JSON is unknown: no function such as json_build_object builds it"


def sent_in(
    facts: Facts, types: Types, nodes: Sequence[Node], nullable: Collection[int] = ()
) -> tuple[Sent, ...]:
    """Return the notifications that a statement's queries send on constant channels.

    `nullable` are the numbers of the parameters that may be NULL. Raise LookupError if a tree is
    not supported.
    """
    found: list[Sent] = []
    for node in nodes:
        statement = node["utilityStmt"]
        if statement is None and _PG_NOTIFY not in functions_in(node):
            continue
        if statement is not None:
            if statement.kind == "NOTIFYSTMT":
                why = "NOTIFY sends a constant text"
                found.append(Sent(str(statement["conditionname"]), why=why))
            continue
        prover = Prover(facts, RESOLVER, frozenset(nullable))
        found += _in_scope(Documents(prover, types), Scope(node, None, facts))
    return tuple(dict.fromkeys(found))


def _in_scope(documents: Documents, scope: Scope) -> Iterator[Sent]:
    for node in _of_level([value for _, value in scope.query.children()]):
        if node.kind == "QUERY":
            yield from _in_scope(documents, scope.inner(node))
        elif node.kind == "FUNCEXPR" and node["funcid"] == _PG_NOTIFY:
            channel, payload = node.list_of("args")
            if (name := text_constant(channel)) is not None:
                yield _sent(documents, scope, name, payload)


def _of_level(value: Any) -> Iterator[Node]:
    """Yield all nodes below a query, including nested queries, but not the nodes inside these."""
    if isinstance(value, list):
        for item in value:
            yield from _of_level(item)
    elif isinstance(value, Node):
        yield value
        if value.kind != "QUERY":
            yield from _of_level([inner for _, inner in value.children()])


def _sent(documents: Documents, scope: Scope, channel: str, payload: Node) -> Sent:
    document = payload
    while document.kind in _CASTS and expression_type(document) not in _JSON:
        document = document["arg"]
    if expression_type(document) not in _JSON:
        return Sent(channel, why="the payload is a text that is not cast from JSON")
    shape = documents.column(document, scope)
    if shape is None:
        return Sent(channel, why=_NOT_BUILT)
    null = documents.prover.infer(payload, scope).null
    return Sent(channel, shape=replace(shape, nullable=null))
