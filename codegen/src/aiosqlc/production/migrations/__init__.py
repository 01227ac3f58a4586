"""Check pending migrations: the locks of each statement, their duration, and waiting queries."""
