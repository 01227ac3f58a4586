"""A SQL compiler for Python: annotated SQL in, typed async functions out."""
