"""The stacks of all threads and tasks as text."""

from __future__ import annotations

import asyncio
import io
import sys
import threading
import traceback


def render_stacks() -> str:
    """Return the stacks of all threads, then of all tasks of the running loop, by name."""
    out = io.StringIO()
    frames = sys._current_frames()  # noqa: SLF001 - the documented way to see other threads
    for thread in sorted(threading.enumerate(), key=lambda each: each.name):
        out.write(f"thread {thread.name}{' (daemon)' if thread.daemon else ''}\n")
        if thread.ident in frames:
            out.writelines(traceback.format_stack(frames[thread.ident]))
        out.write("\n")
    for task in sorted(asyncio.all_tasks(), key=lambda each: each.get_name()):
        task.print_stack(file=out)
        out.write("\n")
    return out.getvalue()
