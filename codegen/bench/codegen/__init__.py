"""Compile times beside sqlc's."""
