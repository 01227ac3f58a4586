"""Benchmarks against peers: `make bench`, never part of the tests."""
