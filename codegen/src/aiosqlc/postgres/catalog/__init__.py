"""What the database knows of itself, as facts the proofs rest on."""
