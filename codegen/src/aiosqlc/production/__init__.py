"""Check a change of queries or migrations against a production database before it is merged."""
