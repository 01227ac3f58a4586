"""Caches that avoid repeated work: files, values and analyses by their inputs."""
