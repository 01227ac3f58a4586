"""Findings about the plans of queries, with remedies that were tried."""
