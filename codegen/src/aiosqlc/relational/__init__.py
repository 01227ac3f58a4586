"""Proofs on the levels of a statement that both engines share: rows, keys, equalities."""
