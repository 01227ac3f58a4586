"""Statistics that were read from a database, and the error if they cannot be read."""

from __future__ import annotations

from msgspec import Struct

from aiosqlc.analysis.planned.statistics import Statistics


class PullError(Exception):
    """Raised if statistics cannot be read; the message is a sentence for the user."""


class Pulled(Struct, frozen=True):
    """Statistics, and notes about objects that are missing in the database or in the schema."""

    statistics: Statistics
    notes: tuple[str, ...] = ()
