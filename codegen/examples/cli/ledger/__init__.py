"""A ledger for the command line."""
