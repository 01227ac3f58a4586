"""The generated file `json_documents.py`, which creates JSON decoders."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from aiosqlc.config.project import ModelKind


@cache
def json_documents(models: ModelKind, ending: str) -> str:
    """Return the file's source, based on pydantic for pydantic classes and on msgspec otherwise.

    `ending` is the driver's `json_reader`.
    """
    library = "pydantic" if models is ModelKind.PYDANTIC else "msgspec"
    written = files("aiosqlc.emit.written").joinpath(f"json_{library}{ending}.py")
    return written.read_text("utf-8")
