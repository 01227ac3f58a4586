"""Statements of other projects' tests, written as scripts for the two test runners."""
