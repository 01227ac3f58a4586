"""Summarize what a change means for the database in production: one comment on a pull request."""
