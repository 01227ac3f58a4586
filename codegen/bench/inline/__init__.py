"""SQL in Python literals: the time of an edit, and what type checkers reject."""
