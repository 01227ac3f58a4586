"""Foreign projects as the measure of the compiler: what sqlc compiles, ours has to compile too.

    python -m tools.realworld FOLDER...

Each folder is a project that holds configurations of sqlc. Nothing in it is changed.
"""
