"""The catalog of the database, as facts for the proofs."""
