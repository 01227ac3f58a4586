"""Render planned modules as source, and sqlc's JSON document."""
