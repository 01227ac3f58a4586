"""The statistics of a production database, as a file in version control."""

from aiosqlc.analysis.planned.statistics import Statistics
from aiosqlc.config.project import QuerySet
from aiosqlc.production.statistics.declared import declared
from aiosqlc.production.statistics.file import StatisticsError, is_statistics, parsed, read, written
from aiosqlc.production.statistics.fitted import fitted, missing

__all__ = [
    "Statistics",
    "StatisticsError",
    "declared",
    "fitted",
    "is_statistics",
    "missing",
    "parsed",
    "read",
    "statistics_of",
    "written",
]


def statistics_of(entry: QuerySet) -> Statistics | None:
    """Return the statistics in the file that a configuration entry names, or None without a file.

    Raises `StatisticsError` if the file cannot be read.
    """
    if entry.production is None or entry.production.statistics is None:
        return None
    return read(entry.production.statistics)
