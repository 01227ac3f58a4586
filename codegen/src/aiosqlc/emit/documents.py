"""The generated file `json_documents.py`, which creates JSON decoders."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from aiosqlc.config.project import ModelKind


@cache
def json_documents(models: ModelKind) -> str:
    """Return the file's source, based on pydantic for pydantic classes and on msgspec otherwise."""
    name = "pydantic" if models is ModelKind.PYDANTIC else "msgspec"
    return files("aiosqlc.emit.written").joinpath(f"json_{name}.py").read_text("utf-8")
