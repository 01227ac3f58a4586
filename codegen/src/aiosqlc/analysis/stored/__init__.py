"""The declared structures of the JSON that tables store: read, validate and apply them.

A declaration is not a proof. It decides Python types, and no proof depends on it.
"""

from aiosqlc.analysis.stored.apply import with_declared
from aiosqlc.analysis.stored.declarations import column_of, declared_shapes, sources_of
from aiosqlc.analysis.stored.fits import misfit
from aiosqlc.analysis.stored.names import distinct_names

__all__ = [
    "column_of",
    "declared_shapes",
    "distinct_names",
    "misfit",
    "sources_of",
    "with_declared",
]
