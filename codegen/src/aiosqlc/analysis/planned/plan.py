"""The plan of a query as a tree of immutable nodes."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace


class Plan(Struct, frozen=True):
    """A node of a plan, with its inputs in `children`.

    `node` is the server's name of the node's type (`Index Scan`), and `join` is the type of a join
    (`Inner`). `relation` and `index` are names, with the schema before a dot unless the schema is
    `public`. They are '' for a node that reads no relation or index. `alias` is the name of the
    relation in the query. `rows` and `width` (in bytes) are estimates. `startup` and `cost` are the
    planner's costs before the first row and for all rows, including the costs of the children.
    `conditions` are pairs of a kind (`Index Cond`, `Filter`, `Hash Cond`, `Sort Key`) and a text.
    `details` are further pairs that depend on the node's type (`Strategy`, `Workers Planned`,
    `Subplan Name`).
    """

    node: str
    rows: int
    cost: float
    startup: float = 0.0
    width: int = 0
    join: str = ""
    relation: str = ""
    alias: str = ""
    index: str = ""
    conditions: tuple[tuple[str, str], ...] = ()
    details: tuple[tuple[str, str], ...] = ()
    children: tuple[Plan, ...] = ()

    def walk(self) -> Iterator[Plan]:
        """Yield this node and all nodes below it; a node comes before its children."""
        yield self
        for child in self.children:
            yield from child.walk()

    def without_conditions(self) -> Plan:
        """Return the same plan without the texts of conditions, which may contain values."""
        children = tuple(child.without_conditions() for child in self.children)
        return replace(self, conditions=(), children=children)

    def condition(self, kind: str) -> str:
        """Return the text of the node's condition of this kind (`Filter`), or ''."""
        return dict(self.conditions).get(kind, "")

    def detail(self, name: str) -> str:
        """Return the text of the node's detail with this name (`Strategy`), or ''."""
        return dict(self.details).get(name, "")

    @property
    def shape(self) -> tuple[object, ...]:
        """Return the plan's node types, join order and access paths, without estimates."""
        inner = tuple(child.shape for child in self.children)
        return (self.node, self.join, self.relation, self.alias, self.index, inner)
