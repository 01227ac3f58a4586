"""Extend an engine's analyser with steps that analyse further SQL derived from a query."""

from __future__ import annotations

from aiosqlc.analysis.arrow import with_arrow
from aiosqlc.analysis.batchget import with_batchget
from aiosqlc.analysis.bulk import with_bulk
from aiosqlc.analysis.paging import with_pages
from aiosqlc.analysis.port import Analyze
from aiosqlc.source import Dialect


def in_passes(analyze: Analyze, engine: Dialect) -> Analyze:
    """Return an analyser that also supports `:bulk`, `:batchget`, `:arrow` and `:page`."""
    analyze = with_arrow(with_batchget(analyze, engine), engine)
    return with_pages(with_bulk(analyze, engine))
