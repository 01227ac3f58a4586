"""Statements of other projects' tests, written as scripts that the two suites' runners execute."""
