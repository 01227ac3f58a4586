"""A SQL compiler for Python, which turns annotated SQL into typed async functions."""
