"""Read the schema folders of any migration tool, without rollbacks."""

from aiosqlc.schema.read import read_schema, schema_file

__all__ = ["read_schema", "schema_file"]
