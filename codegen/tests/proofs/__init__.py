"""The rules behind the claims: what each rests on, and rows that would refute it."""
