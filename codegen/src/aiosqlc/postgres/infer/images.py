"""Find the unique keys that treat two values as equal only if their stored bytes are equal."""

from __future__ import annotations

from aiosqlc.postgres.catalog.facts import FIRST_USER_OID, Facts
from aiosqlc.relational.tree import KeyPart

# Built-in types with such an `=`; for text, if the collation is deterministic.
_IMAGE_TYPES = frozenset({
    "int2", "int4", "int8", "oid", "bool", "uuid", "date", "timestamp", "timestamptz", "time",
    "bytea", "name", "text", "char", "xid8", "tid", "pg_lsn", "macaddr", "macaddr8", "anyenum",
})  # fmt: skip


def keys_compare_images(facts: Facts, relation: int, column: int) -> bool:
    """Return whether every unique index on a column compares the stored bytes.

    Return False if there is no such index.
    """
    parts = [
        part
        for key in facts.unique_keys(relation, with_children=False)
        for part in key.parts
        if part.column == column
    ]
    return bool(parts) and all(_compares_images(facts, part) for part in parts)


def _compares_images(facts: Facts, part: KeyPart) -> bool:
    if part.cls is None or not isinstance(part.collation, int):
        return False
    family, kind = part.cls
    return (
        isinstance(family, int)
        and isinstance(kind, int)
        and family < FIRST_USER_OID
        and facts.is_built_in_type(kind)
        and facts.type_name(kind) in _IMAGE_TYPES
        and facts.deterministic(part.collation)
    )
