"""Check a change against a database in production before the change is merged."""
