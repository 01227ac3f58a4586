"""The statistics that were read from a database, or the reason why they were not."""

from __future__ import annotations

from dataclasses import dataclass

from aiosqlc.analysis.planned.statistics import Statistics


class PullError(Exception):
    """Raised if statistics cannot be read; the message is a sentence for the user."""


@dataclass(frozen=True, slots=True)
class Pulled:
    """Statistics, and sentences about what is missing in the database or in the schema."""

    statistics: Statistics
    notes: tuple[str, ...] = ()
