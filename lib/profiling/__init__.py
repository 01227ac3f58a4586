"""Inspect a running process: CPU profile, heap and stacks, on a loopback port."""

from lib.profiling.server import profiling

__all__ = ["profiling"]
