"""Caches of file contents, values and analyses, each with its inputs as the key."""
