"""The database's catalog as facts that proofs use, such as keys and NOT NULL columns."""
