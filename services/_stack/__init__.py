"""The local stack: every part of the platform as a child of one process, on a bare machine."""
