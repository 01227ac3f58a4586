"""The generated files `json_documents.py` and `stored_json.py`, which decode JSON."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from aiosqlc.config.project import ModelKind


@cache
def json_documents(models: ModelKind, ending: str) -> str:
    """Return the source of `json_documents.py`, which uses pydantic for pydantic classes.

    For other classes, it uses msgspec.

    `ending` is the driver's `json_reader`.
    """
    library = "pydantic" if models is ModelKind.PYDANTIC else "msgspec"
    written = files("aiosqlc.emit.written").joinpath(f"json_{library}{ending}.py")
    return written.read_text("utf-8")


@cache
def stored_json(models: ModelKind) -> str:
    """Return the source of the file that reads and writes stored JSON with a declared structure."""
    library = "pydantic" if models is ModelKind.PYDANTIC else "msgspec"
    return files("aiosqlc.emit.written").joinpath(f"stored_{library}.py").read_text("utf-8")
