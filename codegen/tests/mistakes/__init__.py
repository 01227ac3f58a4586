"""Mistakes that people make, and what the compiler must say of each. See `table.py`."""
