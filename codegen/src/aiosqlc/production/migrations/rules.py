"""The findings of `aiosqlc migrations check`: the meaning and the measured facts of each."""

from __future__ import annotations

from typing import Final

RULES: Final = {
    "M001": "a table is rewritten while a lock keeps queries waiting",
    "M002": "a table is read from end to end while a lock keeps queries waiting",
    "M003": "an index is built while a lock keeps queries waiting",
    "M004": "a lock that an earlier statement took is held during a change of many rows",
    "M005": "one statement changes the rows of a whole table, and keeps them locked",
    "M006": "a lock that queries wait for is requested without a lock_timeout",
    "M007": "a statement cannot run in the transaction that the tool runs it in",
    "M008": "queries that run now fail after the migration",
    "M009": "the migration removes data",
    "M010": "the rollback does not bring data back, or fails",
    "M011": "the migration fails on rows that the former schema allows",
    "M012": "`-- lock: accepted` without a reason",
}
