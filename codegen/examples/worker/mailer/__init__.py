"""A worker that sends mail."""
