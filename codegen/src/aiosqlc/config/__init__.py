"""Read the project's sqlc.yaml."""
