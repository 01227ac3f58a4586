"""Compile the SQL in string literals of Python files."""
