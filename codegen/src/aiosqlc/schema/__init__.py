"""Reads schema folders of any migration tool into what takes the database forward."""

from aiosqlc.schema.read import read_schema, schema_file

__all__ = ["read_schema", "schema_file"]
