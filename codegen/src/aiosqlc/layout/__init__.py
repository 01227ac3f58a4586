"""Lays out query files without changing what they mean."""
