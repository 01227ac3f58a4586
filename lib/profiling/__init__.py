"""A look inside a running process: CPU profile, heap and stacks, on a port of the loopback only."""

from lib.profiling.server import profiling

__all__ = ["profiling"]
