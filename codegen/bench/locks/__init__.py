"""Compares which statements are called dangerous with another linter, on the tests' statements."""
