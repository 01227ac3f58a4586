"""Inference from the server's tree and the catalog: not-null, row counts, parameters, access."""
