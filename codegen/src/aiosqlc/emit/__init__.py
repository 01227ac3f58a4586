"""Prints planned modules and sqlc's JSON document."""
