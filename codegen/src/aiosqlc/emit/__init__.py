"""Print planned modules and sqlc's JSON document."""
