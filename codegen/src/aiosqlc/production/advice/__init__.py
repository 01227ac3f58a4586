"""Findings about the plans of queries, with proposals of indexes that were tested."""
