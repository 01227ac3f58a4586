"""Summarize the effects of a change on the production database, as a pull-request comment."""
