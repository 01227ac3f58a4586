"""Stub extensions for the embedded server: types and signatures without implementations."""
