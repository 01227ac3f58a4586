"""Create and remove services: one command for each task."""
