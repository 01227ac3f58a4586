"""Measure the compiler on other projects: it must compile the queries that sqlc compiles.

    python -m tools.realworld FOLDER...

Each folder is a project that holds configurations of sqlc. Nothing in it is changed.
"""
