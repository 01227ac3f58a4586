"""Fragments: their expansion, their diagnostics, and both engines on the expanded queries."""
