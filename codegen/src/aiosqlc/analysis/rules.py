"""The class of a rule that proves facts such as NOT NULL. Each engine has a registry of rules."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

NOT_NULL, ELEMENTS, ROWS = "not null", "array elements", "rows"
EVERY_PART, ONE_PART = "no input is NULL", "at least one input is not NULL"


class Rule(Struct, frozen=True):
    """An inference rule. `source` is a chapter of the server's manual or a file of its source code.

    `applied_by` is the function that applies the rule. `premises` are the rule's preconditions, in
    addition to the kind of expression.
    """

    name: str
    claim: str
    statement: str
    source: str
    applied_by: str
    premises: tuple[str, ...] = ()


def table_of(rules: Iterable[Rule], level: str = "##") -> str:
    """Return a registry of rules as a Markdown table for the manual."""
    lines = []
    rules = tuple(rules)
    for claim in (NOT_NULL, ELEMENTS, ROWS):
        said = [
            f"| `{r.name}` | {r.statement} | {'; '.join(r.premises) or '–'} | {r.source} |"
            for r in rules
            if r.claim == claim
        ]
        if said:
            lines += [
                f"{level} {claim.capitalize()}",
                "",
                "| rule | meaning | preconditions | source |",
            ]
            lines += ["|---|---|---|---|", *said, ""]
    return "\n".join(lines)
