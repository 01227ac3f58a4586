"""Store an analysis beside the configuration, so that unchanged SQL needs no server.

The lock is committed; it is good for one compiler, schema and configuration.
"""

from aiosqlc.lock.document import Known, Locked
from aiosqlc.lock.keys import complete_key, schema_key
from aiosqlc.lock.reading import (
    keep_lock,
    known_of,
    read_lock,
    restore,
    restore_warnings,
)
from aiosqlc.lock.writing import print_lock

__all__ = [
    "Known",
    "Locked",
    "complete_key",
    "keep_lock",
    "known_of",
    "print_lock",
    "read_lock",
    "restore",
    "restore_warnings",
    "schema_key",
]
