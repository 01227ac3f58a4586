"""The findings of `aiosqlc migrations check`, with their meaning and measured effects."""

from __future__ import annotations

from typing import Final

RULES: Final = {
    "M001": "a table is rewritten while a lock keeps queries waiting",
    "M002": "a table is read from end to end while a lock keeps queries waiting",
    "M003": "queries wait for a lock while an index is built",
    "M004": "a statement changes many rows while an earlier statement's lock is still held",
    "M005": (
        "one statement changes all rows of a table, and holds the row locks until the end of the "
        "transaction"
    ),
    "M006": "a statement requests a blocking lock, and no lock_timeout below one hour is set",
    "M007": "a statement cannot run in a transaction, but the migration tool runs it in one",
    "M008": "queries of the current code fail after the migration",
    "M009": "the migration removes data",
    "M010": "the rollback fails, or does not restore the data",
    "M011": "the migration fails on rows that the previous schema allows",
    "M012": "`-- lock: accepted` has no reason",
}
