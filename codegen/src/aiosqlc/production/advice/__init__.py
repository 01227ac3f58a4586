"""Findings about the plans of queries, with indexes that were tested as remedies."""
