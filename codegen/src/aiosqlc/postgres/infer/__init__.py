"""Inference from the server's parse tree and catalog: nullability, row counts and writes."""
