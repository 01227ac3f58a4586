"""The facts of a database's catalog that proofs use, such as keys and NOT NULL columns."""
