"""Measure the compiler on other projects: it must compile the queries that sqlc compiles.

    python -m tools.realworld FOLDER...

Each folder is a project with configurations of sqlc. Its files are not changed.
"""
