"""Proofs about queries that both engines share, on row counts, unique keys and equalities."""
