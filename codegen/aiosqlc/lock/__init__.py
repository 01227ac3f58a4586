"""Remembers an analysis beside the configuration, so that unchanged SQL needs no server at all.

The lock is committed; it is good for one compiler, schema and configuration.
"""

from aiosqlc.lock.document import FORMAT, Head, Known, Locked, lock_path
from aiosqlc.lock.keys import (
    as_locked,
    compiler_digest,
    complete_key,
    embedded_server,
    query_key,
    schema_key,
)
from aiosqlc.lock.reading import (
    keep_lock,
    other_format,
    read_head,
    read_lock,
    remembered,
    restore,
    restore_warnings,
)
from aiosqlc.lock.writing import print_lock

__all__ = [
    "FORMAT",
    "Head",
    "Known",
    "Locked",
    "as_locked",
    "compiler_digest",
    "complete_key",
    "embedded_server",
    "keep_lock",
    "lock_path",
    "other_format",
    "print_lock",
    "query_key",
    "read_head",
    "read_lock",
    "remembered",
    "restore",
    "restore_warnings",
    "schema_key",
]
