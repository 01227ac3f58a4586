"""Sampled CPU profiles of the event loop's thread, in common formats."""

from __future__ import annotations

import asyncio
from enum import StrEnum
from typing import Final

from pyinstrument import Profiler
from pyinstrument.renderers import HTMLRenderer, PstatsRenderer, Renderer, SpeedscopeRenderer

from lib.errors import AppError, Code

_INTERVAL_SECONDS: Final = 0.001
_running = asyncio.Lock()


class CpuFormat(StrEnum):
    """The format of a profile: for speedscope.app, for `pstats` or snakeviz, or an HTML page."""

    SPEEDSCOPE = "speedscope"
    PSTATS = "pstats"
    HTML = "html"


_RENDERERS: Final[dict[CpuFormat, type[Renderer]]] = {
    CpuFormat.SPEEDSCOPE: SpeedscopeRenderer,
    CpuFormat.PSTATS: PstatsRenderer,
    CpuFormat.HTML: HTMLRenderer,
}
CONTENT_TYPES: Final = {
    CpuFormat.SPEEDSCOPE: "application/json",
    CpuFormat.PSTATS: "application/octet-stream",
    CpuFormat.HTML: "text/html",
}


async def profile_cpu(seconds: float, fmt: CpuFormat) -> bytes:
    """Sample this thread for `seconds` and return the profile, while the process keeps working.

    Raises:
        AppError: CONFLICT if another profile is in progress.
    """
    if _running.locked():
        raise AppError(Code.CONFLICT, "another CPU profile is in progress")
    async with _running:
        # Everything the thread does, not only what descends from this coroutine.
        profiler = Profiler(interval=_INTERVAL_SECONDS, async_mode="disabled")
        profiler.start()
        try:
            await asyncio.sleep(seconds)
        finally:
            session = profiler.stop()
    text = _RENDERERS[fmt]().render(session)
    # The library hands a binary format over as text with surrogates.
    return text.encode("utf-8", "surrogateescape")
