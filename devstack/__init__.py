"""The local stack: every program of the platform as a child of one process, on a bare machine."""
