"""Render planned modules as Python source, and the JSON document for sqlc's plugins."""
