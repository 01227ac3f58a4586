"""The declared structures of JSON that tables store: read, validate and apply them.

A declaration is not a proof. It decides Python types, and no rule of the provers depends on it.
"""

from aiosqlc.analysis.stored.apply import with_declared
from aiosqlc.analysis.stored.declarations import declared_shapes, sources_of

__all__ = ["declared_shapes", "sources_of", "with_declared"]
