"""Render the Arrow schema of a query, and the module that builds Arrow record batches."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from aiosqlc.emit.literal import line_literal
from aiosqlc.plan.model import PyArrow


@cache
def arrow_batch() -> str:
    """Return the source of the file that builds record batches."""
    return files("aiosqlc.emit.written").joinpath("arrow_batch.py").read_text("utf-8")


def print_schema(arrow: PyArrow) -> str:
    """Return the source of a constant with the Arrow schema of a query."""
    fields = "".join(
        f"    pyarrow.field({line_literal(name)}, {kind}"
        f"{'' if nullable else ', nullable=False'}),\n"
        for name, kind, nullable in arrow.fields
    )
    return f"{arrow.schema}: Final = arrow_schema(\n{fields})"
