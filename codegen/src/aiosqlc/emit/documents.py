"""The file with the function that makes decoders of JSON."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from aiosqlc.config.project import ModelKind


@cache
def json_documents(models: ModelKind) -> str:
    """Return the source: pydantic's classes are made by pydantic, all others by msgspec."""
    name = "pydantic" if models is ModelKind.PYDANTIC else "msgspec"
    return files("aiosqlc.emit.written").joinpath(f"json_{name}.py").read_text("utf-8")
