"""Answers, before a change is merged, what it would do to a database that is in use."""
