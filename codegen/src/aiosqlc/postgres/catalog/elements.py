"""Find array columns whose elements are never NULL because of a CHECK constraint."""

from __future__ import annotations

import re

from aiosqlc.postgres.catalog.facts import Facts

# Schemas declare by this CHECK that elements are not null.
_NO_NULLS = re.compile(r'CHECK \(\(array_position\("?(\w+)"?, NULL(?:::[\w ]+)?\) IS NULL\)\)')


def elements_checked(facts: Facts, relation: int, attribute: int) -> bool:
    """Return whether a CHECK constraint excludes NULL from a column's elements."""
    column = facts.attributes.get((relation, attribute))
    if column is None or list(facts.descendants(relation)):
        return False
    for constraint in facts.constraints.get(relation, ()):
        if constraint.kind == "c" and constraint.validated:
            match = _NO_NULLS.fullmatch(constraint.definition)
            if match and match.group(1) == column.name:
                return True
    return False
