"""The database's catalog in the form of facts for the proofs."""
