"""The local stack: one process starts every program of the platform as its child."""
