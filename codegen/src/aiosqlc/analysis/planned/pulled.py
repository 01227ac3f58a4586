"""The result of reading statistics from a database."""

from __future__ import annotations

from dataclasses import dataclass

from aiosqlc.analysis.planned.statistics import Statistics


class PullError(Exception):
    """Raised if statistics cannot be read; the text is a sentence for the user."""


@dataclass(frozen=True, slots=True)
class Pulled:
    """Statistics, with sentences about what the database or the schema lacks."""

    statistics: Statistics
    notes: tuple[str, ...] = ()
