"""The project's sqlc.yaml, from text to values."""
