"""Prove facts about row counts, unique keys and equalities, for PostgreSQL and MySQL alike."""
