"""Generate functions that insert rows for tests, with values that the schema accepts."""
