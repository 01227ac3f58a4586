"""The rules behind the claims: their preconditions, and rows that would disprove them."""
